//! What holds of any translation, by any model that loads.

use interpret_models::translation::{
    Glossary, HoldBack, MarianTranslator, Search, TranslationRequest, Translator as _,
};

use crate::Input;

/// Longest text: the search costs a step for each token, whatever the model.
const MOST_BYTES: usize = 100;

/// Translates what is left of the input, in a way that its next bytes choose.
pub(crate) fn check(mut model: MarianTranslator, mut input: Input<'_>) {
    let (how, prefix) = (input.byte(), input.byte());
    let committed_prefix = (0..prefix % 4)
        .map(|_| u32::from(input.byte() % 16))
        .collect();
    let text = String::from_utf8_lossy(input.rest());
    let end = text.floor_char_boundary(MOST_BYTES);
    let source = text[..end].to_owned();
    let glossary = (how & 4 != 0).then(|| Glossary::parse("a\tb c\nb\n").expect("terms").into());
    let translated = model.translate(&TranslationRequest {
        source: source.clone(),
        committed_prefix,
        search: match how & 1 {
            0 => Search::Greedy,
            _ => Search::Beam {
                width: usize::from(how >> 4) + 1,
                length_penalty: 1.0,
            },
        },
        hold_back: (how & 2 != 0).then_some(HoldBack { words: 1 }),
        whole_words: how & 2 != 0,
        glossary,
        n_best: usize::from(how >> 6),
    });
    let Ok(translation) = translated else { return };
    for span in &translation.source_spans {
        assert!(source.get(span.clone()).is_some(), "{span:?} of {source:?}");
    }
    for token in &translation.tokens {
        let looked = token
            .attention
            .as_ref()
            .map_or(translation.source_tokens, Vec::len);
        assert_eq!(looked, translation.source_tokens);
    }
}
