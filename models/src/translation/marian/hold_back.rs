//! Ends a translation where the source so far does not settle it yet: AlignAtt (Papi, Turchi and
//! Negri 2023), with whole words.

use super::{
    pieces::{begins_word, text},
    search::Row,
};
use crate::translation::strongest;

/// Knows which source tokens are too late to be relied on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Watch {
    /// The first of them.
    held: usize,
}

impl Watch {
    /// Watches the last `words` words of a source of these pieces (without the end of sentence).
    /// What has no letter or digit is part of the word before it.
    pub(super) fn new(pieces: &[String], words: usize) -> Self {
        let mut held = pieces.len();
        let mut left = words;
        let mut is_word = false;
        for (index, piece) in pieces.iter().enumerate().rev() {
            if left == 0 {
                break;
            }
            is_word |= text(piece).chars().any(char::is_alphanumeric);
            if is_word && begins_word(piece) {
                (held, is_word) = (index, false);
                left -= 1;
            }
        }
        Self {
            held: if left > 0 { 0 } else { held },
        }
    }

    /// Whether a token chosen with this attention (over the source, end of sentence included)
    /// depends most on a token that is too late.
    pub(super) fn is_early(&self, attention: &[f32]) -> bool {
        strongest(attention).is_none_or(|token| token >= self.held)
    }
}

/// What the tokens of the target vocabulary do to words.
pub(super) struct Words {
    kinds: Vec<Kind>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Kind {
    /// Begins a word.
    begins: bool,
    /// Letters and digits in it.
    letters: usize,
    /// Only the space before a word that no piece begins.
    space: bool,
    /// Its last character is a digit: a comma or full stop may go on with the number.
    digit: bool,
    /// Ends a sentence.
    full_stop: bool,
    /// May follow a full stop within the sentence: quotes and brackets.
    quote: bool,
    /// May follow a whole word without making another word of it.
    apart: bool,
}

impl Kind {
    fn of(piece: &str) -> Self {
        let text = text(piece);
        let all = |of: &str| !text.is_empty() && text.chars().all(|c| of.contains(c));
        let begins = begins_word(piece);
        Self {
            begins,
            space: begins && text.is_empty(),
            letters: text.chars().filter(|c| c.is_alphanumeric()).count(),
            digit: text.ends_with(char::is_numeric),
            full_stop: all(".!?…。！？"),
            quote: all("\"»”)]"),
            apart: begins || all(".!?…。！？\"»”)],;:%"),
        }
    }
}

impl Words {
    /// `pieces` by token number.
    pub(super) fn new(pieces: &[String]) -> Self {
        Self {
            kinds: pieces.iter().map(|piece| Kind::of(piece)).collect(),
        }
    }

    fn kind(&self, token: u32) -> Kind {
        self.kinds.get(token as usize).copied().unwrap_or_default()
    }

    /// Whether a token begins a word.
    pub(super) fn begins(&self, token: u32) -> bool {
        self.kind(token).begins
    }

    /// How many letters and digits a token has.
    pub(super) fn letters(&self, token: u32) -> usize {
        self.kind(token).letters
    }

    /// Whether a token is only the space before a word.
    pub(super) fn is_space(&self, token: u32) -> bool {
        self.kind(token).space
    }

    /// Rules out tokens that would go on with the word before; `end` is the end of sentence.
    pub(super) fn keep_apart(&self, end: u32, row: &mut Row) {
        for (&token, score) in row.tokens.iter().zip(&mut row.log_probabilities) {
            if !self.kind(token).apart && token != end {
                *score = f32::NEG_INFINITY;
            }
        }
    }

    /// How many of `tokens` make whole words, without a full stop at the end. `next` is the token
    /// that would have followed, where that is known; `end` is the end of sentence.
    pub(super) fn whole(&self, tokens: &[u32], next: Option<u32>, end: u32) -> usize {
        let begins = |token| token == end || self.begins(token);
        let number = tokens.last().is_some_and(|&last| self.kind(last).digit);
        let mut settled =
            next.is_some_and(|next| begins(next) || (self.kind(next).apart && !number));
        let mut whole = tokens.len();
        while !settled && whole > 0 {
            whole -= 1;
            settled = begins(tokens[whole]);
        }
        let mut kept = whole;
        while kept > 0 {
            let quotes = tokens[..kept]
                .iter()
                .rev()
                .take_while(|&&token| self.kind(token).quote)
                .count();
            match tokens[..kept - quotes].last() {
                Some(&token) if self.kind(token).full_stop => kept -= quotes + 1,
                _ => break,
            }
        }
        kept
    }
}
