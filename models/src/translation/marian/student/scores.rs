//! Scores of the next target token, from a student.

use std::sync::Arc;

use candle_core::Result;

use super::{StudentNetwork, StudentSource, ssru::Cell};
use crate::translation::marian::{
    network::Rows,
    scores::log_probabilities,
    search::{Decoder, Row},
};

/// A target, as far as the decoder has read it.
#[derive(Clone)]
pub(in crate::translation::marian) struct StudentState {
    source: Arc<StudentSource>,
    /// A layer each.
    cells: Vec<Cell>,
    /// Tokens read, the start included.
    tokens: usize,
}

/// What came of a token that was read.
struct Answer {
    hidden: Vec<f32>,
    attention: Arc<[f32]>,
}

impl StudentNetwork {
    /// Reads one token (none: the start) into each of some states.
    fn step(&self, states: &mut [(&mut StudentState, Option<u32>)]) -> Result<Vec<Answer>> {
        let mut rows = Rows::zeros(states.len(), self.shape.width);
        for (row, (state, token)) in rows.iter_mut().zip(states.iter()) {
            self.embed(*token, state.tokens, row)?;
        }
        let mut weights = Vec::new();
        for (index, layer) in self.decoder.iter().enumerate() {
            let (mut sources, mut cells) = (Vec::new(), Vec::new());
            for (state, _) in states.iter_mut() {
                let StudentState {
                    source, cells: all, ..
                } = &mut **state;
                sources.push(&source.layers[index]);
                cells.push(&mut all[index]);
            }
            let attended = layer.forward(&rows, &sources, &mut cells)?;
            rows = attended.output;
            // The last layer's is what was trained to tell the alignment.
            weights = attended.weights;
        }
        for (state, _) in states {
            state.tokens += 1;
        }
        let answers = rows.iter().zip(weights).map(|(hidden, weights)| Answer {
            hidden: hidden.to_vec(),
            attention: weights.into(),
        });
        Ok(answers.collect())
    }

    fn row(&self, source: &StudentSource, hidden: Vec<f32>) -> Result<Row> {
        let scores = source
            .output
            .forward(&Rows::new(hidden, self.shape.width))?;
        Ok(Row {
            tokens: Arc::clone(&source.candidates),
            log_probabilities: log_probabilities(scores.numbers()),
            attention: Vec::new(),
        })
    }
}

impl Decoder for StudentNetwork {
    type State = StudentState;
    type Error = candle_core::Error;

    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<StudentState>> {
        let sources = Self::encode(self, sources)?.into_iter();
        let unread = sources.map(|source| StudentState {
            source: Arc::new(source),
            cells: vec![vec![0.0; self.shape.width]; self.decoder.len()],
            tokens: 0,
        });
        Ok(unread.collect())
    }

    /// A recurrent decoder reads one token after the other, those of all states side by side.
    fn read(&self, states: &mut [StudentState], tokens: &[Vec<u32>]) -> Result<Vec<Row>> {
        let mut left: Vec<_> = states
            .iter()
            .zip(tokens)
            .map(|(state, tokens)| {
                let start = (state.tokens == 0).then_some(None);
                start.into_iter().chain(tokens.iter().copied().map(Some))
            })
            .collect();
        let mut attention: Vec<Vec<Arc<[f32]>>> = vec![Vec::new(); states.len()];
        let mut hidden: Vec<Vec<f32>> = vec![Vec::new(); states.len()];
        loop {
            let (mut which, mut some) = (Vec::new(), Vec::new());
            for (index, (state, left)) in states.iter_mut().zip(&mut left).enumerate() {
                if let Some(token) = left.next() {
                    which.push(index);
                    some.push((state, token));
                }
            }
            if some.is_empty() {
                break;
            }
            for (index, answer) in which.into_iter().zip(self.step(&mut some)?) {
                attention[index].push(answer.attention);
                hidden[index] = answer.hidden;
            }
        }
        let each = states.iter().zip(hidden).zip(attention);
        let rows = each.map(|((state, hidden), attention)| {
            let row = self.row(&state.source, hidden)?;
            Ok(Row { attention, ..row })
        });
        rows.collect()
    }
}
