//! Scores of the next target token, from the network.

use std::sync::Arc;

use candle_core::Result;
use multiversion::multiversion;

use super::{
    network::{Network, Read, exp, highest},
    search::{Decoder, Row},
};

impl Decoder for Network {
    type State = Read;
    type Error = candle_core::Error;

    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Read>> {
        Self::encode(self, sources)
    }

    fn read(&self, states: &mut [Read], tokens: &[Vec<u32>]) -> Result<Vec<Row>> {
        let (decoded, counts) = self.decode(states, tokens)?;
        // The output layer is most of a row's work, and only what comes after the last token is asked for.
        let mut end = 0;
        let last = counts.iter().map(|count| {
            end += count;
            end - 1
        });
        let scores = self.scores(&decoded.hidden.pick(last))?;
        let mut attention = decoded.attention.into_iter().map(Arc::from);
        let rows = scores.iter().zip(counts).map(|(scores, count)| Row {
            tokens: Arc::clone(self.targets()),
            log_probabilities: log_probabilities(scores),
            attention: attention.by_ref().take(count).collect(),
        });
        Ok(rows.collect())
    }
}

/// Scores before softmax as logarithms of probabilities.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
pub(super) fn log_probabilities(scores: &[f32]) -> Vec<f32> {
    let highest = highest(scores);
    let norm = highest + sum_of_exponentials(scores, highest).ln();
    scores.iter().map(|score| score - norm).collect()
}

/// Sum of `e^(score - highest)`, in several sums side by side, which a compiler turns into vectors.
#[inline(always)]
fn sum_of_exponentials(row: &[f32], highest: f32) -> f32 {
    const LANES: usize = 16;
    let mut sums = [0.0_f32; LANES];
    let (wide, rest) = row.as_chunks::<LANES>();
    for scores in wide {
        for lane in 0..LANES {
            sums[lane] += exp(scores[lane] - highest);
        }
    }
    let rest: f32 = rest.iter().map(|score| exp(score - highest)).sum();
    sums.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_sum_to_one_and_masked_tokens_have_none() {
        let row = log_probabilities(&[1000.0, f32::NEG_INFINITY, 1000.0]);
        assert!((row[0] - 0.5_f32.ln()).abs() < 1e-4, "{row:?}");
        assert_eq!(row[1], f32::NEG_INFINITY);
    }
}
