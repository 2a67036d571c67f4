//! Scores of the next target token, from the network.

use std::sync::Arc;

use candle_core::Result;

use super::{
    network::{Decoded, Network, Read, Rows, Source, exp},
    search::{Begun, NextToken, Row},
};

/// Scores next tokens for one encoded source.
pub(super) struct DecoderScores<'model> {
    network: &'model Network,
    source: Source,
    start: u32,
    never: &'model [u32],
}

impl<'model> DecoderScores<'model> {
    /// `start` is the token each target begins with, `never` are tokens that no translation may hold.
    pub(super) fn new(
        network: &'model Network,
        source: Source,
        start: u32,
        never: &'model [u32],
    ) -> Self {
        Self {
            network,
            source,
            start,
            never,
        }
    }

    fn log_probabilities(&self, hidden: &Rows) -> Result<Vec<Vec<f32>>> {
        let logits = self.network.logits(hidden)?;
        let mut rows: Vec<Vec<f32>> = logits.iter().map(<[f32]>::to_vec).collect();
        for row in &mut rows {
            for &id in self.never {
                if let Some(score) = row.get_mut(id as usize) {
                    *score = f32::NEG_INFINITY;
                }
            }
            log_softmax(row);
        }
        Ok(rows)
    }
}

fn attention(decoded: &Decoded) -> Vec<Arc<[f32]>> {
    decoded.attention.iter().map(Arc::from).collect()
}

impl NextToken for DecoderScores<'_> {
    type State = Read;
    type Error = candle_core::Error;

    fn begin(&mut self, prefix: &[u32]) -> Result<Begun<Read>> {
        let tokens: Vec<u32> = std::iter::once(self.start)
            .chain(prefix.iter().copied())
            .collect();
        let (state, decoded) = self.network.begin(&self.source, &tokens)?;
        let mut attention = attention(&decoded);
        // The output layer is most of a row's work, and nobody asks for the prefix's scores.
        let last = decoded.hidden.last();
        let next = Row {
            log_probabilities: self.log_probabilities(&last)?.pop().unwrap_or_default(),
            attention: attention.pop().unwrap_or_default(),
        };
        Ok(Begun {
            state,
            prefix: attention,
            next,
        })
    }

    fn advance(&mut self, states: &mut [Read], tokens: &[u32]) -> Result<Vec<Row>> {
        let decoded = self.network.advance(&self.source, states, tokens)?;
        let scores = self.log_probabilities(&decoded.hidden)?;
        Ok(std::iter::zip(scores, attention(&decoded))
            .map(|(log_probabilities, attention)| Row {
                log_probabilities,
                attention,
            })
            .collect())
    }
}

pub(super) fn log_softmax(row: &mut [f32]) {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum = sum_of_exponentials(row, highest);
    let norm = highest + sum.ln();
    for score in row {
        *score -= norm;
    }
}

/// Sum of `e^(score - highest)`, in several sums side by side, which a compiler turns into vectors.
fn sum_of_exponentials(row: &[f32], highest: f32) -> f32 {
    const LANES: usize = 8;
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
    fn log_softmax_sums_to_one_and_leaves_masked_tokens_out() {
        let mut row = [1000.0, f32::NEG_INFINITY, 1000.0];
        log_softmax(&mut row);
        assert!((row[0] - 0.5_f32.ln()).abs() < 1e-4, "{row:?}");
        assert_eq!(row[1], f32::NEG_INFINITY);
    }
}
