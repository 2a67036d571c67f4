//! What a student's shortlist costs: sentences that come out differently without it.
//!
//! `shortlist_differences PAIR TEXT [lines=N] [search=greedy|beam]`: the text has a sentence a line. Prints the
//! sentences that differ, as they are with the shortlist and without, then how many these are. docs/translation-engine.md has the figures.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a measurement says what is wrong by failing"
)]

use interpret_models::translation::{
    MarianOptions, MarianTranslator, Search, TranslationRequest, Translator,
};

#[path = "../tests/support/models.rs"]
mod models;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (pair, text) = (&arguments[0], &arguments[1]);
    let setting = |name: &str| {
        let mut settings = arguments[2..].iter().filter_map(|a| a.split_once('='));
        settings
            .find(|(key, _)| *key == name)
            .map(|(_, value)| value)
    };
    let lines = setting("lines").map_or(usize::MAX, |n| n.parse().expect("a number"));
    let search = match setting("search") {
        Some("beam") => Search::Beam {
            width: 4,
            length_penalty: 1.0,
        },
        _ => Search::Greedy,
    };
    let text = std::fs::read_to_string(text).expect("a text");
    let lines: Vec<&str> = text.lines().take(lines).collect();
    let listed = translations(pair, false, &lines, search);
    let whole = translations(pair, true, &lines, search);
    let mut differing = 0;
    for ((line, listed), whole) in lines.iter().zip(&listed).zip(&whole) {
        if listed != whole {
            println!("{line}\n  with:    {listed}\n  without: {whole}");
            differing += 1;
        }
    }
    println!("{pair}: {differing} of {} sentences differ", lines.len());
}

fn translations(pair: &str, whole: bool, lines: &[&str], search: Search) -> Vec<String> {
    let model = models::installed(&format!("bergamot-{pair}"));
    let options = MarianOptions {
        whole_vocabulary: whole,
        ..MarianOptions::default()
    };
    let pair = pair.parse().expect("a pair such as en-pt");
    let mut model = MarianTranslator::load_with(model.folder(), pair, &options).unwrap();
    let translated = lines.iter().map(|line| {
        let request = TranslationRequest {
            source: (*line).to_owned(),
            search,
            ..TranslationRequest::default()
        };
        model.translate(&request).unwrap().text
    });
    translated.collect()
}
