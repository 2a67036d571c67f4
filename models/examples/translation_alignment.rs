//! Which decoder layers align best, how fast tokens come, and what is translated.
//!
//! `translation_alignment PAIR SOURCE_TEXT [lines] [f32|q8] [OUTPUT]`: the text has a sentence a line;
//! with OUTPUT, the translations are written there, and nothing is aligned.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic
)]

use std::{collections::HashMap, time::Instant};

use interpret_models::translation::{
    MarianOptions, MarianTranslator, Precision, Translation, TranslationRequest, Translator,
};

#[path = "../tests/support/models.rs"]
mod models;

const LAYERS: [&[usize]; 10] = [
    &[0],
    &[1],
    &[2],
    &[3],
    &[4],
    &[5],
    &[3, 4],
    &[4, 5],
    &[2, 3, 4],
    &[0, 1, 2, 3, 4, 5],
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (pair, text) = (&arguments[0], &arguments[1]);
    let count = arguments
        .get(2)
        .map_or(40, |n| n.parse().expect("a number"));
    let precision = match arguments.get(3).map(String::as_str) {
        Some("q8") => Precision::Q8,
        _ => Precision::F32,
    };
    let text = std::fs::read_to_string(text).expect("a text");
    let lines: Vec<&str> = text.lines().take(count).collect();
    let load = |layers: &[usize]| {
        let folder = models::installed(&format!("opus-mt-{pair}"))
            .folder()
            .to_owned();
        let options = MarianOptions {
            precision,
            alignment_layers: layers.to_vec(),
            ..MarianOptions::default()
        };
        MarianTranslator::load_with(&folder, pair.parse().expect("a pair"), &options).unwrap()
    };
    let mut model = load(&[]);
    let begun = Instant::now();
    let free: Vec<Translation> = lines
        .iter()
        .map(|line| translate(&mut model, line, &[]))
        .collect();
    let tokens: usize = free
        .iter()
        .map(|translation| translation.tokens.len())
        .sum();
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{pair} {precision:?}: {tokens} tokens, {:.1} tokens/s",
        tokens as f64 / seconds
    );
    drop(model);
    if let Some(output) = arguments.get(4) {
        let translations = free
            .iter()
            .map(|translation| format!("{}\n", translation.text));
        std::fs::write(output, translations.collect::<String>())
            .expect("a file that can be written");
        return;
    }
    for layers in LAYERS {
        let mut model = load(layers);
        let (mut hits, mut all, mut bare) = (0, 0, 0);
        for (line, free) in std::iter::zip(&lines, &free) {
            let prefix: Vec<u32> = free.tokens.iter().map(|token| token.id).collect();
            let forced = translate(&mut model, line, &prefix);
            for (source, token) in same_words(line, &forced) {
                all += 1;
                hits += usize::from(forced.aligned_span(token) == Some(source.clone()));
                bare += usize::from(without_full_stop(&forced, token) == Some(source));
            }
        }
        println!("layers {layers:?}: {hits} of {all}; without the full stop {bare}");
    }
}

fn translate(model: &mut MarianTranslator, source: &str, prefix: &[u32]) -> Translation {
    let request = TranslationRequest {
        source: source.to_owned(),
        committed_prefix: prefix.to_vec(),
        ..TranslationRequest::default()
    };
    model.translate(&request).unwrap()
}

/// Names and numbers that are once in the source and once, alike, in the target: byte range in the
/// source and first token in the target.
fn same_words(source: &str, target: &Translation) -> Vec<(std::ops::Range<usize>, usize)> {
    let bare = |word: &str| word.trim_matches(|c: char| !c.is_alphanumeric()).to_owned();
    let mut in_source: HashMap<String, Vec<std::ops::Range<usize>>> = HashMap::new();
    for word in source.split_whitespace() {
        let start = word.as_ptr().addr() - source.as_ptr().addr();
        in_source
            .entry(bare(word))
            .or_default()
            .push(start..start + word.len());
    }
    let mut in_target: HashMap<String, Vec<usize>> = HashMap::new();
    let starts: Vec<usize> = (0..target.tokens.len())
        .filter(|&index| target.tokens[index].piece.starts_with('\u{2581}'))
        .collect();
    for (index, &start) in starts.iter().enumerate() {
        let end = starts
            .get(index + 1)
            .copied()
            .unwrap_or(target.tokens.len());
        let word: String = target.tokens[start..end]
            .iter()
            .map(|t| t.piece.as_str())
            .collect();
        in_target.entry(bare(&word)).or_default().push(start);
    }
    in_source
        .iter()
        .filter(|(word, _)| word.starts_with(|c: char| c.is_uppercase() || c.is_numeric()))
        .filter_map(
            |(word, ranges)| match (ranges.as_slice(), in_target.get(word)?.as_slice()) {
                ([range], [token]) => Some((range.clone(), *token)),
                _ => None,
            },
        )
        .collect()
}

/// Like `aligned_span`, but never on the last source piece, mostly the full stop.
fn without_full_stop(target: &Translation, token: usize) -> Option<std::ops::Range<usize>> {
    let attention = target.tokens[token].attention.as_ref()?;
    let words = &attention[..attention.len().saturating_sub(2)];
    let best = (0..words.len()).max_by(|&a, &b| words[a].total_cmp(&words[b]))?;
    target.source_spans.get(best).cloned()
}
