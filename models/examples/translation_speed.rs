//! How fast sentences are translated: a line of JSON for scripts.
//!
//! `translation_speed PAIR TEXT [lines=N] [batch=N] [precision=f32|q8] [search=greedy|beam] [output=FILE]
//! [folder=MODEL]`: the text has a sentence a line; translations go to FILE; MODEL is another than the
//! fetched one. One sentence after the other, or `batch` of
//! them at once. `RAYON_NUM_THREADS` sets the threads. Sentences are translated once before they are timed.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement says what is wrong by failing"
)]

use std::{
    collections::HashMap,
    path::Path,
    time::{Duration, Instant},
};

use interpret_models::translation::{
    self, MarianOptions, MarianTranslator, Precision, Search, Translation, TranslationRequest,
    Translator,
};

#[path = "../tests/support/models.rs"]
mod models;

/// Beam search as the models' authors use it.
const BEAM: Search = Search::Beam {
    width: 4,
    length_penalty: 1.0,
};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let settings: HashMap<&str, &str> = arguments[2..]
        .iter()
        .map(|argument| {
            argument
                .split_once('=')
                .expect("a setting such as lines=20")
        })
        .collect();
    let number = |name: &str| settings.get(name).map(|n| n.parse().expect("a number"));
    let text = std::fs::read_to_string(&arguments[1]).expect("a text");
    let lines = number("lines").unwrap_or(usize::MAX);
    let lines: Vec<&str> = text.lines().take(lines).collect();
    let search = match settings.get("search") {
        Some(&"beam") => BEAM,
        _ => Search::Greedy,
    };
    let requests: Vec<TranslationRequest> = lines
        .iter()
        .map(|line| TranslationRequest {
            source: (*line).to_owned(),
            search,
            ..TranslationRequest::default()
        })
        .collect();
    let begun = Instant::now();
    let mut model = load(&arguments[0], &settings);
    model.translate(&requests[0]).unwrap();
    let loaded = begun.elapsed();
    let batch = number("batch").unwrap_or(1);
    translate(&mut *model, &requests, batch);
    let (times, translations) = translate(&mut *model, &requests, batch);
    // The end of sentence is chosen like any other token.
    let tokens = translations
        .iter()
        .map(|found| found.tokens.len() + 1)
        .sum();
    report(tokens, times, loaded);
    if let Some(output) = settings.get("output") {
        let texts = translations.iter().map(|found| found.text.clone() + "\n");
        std::fs::write(output, texts.collect::<String>()).unwrap();
    }
}

fn load(pair: &str, settings: &HashMap<&str, &str>) -> Box<dyn Translator> {
    let pair = pair.parse().expect("a pair such as fr-en");
    let precision = match settings.get("precision") {
        Some(&"f32") => Precision::F32,
        _ => Precision::Q8,
    };
    let folder = settings.get("folder").map(Path::new);
    if folder.is_none() && precision == Precision::Q8 {
        return translation::load(&models::route(pair), pair).unwrap();
    }
    let options = MarianOptions {
        precision,
        ..MarianOptions::default()
    };
    let folder = folder.map_or_else(
        || {
            models::route(pair)
                .folder()
                .expect("a pair with a model of its own")
                .to_owned()
        },
        Path::to_owned,
    );
    Box::new(MarianTranslator::load_with(&folder, pair, &options).unwrap())
}

/// How long each batch took, and all translations in order.
fn translate(
    model: &mut dyn Translator,
    requests: &[TranslationRequest],
    batch: usize,
) -> (Vec<Duration>, Vec<Translation>) {
    let mut all = vec![Translation::default(); requests.len()];
    let batches = requests.chunks(batch).zip(all.chunks_mut(batch));
    let times = batches.map(|(requests, translations)| {
        let begun = Instant::now();
        model.translate_all(requests, &mut |index, translation| {
            translations[index] = translation.unwrap();
        });
        begun.elapsed()
    });
    (times.collect(), all)
}

fn report(tokens: usize, mut times: Vec<Duration>, loaded: Duration) {
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
}

/// Most memory that this process held (Linux).
fn peak_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().nth(1));
    kib.unwrap().parse::<f64>().unwrap() / 1024.0
}
