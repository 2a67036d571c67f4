//! Scores of the next target token, from candle's Marian decoder.

use candle_core::{Device, IndexOp, Result, Tensor};
use candle_transformers::models::marian::Decoder;

use super::{search::NextToken, weights::Weights};

/// Scores next tokens for one encoded source.
pub(super) struct DecoderScores<'model> {
    weights: &'model mut Weights,
    memory: Tensor,
    start: u32,
    never: [u32; 2],
}

/// A decoder that has read some target tokens. Cloning shares the cached tensors.
#[derive(Clone)]
pub(super) struct Read {
    decoder: Decoder,
    tokens: usize,
}

impl<'model> DecoderScores<'model> {
    /// `memory` is the encoder's output, `start` the token each target begins with, `never` are
    /// tokens that no translation may hold: padding, and the unknown piece (as in Marian itself).
    pub(super) fn new(
        weights: &'model mut Weights,
        memory: Tensor,
        start: u32,
        never: [u32; 2],
    ) -> Self {
        Self {
            weights,
            memory,
            start,
            never,
        }
    }

    /// Decoder output for `tokens`, which follow what `read` holds: [tokens, width].
    fn feed(&self, read: &mut Read, tokens: &[u32]) -> Result<Tensor> {
        let input = Tensor::new(tokens, self.memory.device())?.unsqueeze(0)?;
        let mask = causal_mask(tokens.len(), self.memory.device())?;
        let hidden = read
            .decoder
            .forward(&input, Some(&self.memory), read.tokens, &mask)?;
        read.tokens += tokens.len();
        hidden.i(0)
    }

    /// Log probabilities after each row of `hidden`.
    fn log_probabilities(&self, hidden: &Tensor) -> Result<Vec<Vec<f32>>> {
        let mut rows = self.weights.logits(hidden)?.to_vec2()?;
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

impl NextToken for DecoderScores<'_> {
    type State = Read;
    type Error = candle_core::Error;

    fn begin(&mut self, prefix: &[u32]) -> Result<(Read, Vec<Vec<f32>>)> {
        let mut read = Read {
            decoder: self.weights.decoder(),
            tokens: 0,
        };
        let tokens: Vec<u32> = std::iter::once(self.start)
            .chain(prefix.iter().copied())
            .collect();
        let hidden = self.feed(&mut read, &tokens)?;
        Ok((read, self.log_probabilities(&hidden)?))
    }

    fn advance(&mut self, states: &mut [Read], tokens: &[u32]) -> Result<Vec<Vec<f32>>> {
        // One by one through the layers (candle's caches cannot be reordered as a batch), but
        // together through the output layer, more than half of a step's memory traffic.
        let hidden = std::iter::zip(states, tokens)
            .map(|(state, &token)| self.feed(state, &[token]))
            .collect::<Result<Vec<_>>>()?;
        self.log_probabilities(&Tensor::cat(&hidden, 0)?)
    }
}

/// Each of `tokens` new positions sees itself and what came before.
fn causal_mask(tokens: usize, device: &Device) -> Result<Tensor> {
    let mask: Vec<f32> = (0..tokens)
        .flat_map(|row| {
            (0..tokens).map(move |column| if column > row { f32::NEG_INFINITY } else { 0.0 })
        })
        .collect();
    Tensor::from_vec(mask, (tokens, tokens), device)
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
