//! Text that arrives in pieces: how it is cut makes no difference, and no word is lost.

use interpret_models::{
    synthesis::clauses::clauses,
    translation::sentences::{Sentence, SentenceSplitter},
};

use crate::Input;

const LANGUAGES: [&str; 4] = ["en", "fr", "pt", "ja"];

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let language = input.one_of(&LANGUAGES).parse().expect("a language");
    let longest = usize::from(input.byte() % 32);
    let steps = input.byte();
    let text = String::from_utf8_lossy(input.rest());
    let splitter = || SentenceSplitter::new(language).with_longest(longest);

    let mut whole = splitter();
    let expected = [whole.push(&text), whole.pause()].concat();
    let mut pieces = splitter();
    let mut sentences = Vec::new();
    let mut from = 0;
    for step in (1..).map(|step: usize| step * usize::from(steps % 7) % 5 + 1) {
        let to = text.ceil_char_boundary((from + step).min(text.len()));
        sentences.extend(pieces.push(&text[from..to]));
        from = to;
        if from == text.len() {
            break;
        }
    }
    sentences.extend(pieces.pause());
    assert_eq!(sentences, expected, "pieces make no difference");
    let mut past = 0;
    for Sentence {
        text: said,
        start,
        end,
    } in &sentences
    {
        assert_eq!(text.get(*start..*end), Some(said.as_str()));
        assert!(text[past..*start].trim().is_empty(), "nothing is lost");
        assert_eq!(clauses(said).concat(), *said, "clauses are the sentence");
        past = *end;
    }
    assert!(text[past..].trim().is_empty(), "nothing is lost");
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |header: [u8; 3], text: &str| [&header, text.as_bytes()].concat();
    vec![
        seed(
            [0, 8, 1],
            "At Apple Inc. It is 3.5 p.m. “Why?” he said, and Dr. No left… U.S. Senate",
        ),
        seed(
            [1, 8, 2],
            "« Bonjour ! » dit M. Dupont, 52 av. J.-C. Voilà ; fin",
        ),
        seed([3, 8, 3], "これは。それは！はい"),
    ]
}
