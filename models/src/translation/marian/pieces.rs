//! SentencePiece pieces as text.

use sentencepiece_rs::SPACE_SYMBOL;

/// Whether a piece begins a word: it has a space before it.
pub(super) fn begins_word(piece: &str) -> bool {
    piece.starts_with(SPACE_SYMBOL)
}

/// A piece without the space before it.
pub(super) fn text(piece: &str) -> &str {
    piece.trim_start_matches(SPACE_SYMBOL)
}
