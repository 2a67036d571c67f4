//! Scores of the next target token, from a student.

use std::sync::Arc;

use candle_core::Result;

use super::{StudentNetwork, StudentSource, ssru::Cell};
use crate::translation::marian::{
    network::Rows,
    scores::log_softmax,
    search::{Begun, NextToken, Row},
};

/// Scores next tokens for one encoded source.
pub(in crate::translation::marian) struct StudentScores<'model> {
    network: &'model StudentNetwork,
    source: StudentSource,
    /// Tokens that no translation may hold.
    never: &'model [u32],
}

/// What the decoder remembers of a target.
#[derive(Clone)]
pub(in crate::translation::marian) struct StudentState {
    /// A layer each.
    cells: Vec<Cell>,
    tokens: usize,
}

impl<'model> StudentScores<'model> {
    pub(in crate::translation::marian) fn new(
        network: &'model StudentNetwork,
        source: StudentSource,
        never: &'model [u32],
    ) -> Self {
        Self {
            network,
            source,
            never,
        }
    }

    /// Reads one token into each state (none: the beginning): hidden rows, and where each looked.
    fn step(
        &self,
        states: &mut [StudentState],
        tokens: &[Option<u32>],
    ) -> Result<(Rows, Vec<Arc<[f32]>>)> {
        let mut rows = Rows::zeros(tokens.len(), self.network.shape.width);
        for ((row, token), state) in rows.iter_mut().zip(tokens).zip(states.iter()) {
            self.network.embed(*token, state.tokens, row)?;
        }
        let mut attention = Vec::new();
        for (index, (layer, memory)) in
            std::iter::zip(&self.network.decoder, &self.source.layers).enumerate()
        {
            let mut cells: Vec<&mut Cell> = states
                .iter_mut()
                .filter_map(|state| state.cells.get_mut(index))
                .collect();
            let attended = layer.forward(&rows, memory, &mut cells)?;
            rows = attended.output;
            // The last layer's is what was trained to tell the alignment.
            attention = attended.weights.iter().map(Arc::from).collect();
        }
        for state in states {
            state.tokens += 1;
        }
        Ok((rows, attention))
    }

    /// Log probabilities of all tokens; minus infinity for all but the candidates.
    fn log_probabilities(&self, hidden: &Rows) -> Result<Vec<Vec<f32>>> {
        let mut scores = self.source.output.forward(hidden)?;
        let candidates = &self.source.candidates;
        let rows = scores.iter_mut().map(|scores| {
            for token in self.never {
                if let Ok(place) = candidates.binary_search(token) {
                    scores[place] = f32::NEG_INFINITY;
                }
            }
            log_softmax(scores);
            let mut all = vec![f32::NEG_INFINITY; self.network.vocabulary()];
            for (token, score) in candidates.iter().zip(scores) {
                all[*token as usize] = *score;
            }
            all
        });
        Ok(rows.collect())
    }
}

impl NextToken for StudentScores<'_> {
    type State = StudentState;
    type Error = candle_core::Error;

    fn begin(&mut self, prefix: &[u32]) -> Result<Begun<StudentState>> {
        let width = self.network.shape.width;
        let mut state = StudentState {
            cells: vec![vec![0.0; width]; self.network.decoder.len()],
            tokens: 0,
        };
        let mut attention = Vec::new();
        let mut hidden = Rows::zeros(1, width);
        for token in std::iter::once(None).chain(prefix.iter().copied().map(Some)) {
            let (rows, looked) = self.step(std::slice::from_mut(&mut state), &[token])?;
            hidden = rows;
            attention.extend(looked);
        }
        let next = Row {
            log_probabilities: self.log_probabilities(&hidden)?.pop().unwrap_or_default(),
            attention: attention.pop().unwrap_or_default(),
        };
        Ok(Begun {
            state,
            prefix: attention,
            next,
        })
    }

    fn advance(&mut self, states: &mut [StudentState], tokens: &[u32]) -> Result<Vec<Row>> {
        let tokens: Vec<Option<u32>> = tokens.iter().copied().map(Some).collect();
        let (hidden, attention) = self.step(states, &tokens)?;
        let scores = self.log_probabilities(&hidden)?;
        Ok(std::iter::zip(scores, attention)
            .map(|(log_probabilities, attention)| Row {
                log_probabilities,
                attention,
            })
            .collect())
    }
}
