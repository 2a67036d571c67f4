//! A target that may go on.

use std::sync::Arc;

use super::{Hypothesis, Limits, Row};
use crate::translation::marian::terms::Terms;

pub(super) struct Live<S> {
    pub(super) found: Hypothesis,
    /// Sum of the log probabilities since the prefix.
    pub(super) sum: f32,
    /// None while the decoder reads on in it.
    pub(super) state: Option<S>,
    pub(super) next: Row,
    pub(super) terms: Terms,
}

impl<S> Live<S> {
    /// The target that is as long as `prefix`, which `state` has read; `row` came of it.
    pub(super) fn new(prefix: &[u32], state: S, mut row: Row, limits: &Limits<'_>) -> Self {
        let last = row.attention.pop();
        let attention = std::mem::replace(&mut row.attention, last.into_iter().collect());
        if limits.whole_words && !prefix.is_empty() {
            limits.words.keep_apart(limits.end, &mut row);
        }
        let mut terms = limits.terms.clone();
        terms.read(prefix, &attention);
        Self {
            found: Hypothesis {
                tokens: prefix.to_vec(),
                log_probabilities: vec![0.0; prefix.len()],
                attention,
                said: Vec::new(),
            },
            sum: 0.0,
            state: Some(state),
            next: row,
            terms,
        }
    }

    /// Where the decoder looked for the next token.
    pub(super) fn attention(&self) -> Arc<[f32]> {
        self.next.attention.last().cloned().unwrap_or_default()
    }

    /// The token that a term wants next, where one is being said or the best next one would begin to.
    pub(super) fn wanted(&mut self, best: u32, limits: &Limits<'_>) -> Option<u32> {
        let attention = self.attention();
        let first = self.found.tokens.is_empty();
        self.terms.wanted(best, &attention, first, limits.words)
    }

    /// Takes what came of reading the token that was chosen last.
    pub(super) fn read(&mut self, state: S, mut row: Row, limits: &Limits<'_>) {
        if self.terms.just_said() {
            limits.words.keep_apart(limits.end, &mut row);
        }
        self.state = Some(state);
        self.next = row;
    }

    /// What is found, with the terms it says.
    pub(super) fn hypothesis(&self) -> Hypothesis {
        Hypothesis {
            said: self.terms.said(),
            ..self.found.clone()
        }
    }
}
