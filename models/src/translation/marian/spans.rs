//! Where in the source text its tokens come from.

use std::ops::Range;

use super::pieces::{begins_word, text as piece_text};
use crate::translation::words;

/// The byte range in `text` of each of `pieces`: that of the word it belongs to, and for the end
/// of sentence, which has no piece, an empty one at the end of the text. `count` tells how many
/// words of pieces a word of the text makes; normalisation may join or part words.
pub(super) fn spans(
    text: &str,
    pieces: &[String],
    count: impl Fn(&str) -> usize,
) -> Vec<Range<usize>> {
    let words = words(text);
    let mut spans = Vec::with_capacity(pieces.len() + 1);
    let total = pieces.iter().filter(|piece| begins_word(piece)).count();
    let counted: Vec<Range<usize>> = words
        .iter()
        .flat_map(|word| std::iter::repeat_n(word.clone(), count(&text[word.clone()])))
        .collect();
    let mut begun: usize = 0;
    for piece in pieces {
        begun += usize::from(begins_word(piece));
        let index = begun.saturating_sub(1);
        let span = if counted.len() == total {
            counted.get(index)
        } else {
            // In proportion.
            words.get(index * words.len() / total.max(1))
        };
        spans.push(span.or(words.last()).cloned().unwrap_or(0..text.len()));
    }
    spans.push(text.len()..text.len());
    spans
}

/// The byte range in `text` of each of `pieces`, as exactly as can be told: where normalisation left a
/// word as it was, of the piece alone, else of its word. `spans` are those of the words.
pub(super) fn of_pieces(
    text: &str,
    pieces: &[String],
    spans: &[Range<usize>],
) -> Vec<Range<usize>> {
    let mut exact = Vec::with_capacity(pieces.len());
    let mut pieces = pieces
        .iter()
        .map(|piece| piece_text(piece))
        .zip(spans)
        .peekable();
    while let Some((first, span)) = pieces.next() {
        let mut word = vec![first];
        while let Some((piece, _)) = pieces.next_if(|(_, other)| *other == span) {
            word.push(piece);
        }
        let same = text.get(span.clone()) == Some(word.concat().as_str());
        let mut from = span.start;
        exact.extend(word.into_iter().map(|piece| {
            let to = from + piece.len();
            let bytes = if same { from..to } else { span.clone() };
            from = to;
            bytes
        }));
    }
    exact
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(of: &str) -> Vec<String> {
        of.split(' ').map(str::to_owned).collect()
    }

    fn texts<'a>(text: &'a str, spans: &[Range<usize>]) -> Vec<&'a str> {
        spans.iter().map(|span| &text[span.clone()]).collect()
    }

    #[test]
    fn each_piece_has_its_word() {
        let text = "Il  pleut\u{a0}!";
        let found = spans(text, &pieces("▁Il ▁p le ut ▁!"), |_| 1);
        assert_eq!(
            texts(text, &found),
            ["Il", "pleut", "pleut", "pleut", "!", ""]
        );
    }

    #[test]
    fn words_that_part_or_vanish_do_not_shift_the_others() {
        let text = "a\u{b4}b \u{200b} c";
        let found = spans(text, &pieces("▁a ▁ b ▁c"), |word| match word {
            "\u{200b}" => 0,
            "c" => 1,
            _ => 2,
        });
        assert_eq!(
            texts(text, &found),
            ["a\u{b4}b", "a\u{b4}b", "a\u{b4}b", "c", ""]
        );
    }

    #[test]
    fn unknown_counts_are_shared_out() {
        let text = "a b c d";
        let found = spans(text, &pieces("▁a ▁b"), |_| 1);
        assert_eq!(texts(text, &found), ["a", "c", ""]);
    }

    proptest! {
        #[test]
        fn any_text_and_pieces_give_ordered_ranges_of_the_text(
            text in "\\PC{0,30}",
            pieces in prop::collection::vec("▁?\\PC{0,3}", 0..20),
            count in 0_usize..3,
        ) {
            let found = spans(&text, &pieces, |_| count);
            prop_assert_eq!(found.len(), pieces.len() + 1);
            for span in &found {
                prop_assert!(text.get(span.clone()).is_some());
            }
            prop_assert!(found.is_sorted_by_key(|span| span.start));
        }
    }
}
