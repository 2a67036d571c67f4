//! Streaming recognition in virtual time: which policy, step, margin and window commit how early, at
//! what cost, with how many word errors. `docs/streaming.md` says what came out.
//!
//! `recognition_policies [setting=value]...` with `model`, `languages`, `manifest` (a file like
//! `tests/speech/manifest.tsv`), `policy` (`end`, `align`, `agree`), `hold`, `step`, `margin` (`full`
//! or frames), `way` (the same for runs on the way), `soft`, `hard`, `keep`, `silence`, `tail` (milliseconds), `prompt` (`yes`), `threads`,
//! `show` (`yes`). Latency is source time from a word's end to the end of the sound that it took to
//! commit it, and the same with the run's own time added, as if the machine had nothing else to do.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement says what is wrong by failing"
)]

use std::{collections::HashMap, time::Instant};

use interpret_models::{
    Language,
    catalogue::Role,
    onnx,
    recognition::{Recognizer, WhisperModel, WhisperOptions, WhisperRecognizer},
    store::{Settings, Store},
    vad::{EndpointConfig, SileroVad},
};
use interpret_tests::{
    scores::{WordErrors, word_errors},
    speech::{Recording, recordings_of},
};
use interpretd::pipeline::{
    CommitPolicy, Due, Hearing, Transcriber, TranscriberSettings, WindowLimits, source_ms,
};

struct Arguments(HashMap<String, String>);

