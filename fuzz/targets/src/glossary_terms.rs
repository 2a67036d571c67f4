//! A glossary's file, and its terms in a text: each character of the marked text comes from somewhere in
//! the source.

use interpret_models::{fuzzing::marked, translation::Glossary};

use crate::{Input, joined};

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let terms = String::from_utf8_lossy(input.piece());
    let source = String::from_utf8_lossy(input.rest());
    let Ok(glossary) = Glossary::parse(&terms) else {
        return;
    };
    assert_eq!(
        Glossary::new(glossary.entries().to_vec()).as_ref(),
        Ok(&glossary)
    );
    let marked = marked(&glossary, &source);
    let (mut in_source, mut in_text) = (0, 0);
    for (from, to) in &marked.places {
        let between = source.get(in_source..from.start);
        assert!(between.is_some(), "places are in order, between characters");
        assert_eq!(
            between,
            marked.text.get(in_text..to.start),
            "the rest stays as it is"
        );
        assert!(
            source
                .get(from.clone())
                .is_some_and(|term| !term.is_empty())
        );
        (in_source, in_text) = (from.end, to.end);
    }
    assert_eq!(source.get(in_source..), marked.text.get(in_text..));
    for origin in marked.origins {
        assert!(
            source.get(origin.clone()).is_some(),
            "{origin:?} of {source:?}"
        );
    }
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed =
        |terms: &str, source: &str| [&joined(&[terms.as_bytes()]), source.as_bytes()].concat();
    vec![
        seed(
            "chat\tcat\nconseil d'administration\tBoard\nUS\n",
            "Le Conseil d’administration et le CHAT, US",
        ),
        seed(
            "# terms\niPhone\nİstanbul\tIstanbul\nß\tss\n",
            "Un iphone, İSTANBUL ẞ",
        ),
    ]
}
