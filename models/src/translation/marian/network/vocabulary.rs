//! The shared vocabulary: tokens as rows, and rows as scores of tokens.

use std::sync::Arc;

use candle_core::{Error, Result};

use super::{linear::Weight, rows::Rows};

/// One matrix for both. The tokens that a target may hold come first in it, so that the output layer,
/// the largest of all, is computed for them only: half of an OPUS-MT vocabulary is the source's.
pub(super) struct Vocabulary {
    /// [vocabulary, width], reordered.
    table: Weight,
    /// For each token, its place in the table.
    places: Vec<usize>,
    /// The tokens of a target, in the table's order, which is theirs.
    targets: Arc<[u32]>,
    /// Added to their scores.
    bias: Vec<f32>,
}

impl Vocabulary {
    /// `table` is [vocabulary, width], `bias` [vocabulary]. `in_target` tells of each token whether a
    /// target may hold it.
    pub(super) fn new(
        table: &Weight,
        bias: &[f32],
        in_target: &dyn Fn(usize) -> bool,
    ) -> Result<Self> {
        let tokens = 0..u32::try_from(bias.len()).map_err(Error::wrap)?;
        let (targets, others): (Vec<u32>, Vec<u32>) =
            tokens.partition(|token| in_target(*token as usize));
        let order: Vec<u32> = targets.iter().chain(&others).copied().collect();
        let mut places = vec![0; bias.len()];
        for (place, token) in order.iter().enumerate() {
            places[*token as usize] = place;
        }
        Ok(Self {
            table: table.select(&order)?,
            places,
            bias: targets.iter().map(|token| bias[*token as usize]).collect(),
            targets: targets.into(),
        })
    }

    /// The tokens that a target may hold, in order.
    pub(super) fn targets(&self) -> &Arc<[u32]> {
        &self.targets
    }

    /// The row of a token: [width].
    pub(super) fn embedding(&self, token: u32) -> Result<Vec<f32>> {
        let place = self.places.get(token as usize);
        let place = place.ok_or_else(|| Error::Msg(format!("there is no token {token}")))?;
        self.table.row(*place)
    }

    /// Scores of the tokens of a target, before softmax: [rows, width] to [rows, targets].
    pub(super) fn scores(&self, hidden: &Rows) -> Result<Rows> {
        self.table.product(hidden, &self.bias)
    }
}
