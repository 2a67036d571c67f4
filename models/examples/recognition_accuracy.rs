//! Word error rate and cost of recognition, utterance by utterance as a stream gets it, beside
//! whisper.cpp on the whole file. `docs/recognition.md` says what came out.
//!
//! `recognition_accuracy [setting=value]...` with `model` (a fetched recognition model),
//! `languages`, `threads`, `margin` (`full` or frames), `silence`, `lead`, `tail`, `max`, `search`
//! (milliseconds), `prompt` (`yes`: the text before as context), `offline` (`no`: leave it out),
//! `show` (`yes`: print the texts). RTF is processor time of the main thread by length of audio: with one
//! thread, all that recognition costs, whatever else the machine does.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic
)]

use std::collections::HashMap;

use interpret_models::{
    Language,
    recognition::{
        RecognitionRequest, Recognizer, WhisperModel, WhisperOptions, WhisperRecognizer,
        recognize_whole,
    },
    vad::EndpointConfig,
};
use support::{Recording, models::weights, recordings, silero, utterances, word_errors};

#[path = "../tests/support/mod.rs"]
mod support;

struct Settings(HashMap<String, String>);

impl Settings {
    fn text<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.0.get(name).map_or(otherwise, String::as_str)
    }

    fn number(&self, name: &str, otherwise: u32) -> u32 {
        self.0
            .get(name)
            .map_or(otherwise, |value| value.parse().expect("a number"))
    }
}

#[derive(Default)]
struct Score {
    errors: usize,
    words: usize,
    seconds: f64,
    audio: f64,
}

impl Score {
    fn add(&mut self, recording: &Recording, heard: &str, seconds: f64) {
        let (errors, words) = word_errors(&recording.transcript, heard);
        self.errors += errors;
        self.words += words;
        self.seconds += seconds;
        self.audio += recording.samples.len() as f64 / 16_000.0;
    }
}

impl std::fmt::Display for Score {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let wer = 100.0 * self.errors as f64 / self.words as f64;
        let real_time = self.seconds / self.audio;
        write!(
            f,
            "WER {wer:5.1} % ({}/{}) RTF {real_time:.3}",
            self.errors, self.words
        )
    }
}

fn main() {
    let settings = Settings(
        std::env::args()
            .skip(1)
            .map(|argument| {
                let (name, value) = argument.split_once('=').expect("setting=value");
                (name.to_owned(), value.to_owned())
            })
            .collect(),
    );
    let default = EndpointConfig::default();
    let config = EndpointConfig {
        min_silence_ms: settings.number("silence", default.min_silence_ms),
        lead_padding_ms: settings.number("lead", default.lead_padding_ms),
        tail_padding_ms: settings.number("tail", default.tail_padding_ms),
        max_utterance_ms: settings.number("max", default.max_utterance_ms),
        cut_search_ms: settings.number("search", default.cut_search_ms),
        ..default
    };
    let threads = u16::try_from(settings.number("threads", 1)).expect("fewer threads");
    let model = settings.text("model", "whisper-base-q8_0");
    let whisper = WhisperModel::load(&weights(model)).unwrap();
    let mut options = WhisperOptions::new(threads);
    match settings.text("margin", "") {
        "" => {}
        "full" => options.margin = None,
        frames => options.margin = Some(frames.parse().expect("frames")),
    }
    let mut recognizer = WhisperRecognizer::new(&whisper, options).unwrap();
    let mut detector = silero();
    let show = settings.text("show", "no") == "yes";
    for code in settings.text("languages", "fr,en").split(',') {
        let (mut offline, mut streamed, mut count) = (Score::default(), Score::default(), 0);
        for recording in recordings(code) {
            if settings.text("offline", "yes") == "yes" {
                let begun = cpu_seconds();
                let heard = recognize_whole(
                    &whisper,
                    &recording.samples,
                    recording.language.parse().unwrap(),
                    threads,
                )
                .unwrap();
                offline.add(&recording, &heard, cpu_seconds() - begun);
                if show {
                    println!(
                        "{} offline {:?}: {heard}",
                        recording.name,
                        errors(&recording, &heard)
                    );
                }
            }
            let begun = cpu_seconds();
            let mut heard = String::new();
            for utterance in utterances(&mut detector, &config, &recording.samples) {
                let prompt = if settings.text("prompt", "no") == "yes" {
                    &heard
                } else {
                    ""
                };
                let request = RecognitionRequest {
                    samples: utterance.samples,
                    languages: vec![recording.language.parse::<Language>().unwrap()],
                    prompt: prompt.to_owned(),
                    ..RecognitionRequest::default()
                };
                let text = recognizer.recognize(&request).unwrap().text;
                if show {
                    let at = |sample| sample as f64 / 16_000.0;
                    println!(
                        "  {:6.2}..{:6.2} {:?} {text}",
                        at(utterance.range.start),
                        at(utterance.range.end),
                        utterance.reason
                    );
                }
                heard.push(' ');
                heard.push_str(&text);
                count += 1;
            }
            streamed.add(&recording, &heard, cpu_seconds() - begun);
            if show {
                println!(
                    "{} streamed {:?}",
                    recording.name,
                    errors(&recording, &heard)
                );
            }
        }
        let guards = recognizer.guard_counts();
        println!("{model} {code}: streamed {streamed} in {count} utterances, guards {guards:?}");
        if offline.words > 0 {
            println!("{model} {code}: offline  {offline}");
        }
    }
}

fn errors(recording: &Recording, heard: &str) -> (usize, usize) {
    word_errors(&recording.transcript, heard)
}

/// Time this thread has computed (Linux).
fn cpu_seconds() -> f64 {
    let line = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    line.split(' ').next().unwrap().parse::<f64>().unwrap() / 1e9
}
