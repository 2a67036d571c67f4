//! Greedy search: the most probable token at each step.

use super::{Asked, Hypothesis, Limits, Next, Row, live::Live};

pub(super) struct Greedy<S> {
    live: Live<S>,
    /// Tokens of the prefix.
    prefix: usize,
}

impl<S> Greedy<S> {
    pub(super) fn new(start: Live<S>, prefix: usize) -> Self {
        Self {
            live: start,
            prefix,
        }
    }

    /// `answer` is what came of the token chosen last; none at first.
    pub(super) fn go_on(&mut self, answer: Option<(S, Row)>, limits: &Limits<'_>) -> Next<S> {
        if let Some((state, row)) = answer {
            self.live.read(state, row, limits);
        }
        let live = &mut self.live;
        if limits.must_end(&live.found.tokens) {
            // What would have come next is unknown.
            return Next::Found(self.found(None, limits).into());
        }
        let Some((token, log_probability)) = live.next.likeliest() else {
            return Next::Found(self.found(None, limits).into());
        };
        let saying = live.terms.is_saying();
        let early = limits.watch.as_ref();
        if !saying && early.is_some_and(|watch| watch.is_early(&live.attention())) {
            return Next::Found(self.found(Some(token), limits).into());
        }
        let (token, log_probability) = match live.wanted(token, limits) {
            Some(wanted) => (wanted, 0.0),
            None if token == limits.end => {
                return Next::Found(self.found(Some(token), limits).into());
            }
            None => (token, log_probability),
        };
        let attention = live.attention();
        live.found.push(token, log_probability, attention);
        let asked = live.state.take().map(|state| Asked {
            state,
            tokens: vec![token],
        });
        Next::Ask(asked.into_iter().collect())
    }

    /// What is found; `refused` would have come next.
    fn found(&self, refused: Option<u32>, limits: &Limits<'_>) -> Hypothesis {
        let mut found = self.live.hypothesis();
        if limits.watch.is_some() {
            let tokens = &found.tokens[self.prefix..];
            let whole = limits.words.whole(tokens, refused, limits.end);
            found.truncate(self.prefix + whole);
        }
        found
    }
}
