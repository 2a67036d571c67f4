//! Scores of the next target token, from the network.

use std::sync::Arc;

use candle_core::{Result, Tensor};

use super::{
    network::{Decoded, Network, Read, Source},
    search::{Begun, NextToken, Row},
};

/// Scores next tokens for one encoded source.
pub(super) struct DecoderScores<'model> {
    network: &'model Network,
    source: Source,
    start: u32,
    never: [u32; 2],
}

impl<'model> DecoderScores<'model> {
    /// `start` is the token each target begins with, `never` are tokens that no translation may
    /// hold: padding, and the unknown piece (as in Marian itself).
    pub(super) fn new(
        network: &'model Network,
        source: Source,
        start: u32,
        never: [u32; 2],
    ) -> Self {
        Self {
            network,
            source,
            start,
            never,
        }
    }

    fn log_probabilities(&self, hidden: &Tensor) -> Result<Vec<Vec<f32>>> {
        let mut rows = self.network.logits(hidden)?.to_vec2()?;
        for row in &mut rows {
            for &id in &self.never {
                if let Some(score) = row.get_mut(id as usize) {
                    *score = f32::NEG_INFINITY;
                }
            }
            log_softmax(row);
        }
        Ok(rows)
    }
}

fn attention(decoded: &Decoded) -> Result<Vec<Arc<[f32]>>> {
    let rows: Vec<Vec<f32>> = decoded.attention.to_vec2()?;
    Ok(rows.into_iter().map(Arc::from).collect())
}

impl NextToken for DecoderScores<'_> {
    type State = Read;
    type Error = candle_core::Error;

    fn begin(&mut self, prefix: &[u32]) -> Result<Begun<Read>> {
        let tokens: Vec<u32> = std::iter::once(self.start)
            .chain(prefix.iter().copied())
            .collect();
        let (state, decoded) = self.network.begin(&self.source, &tokens)?;
        let mut attention = attention(&decoded)?;
        // The output layer is most of a row's work, and nobody asks for the prefix's scores.
        let last = decoded.hidden.narrow(0, prefix.len(), 1)?;
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
        Ok(std::iter::zip(scores, attention(&decoded)?)
            .map(|(log_probabilities, attention)| Row {
                log_probabilities,
                attention,
            })
            .collect())
    }
}

fn log_softmax(row: &mut [f32]) {
    let highest = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let sum: f32 = row.iter().map(|score| (score - highest).exp()).sum();
    let norm = highest + sum.ln();
    for score in row {
        *score -= norm;
    }
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
