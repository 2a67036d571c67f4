//! Kokoro with its real files. These tests fail, and say so, where the files are missing; the
//! program espeak-ng must be installed.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

#[path = "support/models.rs"]
mod models;

use std::path::Path;

use interpret_models::synthesis::{
    Gender, KokoroSynthesizer, SynthesisError, SynthesisRequest, Synthesizer,
};

fn kokoro() -> Box<dyn Synthesizer> {
    Box::new(KokoroSynthesizer::load(&models::kokoro_files(), 2, Path::new("espeak-ng")).unwrap())
}

fn speak(kokoro: &mut dyn Synthesizer, voice: &str, text: &str, speed: f32) -> Vec<f32> {
    let request = SynthesisRequest {
        text: text.to_owned(),
        voice: voice.to_owned(),
        speed,
        goes_on: false,
    };
    kokoro.synthesize(&request).unwrap().samples
}

fn seconds(samples: &[f32]) -> f32 {
    samples.len() as f32 / 24_000.0
}

#[test]
fn voices_speak_the_languages_that_can_be_phonemised() {
    let kokoro = kokoro();
    let voices = kokoro.voices();
    assert_eq!(voices.len(), 41);
    let default = |code: &str| {
        let language = code.parse().unwrap();
        let mut defaults = voices
            .iter()
            .filter(|voice| voice.language == language && voice.is_default);
        let name = defaults.next().map(|voice| voice.name.as_str());
        assert_eq!(defaults.next(), None, "two defaults for {code}");
        name
    };
    for (code, name) in [
        ("en", Some("af_heart")),
        ("fr", Some("ff_siwis")),
        ("es", Some("ef_dora")),
        ("it", Some("if_sara")),
        ("pt", Some("pf_dora")),
        ("hi", Some("hf_alpha")),
        ("ja", None),
        ("zh", None),
    ] {
        assert_eq!(default(code), name, "{code}");
    }
    let george = voices
        .iter()
        .find(|voice| voice.name == "bm_george")
        .unwrap();
    assert_eq!((george.region, george.gender), (Some("GB"), Gender::Male));
}

#[test]
fn every_language_is_spoken_cleanly() {
    let mut kokoro = kokoro();
    assert_eq!(kokoro.sample_rate(), 24_000);
    for (voice, text) in [
        ("af_heart", "The meeting starts at half past nine."),
        ("bf_emma", "The meeting starts at half past nine."),
        ("ff_siwis", "La réunion commence à neuf heures et demie."),
        ("ef_dora", "La reunión empieza a las nueve y media."),
        ("if_sara", "La riunione inizia alle nove e mezza."),
        ("pf_dora", "A reunião começa às nove e meia."),
        ("hf_alpha", "बैठक साढ़े नौ बजे शुरू होगी।"),
    ] {
        let samples = speak(kokoro.as_mut(), voice, text, 1.0);
        let length = seconds(&samples);
        assert!((1.2..5.0).contains(&length), "{voice}: {length} s");
        let peak = samples
            .iter()
            .fold(0.0_f32, |peak, sample| peak.max(sample.abs()));
        assert!((0.05..=1.2).contains(&peak), "{voice}: peak {peak}");
        // No click where a clause begins or ends.
        assert!(samples[0].abs() < 0.005, "{voice}");
        assert!(samples[samples.len() - 1].abs() < 0.005, "{voice}");
        let loud = samples
            .iter()
            .position(|sample| sample.abs() > peak * 0.1)
            .unwrap();
        assert!(
            loud < 24_000 / 4,
            "{voice}: speech begins after {loud} samples"
        );
    }
}

#[test]
fn faster_speech_is_shorter() {
    let mut kokoro = kokoro();
    let text = "Les négociateurs ont essayé de rectifier la situation.";
    let normal = seconds(&speak(kokoro.as_mut(), "ff_siwis", text, 1.0));
    let fast = seconds(&speak(kokoro.as_mut(), "ff_siwis", text, 1.4));
    assert!(
        (0.6..0.85).contains(&(fast / normal)),
        "{fast} s against {normal} s"
    );
}

#[test]
fn text_without_words_is_silent() {
    let mut kokoro = kokoro();
    for text in ["", " ", "…", "—", "?!", "«»"] {
        for voice in ["af_heart", "ff_siwis"] {
            assert!(
                speak(kokoro.as_mut(), voice, text, 1.0).is_empty(),
                "{text:?}"
            );
        }
    }
}

#[test]
fn an_over_long_text_is_spoken_to_its_end() {
    let mut kokoro = kokoro();
    let sentence = "Nobody knew how long the road would be, but everybody went on walking. ";
    let one = seconds(&speak(kokoro.as_mut(), "af_heart", sentence, 1.0));
    let ten = seconds(&speak(
        kokoro.as_mut(),
        "af_heart",
        &sentence.repeat(10),
        1.0,
    ));
    assert!(
        (7.0..13.0).contains(&(ten / one)),
        "{ten} s against {one} s"
    );
}

#[test]
fn an_unknown_voice_is_refused() {
    let request = SynthesisRequest {
        text: "Hello".to_owned(),
        voice: "jf_alpha".to_owned(),
        speed: 1.0,
        goes_on: false,
    };
    let error = kokoro().synthesize(&request).unwrap_err();
    assert!(matches!(error, SynthesisError::UnknownVoice(name) if name == "jf_alpha"));
}

#[test]
fn a_file_that_is_no_voice_model_is_refused() {
    let mut files = models::kokoro_files();
    files.model.clone_from(&files.vocab);
    let error = KokoroSynthesizer::load(&files, 1, Path::new("espeak-ng")).unwrap_err();
    assert!(matches!(error, SynthesisError::Load { .. }), "{error}");
    assert!(error.to_string().contains("vocab.json"), "{error}");
}
