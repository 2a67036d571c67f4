//! Greedy and beam search over target tokens.

use std::sync::Arc;

use super::{
    hold_back::{Watch, Words},
    repetition::RepetitionGuard,
};
use crate::translation::Search;

/// The decoder's view of the next token.
pub(super) struct Row {
    /// Of all tokens.
    pub(super) log_probabilities: Vec<f32>,
    /// Over the source tokens.
    pub(super) attention: Arc<[f32]>,
}

/// A decoder that has read a prefix.
pub(super) struct Begun<S> {
    pub(super) state: S,
    /// The attention that came with each of the prefix's tokens.
    pub(super) prefix: Vec<Arc<[f32]>>,
    pub(super) next: Row,
}

/// What a search asks of a decoder.
pub(super) trait NextToken {
    /// What the decoder remembers of a target so far; cheap to clone.
    type State: Clone;
    type Error;

    /// Reads `prefix`.
    fn begin(&mut self, prefix: &[u32]) -> Result<Begun<Self::State>, Self::Error>;

    /// Reads one more token into each state and tells what comes after each.
    fn advance(
        &mut self,
        states: &mut [Self::State],
        tokens: &[u32],
    ) -> Result<Vec<Row>, Self::Error>;
}

/// Where a search ends.
pub(super) struct Limits<'a> {
    /// The token that ends a sentence.
    pub(super) end: u32,
    /// Most tokens of a target, the end included.
    pub(super) most: usize,
    /// Ends targets that repeat themselves.
    pub(super) guard: RepetitionGuard,
    /// Ends greedy search before what the source so far cannot settle.
    pub(super) watch: Option<Watch>,
    /// Where words begin, if what is found must follow the prefix as whole words.
    pub(super) words: Option<&'a Words>,
}

impl Limits<'_> {
    fn must_end(&self, tokens: &[u32]) -> bool {
        tokens.len() + 1 >= self.most || self.guard.is_stuck(tokens)
    }
}

/// A target, without its end: three lists of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Hypothesis {
    pub(super) tokens: Vec<u32>,
    /// 0 for the tokens of the prefix: they were forced.
    pub(super) log_probabilities: Vec<f32>,
    /// Over the source tokens, where each token was chosen.
    pub(super) attention: Vec<Arc<[f32]>>,
}

impl Hypothesis {
    fn push(&mut self, token: u32, log_probability: f32, attention: Arc<[f32]>) {
        self.tokens.push(token);
        self.log_probabilities.push(log_probability);
        self.attention.push(attention);
    }

    fn truncate(&mut self, tokens: usize) {
        self.tokens.truncate(tokens);
        self.log_probabilities.truncate(tokens);
        self.attention.truncate(tokens);
    }
}

/// Finds the target that begins with `prefix`.
pub(super) fn search<D: NextToken>(
    decoder: &mut D,
    prefix: &[u32],
    how: Search,
    limits: &Limits<'_>,
) -> Result<Hypothesis, D::Error> {
    let Begun {
        state,
        prefix: attention,
        mut next,
    } = decoder.begin(prefix)?;
    if let Some(words) = limits.words {
        words.keep_apart(prefix, limits.end, &mut next.log_probabilities);
    }
    let start = Live {
        found: Hypothesis {
            tokens: prefix.to_vec(),
            log_probabilities: vec![0.0; prefix.len()],
            attention,
        },
        sum: 0.0,
        state,
        next,
    };
    let mut found = match how {
        _ if limits.watch.is_some() => greedy(decoder, start, limits)?,
        Search::Greedy => greedy(decoder, start, limits)?,
        Search::Beam {
            width,
            length_penalty,
        } => beam(decoder, start, width.max(1), length_penalty, limits)?,
    };
    let kept = limits.guard.kept(&found.tokens).max(prefix.len());
    found.truncate(kept);
    Ok(found)
}

/// A target that may go on.
struct Live<S> {
    found: Hypothesis,
    /// Sum of the log probabilities since the prefix.
    sum: f32,
    state: S,
    next: Row,
}

fn greedy<D: NextToken>(
    decoder: &mut D,
    mut live: Live<D::State>,
    limits: &Limits<'_>,
) -> Result<Hypothesis, D::Error> {
    let prefix = live.found.tokens.len();
    // What would have come next: unknown where the target had to end.
    let mut refused = None;
    while !limits.must_end(&live.found.tokens) {
        let Some((token, log_probability)) = best(&live.next.log_probabilities, 1).pop() else {
            break;
        };
        let early = |watch: &Watch| watch.is_early(&live.next.attention);
        if token == limits.end || limits.watch.as_ref().is_some_and(early) {
            refused = Some(token);
            break;
        }
        let attention = std::mem::take(&mut live.next.attention);
        live.found.push(token, log_probability, attention);
        let states = std::slice::from_mut(&mut live.state);
        let Some(next) = decoder.advance(states, &[token])?.pop() else {
            break;
        };
        live.next = next;
    }
    if limits.watch.is_some()
        && let Some(words) = limits.words
    {
        let tokens = &live.found.tokens;
        let whole = words.whole(&tokens[prefix..], refused, limits.end);
        live.found.truncate(prefix + whole);
    }
    Ok(live.found)
}

