//! Greedy and beam search over target tokens, for one sentence or several at once.
//!
//! Each sentence has a [`Course`], which says what the decoder is to read next and goes on from its
//! answer. [`run`] has the decoder read for all courses together: it reads its weights from memory once
//! for all of them.

mod beam;
mod found;
mod greedy;
mod live;

use std::sync::Arc;

pub(super) use self::found::{Found, Hypothesis};
use self::{beam::Beam, found::Ranked, greedy::Greedy, live::Live};
use super::{
    hold_back::{Watch, Words},
    network::highest,
    repetition::RepetitionGuard,
    terms::Terms,
};
use crate::translation::Search;

/// The decoder's view of the next token.
#[derive(Default)]
pub(super) struct Row {
    /// The tokens it may be, in order.
    pub(super) tokens: Arc<[u32]>,
    /// Of each of them.
    pub(super) log_probabilities: Vec<f32>,
    /// Over the source tokens, at each token that was read. (Attention at a token belongs to the next
    /// one, which was chosen by it.)
    pub(super) attention: Vec<Arc<[f32]>>,
}

impl Row {
    /// The log probability of a token; minus infinity where it may not come next.
    fn log_probability(&self, token: u32) -> f32 {
        let place = self.tokens.binary_search(&token).ok();
        let score = place.and_then(|place| self.log_probabilities.get(place));
        score.copied().unwrap_or(f32::NEG_INFINITY)
    }

    /// The most probable token; at equal probability the lower number.
    fn likeliest(&self) -> Option<(u32, f32)> {
        let best = highest(&self.log_probabilities);
        let place = self
            .log_probabilities
            .iter()
            .position(|score| *score == best)?;
        Some((*self.tokens.get(place)?, best))
    }

    /// The `count` most probable tokens, best first; at equal probability the lower number.
    fn best(&self, count: usize) -> Vec<(u32, f32)> {
        let mut best: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
        for (&token, &score) in self.tokens.iter().zip(&self.log_probabilities) {
            if best.len() == count && best.last().is_some_and(|worst| score <= worst.1) {
                continue;
            }
            let rank = best.partition_point(|better| better.1 >= score);
            best.insert(rank, (token, score));
            best.truncate(count);
        }
        best
    }
}

/// What a search asks of a model.
pub(super) trait Decoder {
    /// A source, and its target as far as it was read; reading on leaves clones as they are.
    type State: Clone;
    type Error;

    /// Encodes sources, each with its end of sentence. Nothing of their targets is read.
    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Self::State>, Self::Error>;

    /// Reads on in each state's target, and tells what comes next in each. `tokens` are a state's next
    /// ones: none at first, where the target has just begun, else at least one.
    fn read(
        &self,
        states: &mut [Self::State],
        tokens: &[Vec<u32>],
    ) -> Result<Vec<Row>, Self::Error>;
}

/// Where a search ends, and what it must find.
pub(super) struct Limits<'a> {
    /// The token that ends a sentence.
    pub(super) end: u32,
    /// Most tokens of a target, the end included.
    pub(super) most: usize,
    /// Ends targets that repeat themselves.
    pub(super) guard: RepetitionGuard,
    /// Ends greedy search before what the source so far cannot settle.
    pub(super) watch: Option<Watch>,
    /// Whether what is found must follow the prefix as whole words.
    pub(super) whole_words: bool,
    /// What the tokens do to words.
    pub(super) words: &'a Words,
    /// Terms that are to be rendered in a given way.
    pub(super) terms: Terms,
}

impl Limits<'_> {
    fn must_end(&self, tokens: &[u32]) -> bool {
        tokens.len() + 1 >= self.most || self.guard.is_stuck(tokens)
    }
}

/// The search for one target.
pub(super) struct Course<'a, S> {
    prefix: Vec<u32>,
    limits: Limits<'a>,
    way: Way<S>,
}

enum Way<S> {
    /// The prefix is not read yet.
    Unread {
        state: S,
        how: Search,
    },
    Greedy(Greedy<S>),
    Beam(Beam<S>),
}

