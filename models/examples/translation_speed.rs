//! How fast sentences are translated, one after the other, greedily: a line of JSON for scripts.
//!
//! `translation_speed PAIR TEXT [LINES] [f32|q8] [OUTPUT]`: the text has a sentence a line; translations
//! go to OUTPUT. `RAYON_NUM_THREADS` sets the threads. Sentences are translated once before they are
//! timed.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement says what is wrong by failing"
)]

use std::time::{Duration, Instant};

use interpret_models::translation::{
    self, MarianOptions, MarianTranslator, Precision, TranslationRequest, Translator,
};

#[path = "../tests/support/models.rs"]
mod models;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let pair = arguments[0].parse().expect("a pair such as fr-en");
    let text = std::fs::read_to_string(&arguments[1]).expect("a text");
    let lines = arguments
        .get(2)
        .map_or(usize::MAX, |n| n.parse().expect("a number"));
    let lines: Vec<&str> = text.lines().take(lines).collect();
    let route = models::route(pair);
    let begun = Instant::now();
    let mut model: Box<dyn Translator> = match arguments.get(3).map(String::as_str) {
        Some("f32") => {
            let options = MarianOptions {
                precision: Precision::F32,
                ..MarianOptions::default()
            };
            let folder = route.folder().expect("a pair with a model of its own");
            Box::new(MarianTranslator::load_with(folder, pair, &options).unwrap())
        }
        _ => translation::load(&route, pair).unwrap(),
    };
    let mut translate = |source: &str| {
        let request = TranslationRequest {
            source: source.to_owned(),
            ..TranslationRequest::default()
        };
        model.translate(&request).unwrap()
    };
    translate(lines[0]);
    let loaded = begun.elapsed();
    for line in &lines {
        translate(line);
    }
    let (mut tokens, mut texts) = (0, Vec::new());
    let mut times: Vec<Duration> = Vec::new();
    for line in &lines {
        let begun = Instant::now();
        let translation = translate(line);
        times.push(begun.elapsed());
        // The end of sentence is chosen like any other token.
        tokens += translation.tokens.len() + 1;
        texts.push(translation.text);
    }
    let seconds = times.iter().sum::<Duration>().as_secs_f64();
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1_000.0;
    println!(
        "{{\"tokens\": {tokens}, \"seconds\": {seconds:.4}, \"p50_ms\": {:.2}, \"p95_ms\": {:.2}, \
         \"first_translation_s\": {:.3}, \"peak_mb\": {:.0}}}",
        at(50),
        at(95),
        loaded.as_secs_f64(),
        peak_mb(),
    );
    if let Some(output) = arguments.get(4) {
        std::fs::write(output, texts.join("\n") + "\n").unwrap();
    }
}

/// Most memory that this process held (Linux).
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<f64>().unwrap() / 1024.0
}