/// Beam search as Hugging Face Transformers does it with `early_stopping=False`: a target's score
/// is its log probability, the end included, divided by its number of tokens, the end included, to
/// the power of `length_penalty`. A forced prefix counts in neither.
fn beam<D: NextToken>(
    decoder: &mut D,
    start: Live<D::State>,
    width: usize,
    length_penalty: f32,
    limits: &Limits<'_>,
) -> Result<Hypothesis, D::Error> {
    let prefix = start.found.tokens.len();
    // For a model so broken that it gives no token any probability.
    let fallback = start.found.clone();
    let mut live = vec![start];
    let mut finished: Vec<(f32, Hypothesis)> = Vec::new();
    let mut length: u16 = 0;
    while let Some(longest) = live.first() {
        debug_assert_eq!(longest.found.tokens.len(), prefix + usize::from(length));
        length = length.saturating_add(1);
        let divisor = f32::from(length).powf(length_penalty);
        let mut next = Vec::with_capacity(width);
        for (rank, candidate) in candidates(&live, width, limits).into_iter().enumerate() {
            if candidate.token != limits.end {
                next.push(candidate);
            } else if rank < width {
                let found = live[candidate.parent].found.clone();
                finished.push((candidate.sum / divisor, found));
            }
            if next.len() == width {
                break;
            }
        }
        finished.sort_by(|a, b| b.0.total_cmp(&a.0));
        finished.truncate(width);
        let attainable = next.first().map(|candidate| candidate.sum / divisor);
        let worst = finished.get(width - 1).map(|finished| finished.0);
        if let (Some(attainable), Some(worst)) = (attainable, worst)
            && worst >= attainable
        {
            break;
        }
        live = extend(decoder, &live, &next)?;
    }
    Ok(finished
        .into_iter()
        .next()
        .map_or(fallback, |(_, found)| found))
}

/// One more token for one of the live targets.
struct Candidate {
    parent: usize,
    token: u32,
    log_probability: f32,
    sum: f32,
}

/// The `2 * width` best continuations of all live targets, best first: enough for `width` that go
/// on even if as many end.
fn candidates<S>(live: &[Live<S>], width: usize, limits: &Limits<'_>) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    for (parent, target) in live.iter().enumerate() {
        let tokens = if limits.must_end(&target.found.tokens) {
            vec![(
                limits.end,
                target.next.log_probabilities[limits.end as usize],
            )]
        } else {
            let mut tokens = best(&target.next.log_probabilities, 2 * width);
            tokens.retain(|(_, log_probability)| log_probability.is_finite());
            tokens
        };
        all.extend(
            tokens
                .into_iter()
                .map(|(token, log_probability)| Candidate {
                    parent,
                    token,
                    log_probability,
                    sum: target.sum + log_probability,
                }),
        );
    }
    all.sort_by(|a, b| b.sum.total_cmp(&a.sum));
    all.truncate(2 * width);
    all
}

fn extend<D: NextToken>(
    decoder: &mut D,
    live: &[Live<D::State>],
    next: &[Candidate],
) -> Result<Vec<Live<D::State>>, D::Error> {
    if next.is_empty() {
        return Ok(Vec::new());
    }
    let tokens: Vec<u32> = next.iter().map(|candidate| candidate.token).collect();
    let mut states: Vec<D::State> = next
        .iter()
        .map(|candidate| live[candidate.parent].state.clone())
        .collect();
    let rows = decoder.advance(&mut states, &tokens)?;
    Ok(std::iter::zip(next, std::iter::zip(states, rows))
        .map(|(candidate, (state, next))| {
            let parent = &live[candidate.parent];
            let mut found = parent.found.clone();
            let attention = Arc::clone(&parent.next.attention);
            found.push(candidate.token, candidate.log_probability, attention);
            Live {
                found,
                sum: candidate.sum,
                state,
                next,
            }
        })
        .collect())
}

