//! Real models and recordings for tests and measurements, and how to score what was recognised.

#![allow(dead_code, reason = "each test uses its part")]

pub(crate) mod models;

use std::{
    fs::File,
    path::{Path, PathBuf},
};

use interpret_models::{
    recognition::WhisperModel,
    vad::{EndpointConfig, Segmenter, SileroVad, SpeechEvent, Utterance},
};
use symphonia::core::{
    codecs::audio::AudioDecoderOptions,
    formats::{FormatOptions, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
};

pub(crate) fn silero() -> SileroVad {
    models::start_onnx_runtime();
    SileroVad::load(&models::weights("silero-vad")).unwrap()
}

pub(crate) fn whisper() -> WhisperModel {
    WhisperModel::load(&models::weights("whisper-base")).unwrap()
}

pub(crate) fn speech_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/speech")
}

/// A recording with what is said in it.
pub(crate) struct Recording {
    pub(crate) name: String,
    pub(crate) language: String,
    pub(crate) transcript: String,
    pub(crate) samples: Vec<f32>,
}

/// The recordings in this language, in the order of the manifest.
pub(crate) fn recordings(language: &str) -> Vec<Recording> {
    let manifest = std::fs::read_to_string(speech_folder().join("manifest.tsv")).unwrap();
    let mut found: Vec<Recording> = Vec::new();
    for line in manifest.lines().skip(1) {
        let columns: Vec<&str> = line.split('\t').collect();
        let known = found.iter().any(|recording| recording.name == columns[0]);
        if columns[1] == language && !known {
            found.push(Recording {
                name: columns[0].to_owned(),
                language: language.to_owned(),
                transcript: columns[2].to_owned(),
                samples: read(&speech_folder().join(columns[0])),
            });
        }
    }
    assert!(!found.is_empty(), "no recording in {language}");
    found
}

/// Reads a 16 kHz mono recording.
pub(crate) fn read(path: &Path) -> Vec<f32> {
    let source = MediaSourceStream::new(Box::new(File::open(path).unwrap()), Default::default());
    let mut format = symphonia::default::get_probe()
        .probe(
            &Hint::new(),
            source,
            FormatOptions::default(),
            MetadataOptions::default(),
        )
        .unwrap();
    let track = format.default_track(TrackType::Audio).unwrap();
    let codec = track.codec_params.as_ref().unwrap().audio().unwrap();
    assert_eq!(codec.sample_rate, Some(16_000), "{}", path.display());
    let mut decoder = symphonia::default::get_codecs()
        .make_audio_decoder(codec, &AudioDecoderOptions::default())
        .unwrap();
    let (mut samples, mut packet_samples) = (Vec::new(), Vec::new());
    while let Some(packet) = format.next_packet().unwrap() {
        let audio = decoder.decode(&packet).unwrap();
        packet_samples.resize(audio.samples_interleaved(), 0.0f32);
        audio.copy_to_slice_interleaved(&mut packet_samples);
        samples.extend(&packet_samples);
    }
    samples
}

/// The utterances in `samples`, as a stream in chunks of 20 ms gives them.
pub(crate) fn utterances(
    detector: &mut SileroVad,
    config: &EndpointConfig,
    samples: &[f32],
) -> Vec<Utterance> {
    let mut segmenter = Segmenter::new(detector, config).unwrap();
    let mut events = Vec::new();
    for chunk in samples.chunks(320) {
        events.extend(segmenter.push(detector, chunk).unwrap());
    }
    events.extend(segmenter.finish(detector).unwrap());
    events
        .into_iter()
        .filter_map(|event| match event {
            SpeechEvent::Ended(utterance) => Some(utterance),
            SpeechEvent::Started(_) => None,
        })
        .collect()
}

/// Words in lower case without punctuation; apostrophes and hyphens part words.
pub(crate) fn normalise(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

/// Substitutions, insertions and deletions that turn `heard` into `said`, and words in `said`.
pub(crate) fn word_errors(said: &str, heard: &str) -> (usize, usize) {
    let (said, heard) = (normalise(said), normalise(heard));
    let mut row: Vec<usize> = (0..=heard.len()).collect();
    for (i, word) in said.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, other) in heard.iter().enumerate() {
            let substituted = diagonal + usize::from(word != other);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(row[j + 1] + 1);
        }
    }
    (row[heard.len()], said.len())
}