/// What is to be read next, in one state.
struct Asked<S> {
    state: S,
    tokens: Vec<u32>,
}

/// A search goes on, or is over.
enum Next<S> {
    /// What it must know.
    Ask(Vec<Asked<S>>),
    Found(Found),
}

impl<'a, S: Clone> Course<'a, S> {
    /// Looks for a target that begins with `prefix`; `state` is that of its source, unread.
    pub(super) fn new(state: S, prefix: Vec<u32>, how: Search, limits: Limits<'a>) -> Self {
        Self {
            prefix,
            limits,
            way: Way::Unread { state, how },
        }
    }

    fn begin(&self) -> Option<Asked<S>> {
        match &self.way {
            Way::Unread { state, .. } => Some(Asked {
                state: state.clone(),
                tokens: self.prefix.clone(),
            }),
            Way::Greedy(_) | Way::Beam(_) => None,
        }
    }

    /// Goes on with what came of what it asked for last.
    fn go_on(&mut self, mut answers: Vec<(S, Row)>) -> Next<S> {
        if let Way::Unread { how, .. } = &self.way {
            let how = *how;
            let Some((state, row)) = answers.pop() else {
                return Next::Found(Hypothesis::default().into());
            };
            let start = Live::new(&self.prefix, state, row, &self.limits);
            self.way = match how {
                Search::Beam {
                    width,
                    length_penalty,
                } if self.limits.watch.is_none() => Way::Beam(Beam::new(
                    start,
                    self.prefix.len(),
                    width.max(1),
                    length_penalty,
                )),
                _ => Way::Greedy(Greedy::new(start, self.prefix.len())),
            };
        }
        let next = match &mut self.way {
            Way::Greedy(greedy) => greedy.go_on(answers.pop(), &self.limits),
            Way::Beam(beam) => beam.go_on(answers, &self.limits),
            Way::Unread { .. } => Next::Found(Hypothesis::default().into()),
        };
        match next {
            Next::Found(mut found) => {
                let ranked = found.ranked.iter_mut().map(|ranked| &mut ranked.hypothesis);
                for target in std::iter::once(&mut found.best).chain(ranked) {
                    let kept = self.limits.guard.kept(&target.tokens);
                    target.truncate(kept.max(self.prefix.len()));
                }
                Next::Found(found)
            }
            asked @ Next::Ask(_) => asked,
        }
    }
}

/// A course, its index, and what it wants to be read.
struct Going<'a, S> {
    index: usize,
    course: Course<'a, S>,
    asked: Vec<Asked<S>>,
}

/// Follows all courses to their ends, and tells what each one finds, by its index, as soon as it is over.
pub(super) fn run<D: Decoder>(
    decoder: &D,
    courses: Vec<Course<'_, D::State>>,
    mut found: impl FnMut(usize, Found),
) -> Result<(), D::Error> {
    let begun = courses.into_iter().enumerate();
    let mut going: Vec<Going<'_, D::State>> = begun
        .map(|(index, course)| Going {
            asked: course.begin().into_iter().collect(),
            index,
            course,
        })
        .collect();
    while !going.is_empty() {
        let counts: Vec<usize> = going.iter().map(|going| going.asked.len()).collect();
        let asked = going.iter_mut().flat_map(|going| going.asked.drain(..));
        let (mut states, tokens): (Vec<D::State>, Vec<Vec<u32>>) =
            asked.map(|asked| (asked.state, asked.tokens)).unzip();
        let rows = decoder.read(&mut states, &tokens)?;
        let mut answers = states.into_iter().zip(rows);
        let mut still = Vec::with_capacity(going.len());
        for (mut going, count) in going.into_iter().zip(counts) {
            match going.course.go_on(answers.by_ref().take(count).collect()) {
                Next::Ask(asked) => still.push(Going { asked, ..going }),
                Next::Found(all) => found(going.index, all),
            }
        }
        going = still;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