/// The `count` most probable tokens of a row, best first; at equal probability the lower number.
fn best(row: &[f32], count: usize) -> Vec<(u32, f32)> {
    let mut best: Vec<(u32, f32)> = Vec::with_capacity(count + 1);
    for (token, &score) in (0_u32..).zip(row) {
        if best.len() == count && best.last().is_some_and(|worst| score <= worst.1) {
            continue;
        }
        let rank = best.partition_point(|better| better.1 >= score);
        best.insert(rank, (token, score));
        best.truncate(count);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const END: u32 = 0;

    /// Probabilities by the last token: of the end, of 1, of 2, of 3.
    struct Chain([[f32; 4]; 4]);

    impl NextToken for Chain {
        type State = ();
        type Error = std::convert::Infallible;

        fn begin(&mut self, prefix: &[u32]) -> Result<Begun<()>, Self::Error> {
            let last = prefix.last().copied().unwrap_or(END);
            Ok(Begun {
                state: (),
                prefix: prefix.iter().map(|_| Arc::default()).collect(),
                next: self.row(last),
            })
        }

        fn advance(&mut self, _: &mut [()], tokens: &[u32]) -> Result<Vec<Row>, Self::Error> {
            Ok(tokens.iter().map(|&token| self.row(token)).collect())
        }
    }

    impl Chain {
        fn row(&self, last: u32) -> Row {
            let probabilities = self.0[last as usize];
            Row {
                log_probabilities: probabilities.iter().map(|p| p.ln()).collect(),
                attention: Arc::default(),
            }
        }
    }

    fn limits() -> Limits<'static> {
        Limits {
            end: END,
            most: 12,
            guard: RepetitionGuard::new(&[5, 6, 7, END]),
            watch: None,
            words: None,
        }
    }

    /// The likelier first token (1) leads to unlikely ends; 2 ends with certainty.
    fn trap() -> Chain {
        Chain([
            [0.0, 0.6, 0.4, 0.0],
            [0.35, 0.0, 0.3, 0.35],
            [1.0, 0.0, 0.0, 0.0],
            [1.0, 0.0, 0.0, 0.0],
        ])
    }

    fn beam_of(width: usize, length_penalty: f32) -> Search {
        Search::Beam {
            width,
            length_penalty,
        }
    }

    #[test]
    fn greedy_takes_the_likeliest_token() {
        let found = search(&mut trap(), &[], Search::Greedy, &limits()).unwrap();
        assert_eq!(found.tokens, [1]);
        assert!((found.log_probabilities[0] - 0.6_f32.ln()).abs() < 1e-6);
    }

    #[test]
    fn beam_finds_the_likelier_sentence() {
        let found = search(&mut trap(), &[], beam_of(2, 0.0), &limits()).unwrap();
        assert_eq!(found.tokens, [2], "0.4 beats 0.6 x 0.35");
    }

    #[test]
    fn length_penalty_favours_longer_targets() {
        // 2: ln 0.4 / 2 = -0.458; 1 3: ln 0.21 / 3 = -0.520; with exponent 2: -0.229, -0.173.
        let found = search(&mut trap(), &[], beam_of(3, 2.0), &limits()).unwrap();
        assert_eq!(found.tokens, [1, 3]);
    }

    #[test]
    fn prefix_is_kept_and_does_not_sway_the_search() {
        for how in [Search::Greedy, beam_of(3, 0.0)] {
            let found = search(&mut trap(), &[1, 2], how, &limits()).unwrap();
            assert_eq!(found.tokens, [1, 2]);
            assert_eq!(found.log_probabilities, [0.0, 0.0], "forced");
            assert_eq!(found.attention.len(), 2);
        }
    }

    #[test]
    fn endless_targets_end() {
        let mut endless = Chain([[0.0, 1.0, 0.0, 0.0]; 4]);
        for how in [Search::Greedy, beam_of(2, 1.0)] {
            let found = search(&mut endless, &[], how, &limits()).unwrap();
            assert_eq!(found.tokens, [1], "one copy of what repeats");
            assert_eq!(found.log_probabilities.len(), 1);
        }
        // 1 2 3 1 2 3 ...: caught by length before it is caught as a loop.
        let mut cycle = Chain([
            [0.0, 1.0, 0.0, 0.0],
            [0.0, 0.0, 1.0, 0.0],
            [0.0, 0.0, 0.0, 1.0],
            [0.0, 1.0, 0.0, 0.0],
        ]);
        let found = search(&mut cycle, &[], Search::Greedy, &limits()).unwrap();
        assert_eq!(found.tokens.len(), 11);
    }

    #[test]
    fn best_sorts_and_keeps_the_first_of_equals() {
        let row = [0.1, 0.5, 0.5, 0.2];
        assert_eq!(best(&row, 3), [(1, 0.5), (2, 0.5), (3, 0.2)]);
    }
}
