//! What was said, in pairs of source and translation, newest last.

use std::collections::VecDeque;

use super::super::{Line, Transcript};
use crate::session::Received;

/// Most pairs that are kept: no terminal shows more.
const MOST_PAIRS: usize = 500;

/// A source sentence and its translations.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Pair {
    pub(super) source: String,
    /// Each with its language.
    pub(super) translations: Vec<(String, String)>,
}

/// Final sentences, and the open one.
#[derive(Debug, Default)]
pub(super) struct History {
    transcript: Transcript,
    pairs: VecDeque<Pair>,
}

impl History {
    /// Takes an event; returns a notice, if it is one.
    pub(super) fn take(&mut self, received: &Received) -> Option<String> {
        let mut note = None;
        for line in self.transcript.take(received) {
            match line {
                Line::Source { text, .. } => {
                    if self.pairs.len() == MOST_PAIRS {
                        self.pairs.pop_front();
                    }
                    self.pairs.push_back(Pair {
                        source: text,
                        translations: Vec::new(),
                    });
                }
                Line::Translation { language, text, .. } => {
                    if let Some(pair) = self.pairs.back_mut() {
                        pair.translations.push((language, text));
                    }
                }
                Line::Notice(text) => note = Some(text),
            }
        }
        note
    }

    pub(super) fn pairs(&self) -> impl DoubleEndedIterator<Item = &Pair> {
        self.pairs.iter()
    }

    /// The open sentence: committed and tentative source, and for each language committed and
    /// tentative translation.
    pub(super) fn open(&self) -> (&str, &str, impl Iterator<Item = (&str, &str, &str)>) {
        let transcript = &self.transcript;
        let translations = transcript.open.iter().map(|open| {
            (
                open.language.as_str(),
                open.committed.as_str(),
                open.tentative.as_str(),
            )
        });
        (
            &transcript.source,
            &transcript.source_tentative,
            translations,
        )
    }

    pub(super) fn lag_ms(&self) -> Option<i64> {
        self.transcript.lag_ms
    }
}
