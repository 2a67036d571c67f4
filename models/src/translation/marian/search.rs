//! Greedy and beam search over target tokens.

use super::repetition::RepetitionGuard;
use crate::translation::Search;

/// Log probabilities of all tokens: one row a position.
pub(super) type Rows = Vec<Vec<f32>>;

/// What a search asks of a decoder.
pub(super) trait NextToken {
    /// What the decoder remembers of a target so far; cheap to clone.
    type State: Clone;
    type Error;

    /// Reads `prefix` and returns the log probabilities of all tokens at each of its positions and
    /// after it: `prefix.len() + 1` rows.
    fn begin(&mut self, prefix: &[u32]) -> Result<(Self::State, Rows), Self::Error>;

    /// Reads one more token into each state and returns the log probabilities after each.
    fn advance(&mut self, states: &mut [Self::State], tokens: &[u32]) -> Result<Rows, Self::Error>;
}

/// Where a search ends.
pub(super) struct Limits {
    /// The token that ends a sentence.
    pub(super) end: u32,
    /// Most tokens of a target, the end included.
    pub(super) most: usize,
    /// Ends targets that repeat themselves.
    pub(super) guard: RepetitionGuard,
}

impl Limits {
    fn must_end(&self, tokens: &[u32]) -> bool {
        tokens.len() + 1 >= self.most || self.guard.is_stuck(tokens)
    }
}

/// A target, without its end.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hypothesis {
    pub(super) tokens: Vec<u32>,
    pub(super) log_probabilities: Vec<f32>,
}

/// Finds the target that begins with `prefix`.
pub(super) fn search<D: NextToken>(
    decoder: &mut D,
    prefix: &[u32],
    how: Search,
    limits: &Limits,
) -> Result<Hypothesis, D::Error> {
    let (state, mut rows) = decoder.begin(prefix)?;
    let row = rows.pop().unwrap_or_default();
    let start = Live {
        found: Hypothesis {
            tokens: prefix.to_vec(),
            log_probabilities: std::iter::zip(prefix, &rows)
                .map(|(&token, row)| row[token as usize])
                .collect(),
        },
        sum: 0.0,
        state,
        row,
    };
    let mut found = match how {
        Search::Greedy => greedy(decoder, start, limits)?,
        Search::Beam {
            width,
            length_penalty,
        } => beam(decoder, start, width.max(1), length_penalty, limits)?,
    };
    let kept = limits.guard.kept(&found.tokens).max(prefix.len());
    found.tokens.truncate(kept);
    found.log_probabilities.truncate(kept);
    Ok(found)
}

/// A target that may go on.
struct Live<S> {
    found: Hypothesis,
    /// Sum of the log probabilities since the prefix.
    sum: f32,
    state: S,
    /// Log probabilities of the next token.
    row: Vec<f32>,
}

fn greedy<D: NextToken>(
    decoder: &mut D,
    mut live: Live<D::State>,
    limits: &Limits,
) -> Result<Hypothesis, D::Error> {
    while !limits.must_end(&live.found.tokens) {
        let Some((token, log_probability)) = best(&live.row, 1).pop() else {
            break;
        };
        if token == limits.end {
            break;
        }
        live.found.tokens.push(token);
        live.found.log_probabilities.push(log_probability);
        let states = std::slice::from_mut(&mut live.state);
        live.row = decoder.advance(states, &[token])?.pop().unwrap_or_default();
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
    limits: &Limits,
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
fn candidates<S>(live: &[Live<S>], width: usize, limits: &Limits) -> Vec<Candidate> {
    let mut all: Vec<Candidate> = Vec::new();
    for (parent, target) in live.iter().enumerate() {
        let tokens = if limits.must_end(&target.found.tokens) {
            vec![(limits.end, target.row[limits.end as usize])]
        } else {
            let mut tokens = best(&target.row, 2 * width);
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
        .map(|(candidate, (state, row))| {
            let mut found = live[candidate.parent].found.clone();
            found.tokens.push(candidate.token);
            found.log_probabilities.push(candidate.log_probability);
            Live {
                found,
                sum: candidate.sum,
                state,
                row,
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

        fn begin(&mut self, prefix: &[u32]) -> Result<((), Vec<Vec<f32>>), Self::Error> {
            let tokens: Vec<u32> = std::iter::once(0).chain(prefix.iter().copied()).collect();
            let mut states = vec![(); tokens.len()];
            Ok(((), self.advance(&mut states, &tokens)?))
        }

        fn advance(&mut self, _: &mut [()], tokens: &[u32]) -> Result<Vec<Vec<f32>>, Self::Error> {
            Ok(tokens
                .iter()
                .map(|&token| self.0[token as usize].iter().map(|p| p.ln()).collect())
                .collect())
        }
    }

    fn limits() -> Limits {
        Limits {
            end: END,
            most: 12,
            guard: RepetitionGuard::new(&[5, 6, 7, END]),
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
    fn prefix_is_kept_and_scored_but_does_not_sway_the_search() {
        for how in [Search::Greedy, beam_of(3, 0.0)] {
            let found = search(&mut trap(), &[1, 2], how, &limits()).unwrap();
            assert_eq!(found.tokens, [1, 2]);
            assert!((found.log_probabilities[1] - 0.3_f32.ln()).abs() < 1e-6);
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
