//! `interpret file` and the lists, when all is well.

use std::{fs, path::Path};

use interpret_proto::v1::{EndReason, InterpretResponse, interpret_request::Request};
use serde_json::Value;
use tempfile::TempDir;

use crate::support::{
    Server, Step, arguments, assert_exit, ended, good_session, outputs, run, spoken, started,
    translated, write_wav, written_to,
};

#[test]
fn audio_captions_events_lines_and_a_summary() {
    let dir = TempDir::new().unwrap();
    let input = write_wav(&dir.path().join("in.wav"), 300);
    let outputs = outputs(dir.path());
    let server = Server::start(good_session());
    let address = server.address();
    let mut speed_of_speech = arguments(&input, &address, &written_to(&outputs));
    speed_of_speech.retain(|argument| *argument != "--fast");
    let output = run(&speed_of_speech);
    let [wav, vtt, jsonl] = outputs;
    let summary = assert_exit(&output, 0);

    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.contains("fr  Bonjour <tous>."), "{stdout}");
    assert!(stdout.contains("en  Hello <all>."), "{stdout}");
    assert!(
        !stdout.contains('\u{1b}'),
        "no escape codes in a pipe: {stdout}"
    );
    for part in [
        "recognise      0.200 (2 calls)",
        "3 translated",
        "ear-voice span",
        "o.vtt",
    ] {
        assert!(summary.contains(part), "{part} is not in: {summary}");
    }

    let captions = fs::read_to_string(&vtt).unwrap();
    let expected = "WEBVTT\n\n00:00:00.100 --> 00:00:00.300\nHello &lt;all&gt;.\n\n\
                    00:00:00.300 --> 00:00:00.500\nEnd.\n\n";
    assert_eq!(captions, expected);

    let samples: Vec<i16> = hound::WavReader::open(&wav)
        .unwrap()
        .samples()
        .map(Result::unwrap)
        .collect();
    let speech: Vec<i16> = samples
        .iter()
        .copied()
        .filter(|sample| *sample != 0)
        .collect();
    assert_eq!(speech, [[1000_i16; 800], [2000; 800]].concat());
    let silence = samples.iter().take_while(|sample| **sample == 0).count();

    let mut started_at = i64::MAX;
    let mut first_audio_at = None;
    for line in fs::read_to_string(&jsonl).unwrap().lines() {
        let mut event: Value = serde_json::from_str(line).unwrap();
        let fields = event.as_object_mut().unwrap();
        let at = fields.remove("receivedAtMs").unwrap().as_i64().unwrap();
        if fields.contains_key("sessionStarted") {
            started_at = at;
        }
        if let Some(audio) = fields.get_mut("translatedAudio") {
            let samples = audio.as_object_mut().unwrap().remove("dataSamples");
            assert_eq!(samples, Some(800.into()));
            first_audio_at.get_or_insert(at);
        }
        // What is left is exactly a response.
        serde_json::from_value::<InterpretResponse>(event).unwrap();
    }
    assert!(started_at <= 0, "{started_at}");
    // 8 samples a millisecond: the WAV has speech where the log says it arrived.
    assert_eq!(silence as i64, first_audio_at.unwrap() * 8);

    let speed_of_speech = first_audio_at.unwrap();
    assert!(
        speed_of_speech >= 80,
        "the second chunk was due at 80 ms: {speed_of_speech}"
    );
}

#[test]
fn several_languages_get_files_of_their_own() {
    let dir = TempDir::new().unwrap();
    let input = write_wav(&dir.path().join("in.wav"), 100);
    let server = Server::start(vec![
        started(&["en", "pt"]),
        translated("en", 1, "Bonjour.", " Hello."),
        translated("pt", 1, "Bonjour.", " Olá."),
        spoken("pt", 0, "Olá.", 9),
        Step::AwaitEnd,
        ended(EndReason::Finished),
    ]);
    let output = run(&[
        "file",
        input.to_str().unwrap(),
        "--from",
        "auto:fr,es",
        "--to",
        "en,pt",
        "--fast",
        "--server",
        &format!("http://{}", server.address()),
        "--voice",
        "pt=pf_dora",
        "--mode",
        "accurate",
        "--quiet",
        "-o",
        dir.path().join("o.wav").to_str().unwrap(),
        "--captions",
        dir.path().join("o.srt").to_str().unwrap(),
    ]);
    let stderr = assert_exit(&output, 0);
    assert_eq!((stderr.as_str(), output.stdout.len()), ("", 0), "quiet");
    let read = |name: &str| fs::read_to_string(dir.path().join(name)).unwrap();
    assert!(read("o.en.srt").starts_with("1\n00:00:00,100 --> "));
    assert!(read("o.pt.srt").contains("Olá."));
    let spoken = hound::WavReader::open(dir.path().join("o.pt.wav"))
        .unwrap()
        .len();
    assert_eq!(
        spoken,
        1600 + 800,
        "200 ms of silence, then 100 ms of speech"
    );
    assert_eq!(
        hound::WavReader::open(dir.path().join("o.en.wav"))
            .unwrap()
            .len(),
        0
    );

    let log = server.log.lock().unwrap();
    let Some(Request::Config(config)) = &log.requests[0].request else {
        panic!("{:?}", log.requests[0]);
    };
    assert_eq!(config.source_candidates, ["fr", "es"]);
    assert_eq!(config.targets[1].voice, "pf_dora");
    assert_eq!(config.targets[0].voice, "");
}

#[test]
fn every_kind_of_file_reaches_the_daemon() {
    for name in ["sine.flac", "sine.mp3", "sine.ogg", "sine.m4a"] {
        let server = Server::start(good_session());
        let input = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/audio")
            .join(name);
        assert_exit(&run(&arguments(&input, &server.address(), &[])), 0);
        let samples = server.log.lock().unwrap().audio().len() / 4;
        assert!((7_900..10_000).contains(&samples), "{name}: {samples}");
    }
}

#[test]
fn languages_and_voices_as_tables_and_as_json() {
    let server = Server::start(Vec::new());
    let address = server.address();
    let list = |arguments: &[&str]| {
        let output = run(&[arguments, &["--server", &address]].concat());
        assert_exit(&output, 0);
        String::from_utf8(output.stdout).unwrap()
    };
    let table = list(&["languages"]);
    assert!(
        table.contains("fr French   en English  yes            opus-mt-fr-en"),
        "{table}"
    );
    let json: Value = serde_json::from_str(&list(&["languages", "--json"])).unwrap();
    assert_eq!(json["pairs"][0]["source"], "fr");
    let table = list(&["voices", "en"]);
    assert!(
        table.contains("af_heart") && !table.contains("ff_siwis"),
        "{table}"
    );
    let json: Value = serde_json::from_str(&list(&["voices", "--json"])).unwrap();
    assert_eq!(json["voices"][1]["gender"], "GENDER_FEMALE");
}
