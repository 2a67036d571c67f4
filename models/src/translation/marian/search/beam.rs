//! Beam search as Hugging Face Transformers does it with `early_stopping=False`: a target's score is its
//! log probability, the end included, divided by its number of tokens, the end included, to the power of
//! the length penalty. Forced tokens, of the prefix or of terms, count for no probability, and those of
//! the prefix for no length.

use super::{Asked, Found, Hypothesis, Limits, Next, Ranked, Row, live::Live};

pub(super) struct Beam<S> {
    width: usize,
    length_penalty: f32,
    /// Tokens of the prefix.
    prefix: usize,
    live: Vec<Live<S>>,
    /// The next tokens of live ones, in the order in which they were asked for.
    chosen: Vec<Candidate>,
    /// Targets that ended, best first: at most as many as `width`.
    finished: Vec<Ranked>,
    /// Tokens since the prefix.
    length: u16,
    /// For a model so broken that it gives no token any probability.
    fallback: Hypothesis,
}

/// One more token for one of the live targets.
struct Candidate {
    parent: usize,
    token: u32,
    log_probability: f32,
    sum: f32,
}

impl<S: Clone> Beam<S> {
    pub(super) fn new(start: Live<S>, prefix: usize, width: usize, length_penalty: f32) -> Self {
        Self {
            width,
            length_penalty,
            prefix,
            fallback: start.hypothesis(),
            live: vec![start],
            chosen: Vec::new(),
            finished: Vec::new(),
            length: 0,
        }
    }

    /// `answers` are what came of the tokens asked for last; none at first.
    pub(super) fn go_on(&mut self, answers: Vec<(S, Row)>, limits: &Limits<'_>) -> Next<S> {
        if !self.chosen.is_empty() {
            self.extend(answers, limits);
        }
        if self.live.is_empty() || self.is_over(limits) {
            let ranked = std::mem::take(&mut self.finished);
            let best = ranked.first().map(|ranked| &ranked.hypothesis);
            return Next::Found(Found {
                best: best.unwrap_or(&self.fallback).clone(),
                ranked,
            });
        }
        let asked = self.chosen.iter().filter_map(|candidate| {
            let state = self.live[candidate.parent].state.clone()?;
            let tokens = vec![candidate.token];
            Some(Asked { state, tokens })
        });
        Next::Ask(asked.collect())
    }

    /// Chooses the next tokens; whether none can lead to a better target than those that ended.
    fn is_over(&mut self, limits: &Limits<'_>) -> bool {
        let width = self.width;
        self.length = self.length.saturating_add(1);
        let divisor = f32::from(self.length).powf(self.length_penalty);
        self.chosen.clear();
        for (rank, candidate) in self.candidates(limits).into_iter().enumerate() {
            if candidate.token != limits.end {
                self.chosen.push(candidate);
            } else if rank < width {
                self.finished.push(Ranked {
                    score: candidate.sum / divisor,
                    hypothesis: self.live[candidate.parent].hypothesis(),
                });
            }
            if self.chosen.len() == width {
                break;
            }
        }
        self.finished.sort_by(|a, b| b.score.total_cmp(&a.score));
        self.finished.truncate(width);
        let attainable = self.chosen.first().map(|best| best.sum / divisor);
        let worst = self.finished.get(width - 1).map(|finished| finished.score);
        match (attainable, worst) {
            (Some(attainable), Some(worst)) => worst >= attainable,
            (attainable, _) => attainable.is_none(),
        }
    }

    /// The `2 * width` best continuations of all live targets, best first: enough for `width` that go
    /// on even if as many end.
    fn candidates(&mut self, limits: &Limits<'_>) -> Vec<Candidate> {
        let mut all: Vec<Candidate> = Vec::new();
        for (parent, target) in self.live.iter_mut().enumerate() {
            debug_assert_eq!(
                target.found.tokens.len() + 1,
                self.prefix + usize::from(self.length)
            );
            for (token, log_probability) in continuations(target, self.width, limits) {
                all.push(Candidate {
                    parent,
                    token,
                    log_probability,
                    sum: target.sum + log_probability,
                });
            }
        }
        all.sort_by(|a, b| b.sum.total_cmp(&a.sum));
        all.truncate(2 * self.width);
        all
    }

    /// The chosen tokens become the ends of live targets.
    fn extend(&mut self, answers: Vec<(S, Row)>, limits: &Limits<'_>) {
        let chosen = std::mem::take(&mut self.chosen);
        let live = chosen.into_iter().zip(answers);
        let live = live.map(|(candidate, (state, row))| {
            let parent = &self.live[candidate.parent];
            let mut next = Live {
                found: parent.found.clone(),
                sum: candidate.sum,
                state: None,
                next: Row::default(),
                terms: parent.terms.clone(),
            };
            let attention = parent.attention();
            next.found
                .push(candidate.token, candidate.log_probability, attention);
            next.read(state, row, limits);
            next
        });
        self.live = live.collect();
    }
}

/// How a target may go on, each token with its log probability.
fn continuations<S>(target: &mut Live<S>, width: usize, limits: &Limits<'_>) -> Vec<(u32, f32)> {
    if limits.must_end(&target.found.tokens) {
        return vec![(limits.end, target.next.log_probability(limits.end))];
    }
    let mut best = target.next.best(2 * width);
    best.retain(|(_, log_probability)| log_probability.is_finite());
    let wanted = best
        .first()
        .and_then(|(token, _)| target.wanted(*token, limits));
    wanted.map_or(best, |wanted| vec![(wanted, 0.0)])
}
