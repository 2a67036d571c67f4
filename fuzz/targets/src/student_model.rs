//! A student's folder (model.bin, lex.bin, vocab.spm): refused, or it translates.

use interpret_models::translation::{MarianOptions, MarianTranslator};

use crate::{Input, Scratch, joined, models, translating};

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let options = MarianOptions {
        whole_vocabulary: input.byte() & 1 == 1,
        ..MarianOptions::default()
    };
    let folder = Scratch::new();
    for name in ["model.bin", "lex.bin", "vocab.spm"] {
        folder.put(name, input.piece());
    }
    let pair = "en-fr".parse().expect("a pair");
    if let Ok(model) = MarianTranslator::load_with(folder.path(), pair, &options) {
        translating::check(model, input);
    }
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let (model, list, pieces) = (
        models::student(),
        models::shortlist(),
        models::sentence_pieces(),
    );
    let files = joined(&[&model, &list, &pieces]);
    vec![
        [&[0], &files[..], &[0, 0], b"a b. c"].concat(),
        [&[1], &files[..], &[3, 2, 1, 4], "a \u{e9} a".as_bytes()].concat(),
    ]
}
