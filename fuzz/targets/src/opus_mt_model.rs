//! An OPUS-MT model's folder: refused, or it translates. Its weights as they are, or in bytes.

use interpret_models::{
    convert::marian_to_bytes,
    translation::{MarianOptions, MarianTranslator, Precision},
};

use crate::{Input, Scratch, joined, models, translating};

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let how = input.byte();
    let options = MarianOptions {
        precision: if how & 1 == 0 {
            Precision::Q8
        } else {
            Precision::F32
        },
        alignment_layers: vec![usize::from(how >> 4)],
        ..MarianOptions::default()
    };
    let folder = Scratch::new();
    let pieces = input.piece();
    for (name, bytes) in [
        ("source.spm", pieces),
        ("target.spm", pieces),
        ("vocab.json", input.piece()),
        ("config.json", input.piece()),
    ] {
        folder.put(name, bytes);
    }
    let in_bytes = folder.path().join("model.q8.safetensors");
    if how & 2 == 0 {
        folder.put("model.q8.safetensors", input.piece());
    } else {
        let full = folder.put("model.safetensors", input.piece());
        if how & 4 == 0 && marian_to_bytes(&full, &in_bytes, &mut |_| ()).is_err() {
            assert!(!in_bytes.exists(), "an error leaves no file");
            return;
        }
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
    let each = [0, 2, 3, 7].map(|how| {
        let (pieces, vocabulary, configuration) = (
            models::sentence_pieces(),
            models::vocabulary(),
            models::configuration(),
        );
        let weights = models::opus_mt(how & 2 == 0);
        let files = [
            &pieces,
            vocabulary.as_bytes(),
            configuration.as_bytes(),
            &weights,
        ];
        [&[how], &joined(&files)[..], &[how, 1, 2], b"a b. c"].concat()
    });
    each.into()
}