impl Arguments {
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
struct Outcome {
    errors: WordErrors,
    /// Milliseconds from a word's end to its commitment: by source time, and with computing.
    latency: Vec<(u64, u64)>,
    runs: usize,
    wall_s: f64,
    cpu_s: f64,
    audio_s: f64,
}

fn main() {
    let pairs = std::env::args().skip(1).map(|argument| {
        let (name, value) = argument.split_once('=').expect("setting=value");
        (name.to_owned(), value.to_owned())
    });
    let arguments = Arguments(pairs.collect());
    let store = Store::open(Settings::from_env().unwrap()).unwrap();
    onnx::init(&store.onnx_runtime().unwrap()).unwrap();
    let mut detector =
        SileroVad::load(store.detection().unwrap().file(Role::Weights).unwrap()).unwrap();
    let model = arguments.text("model", "whisper-base-q8_0");
    let weights = store.recognition(Some(model)).unwrap();
    let whisper = WhisperModel::load(weights.file(Role::Weights).unwrap()).unwrap();
    let threads = u16::try_from(arguments.number("threads", 2)).unwrap();
    let mut options = WhisperOptions::new(threads);
    match arguments.text("margin", "") {
        "" => {}
        "full" => options.margin = None,
        frames => options.margin = Some(frames.parse().expect("frames")),
    }
    let way = arguments.number("way", u32::from(options.provisional_margin));
    options.provisional_margin = u16::try_from(way).unwrap();
    let mut recognizer = WhisperRecognizer::new(&whisper, options).unwrap();
    let manifest = arguments
        .text("manifest", "tests/speech/manifest.tsv")
        .to_owned();
    for code in arguments.text("languages", "fr,en").split(',') {
        let mut all = Outcome::default();
        for recording in recordings_of(std::path::Path::new(&manifest), code).unwrap() {
            measure(
                &recording,
                &arguments,
                &mut detector,
                &mut recognizer,
                &mut all,
            );
        }
        report(code, &mut all);
        println!("    guards {:?}", recognizer.guard_counts());
    }
}

fn measure(
    recording: &Recording,
    arguments: &Arguments,
    detector: &mut SileroVad,
    recognizer: &mut WhisperRecognizer,
    all: &mut Outcome,
) {
    let default = WindowLimits::default();
    let settings = TranscriberSettings {
        sources: vec![recording.language.parse::<Language>().unwrap()],
        policy: match arguments.text("policy", "align") {
            "end" => CommitPolicy::AtEnd,
            "agree" => CommitPolicy::LocalAgreement,
            _ => CommitPolicy::AlignAtt {
                hold_ms: arguments.number("hold", 400),
            },
        },
        step_ms: arguments.number("step", 480),
        limits: WindowLimits {
            soft_ms: arguments.number("soft", default.soft_ms),
            hard_ms: arguments.number("hard", default.hard_ms),
            most_ms: default.most_ms,
            keep_ms: arguments.number("keep", default.keep_ms),
        },
        prompt: arguments.text("prompt", "no") == "yes",
    };
    let streamed = settings.policy != CommitPolicy::AtEnd;
    let endpoint = EndpointConfig {
        max_utterance_ms: arguments.number("max", if streamed { 28_000 } else { 14_000 }),
        min_silence_ms: arguments.number("silence", 500),
        tail_padding_ms: arguments.number("tail", 256),
        ..EndpointConfig::default()
    };
    let show = arguments.text("show", "no") == "yes";
    let mut hearing = Hearing::new(detector, &endpoint).unwrap();
    let mut transcriber = Transcriber::new(settings);
    let samples = recording.samples().unwrap();
    let mut text = String::new();
    let mut heard = Vec::new();
    for piece in samples.chunks(512).map(Some).chain([None]) {
        match piece {
            Some(piece) => hearing.push(detector, piece, &mut heard).unwrap(),
            None => hearing.end_utterance(detector, &mut heard).unwrap(),
        }
        for heard in heard.drain(..) {
            transcriber.hear(heard);
        }
        if piece.is_none() {
            transcriber.finish();
        }
        while let Some(due) = transcriber.due() {
            let Due::Run(run) = due else { continue };
            let (begun, cpu) = (Instant::now(), cpu_seconds());
            let said = recognizer.recognize(&run.request).unwrap();
            let took = begun.elapsed();
            all.runs += 1;
            all.wall_s += took.as_secs_f64();
            all.cpu_s += cpu_seconds() - cpu;
            // What was heard meanwhile is not in the run: its end, or now at the end of speech.
            let now = hearing.heard().min(run.end.max(hearing.heard()));
            let Some(transcribed) = transcriber.done(&run, &said) else {
                continue;
            };
            for word in &transcribed.committed {
                text.push_str(&word.text);
                let source = source_ms(now).saturating_sub(word.range.end_ms);
                let computed = source + u64::try_from(took.as_millis()).unwrap();
                all.latency.push((source, computed));
            }
            if show {
                let committed: String = transcribed
                    .committed
                    .iter()
                    .map(|word| word.text.as_str())
                    .collect();
                println!(
                    "{:7.2} [{:5.2} s, {:3.0} ms] {committed} |{}",
                    run.end as f64 / 16_000.0,
                    run.request.samples.len() as f64 / 16_000.0,
                    took.as_secs_f64() * 1_000.0,
                    transcribed.tentative,
                );
            }
        }
    }
    let errors = word_errors(&text, &recording.transcript);
    if show {
        println!("{}: {:.1} % {text}", recording.name(), errors.percent());
    }
    all.errors = std::mem::take(&mut all.errors) + errors;
    all.audio_s += samples.len() as f64 / 16_000.0;
}

fn report(code: &str, all: &mut Outcome) {
    all.latency.sort_unstable();
    let at = |part: f64| {
        let index = (all.latency.len() as f64 * part) as usize;
        all.latency.get(index).copied().unwrap_or_default()
    };
    let computed = |part: f64| {
        let mut computed: Vec<u64> = all.latency.iter().map(|latency| latency.1).collect();
        computed.sort_unstable();
        computed
            .get((computed.len() as f64 * part) as usize)
            .copied()
            .unwrap_or_default()
    };
    println!(
        "{code}: WER {:5.2} %  latency median {} ms, p95 {} ms; with computing {}, {}  \
         {} runs of {:.0} ms  wall {:.3}  cpu {:.3}",
        all.errors.percent(),
        at(0.5).0,
        at(0.95).0,
        computed(0.5),
        computed(0.95),
        all.runs,
        1_000.0 * all.wall_s / all.runs as f64,
        all.wall_s / all.audio_s,
        all.cpu_s / all.audio_s,
    );
}

/// Time this process has computed, all threads (Linux).
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap()
        .split_whitespace()
        .collect();
    let ticks: f64 = [11, 12]
        .map(|at| fields[at].parse::<f64>().unwrap())
        .iter()
        .sum();
    ticks / 100.0
}
