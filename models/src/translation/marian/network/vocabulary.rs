//! The shared vocabulary: tokens as rows, and rows as scores of tokens.

use std::sync::Arc;

use candle_core::{Error, Result};

use super::{linear::Weight, rows::Rows};
use crate::translation::marian::weights::At;

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
    /// Reads the table [tokens, width] and the bias. `in_target` tells of each token whether a target may
    /// hold it.
    pub(super) fn read(
        (tokens, width): (usize, usize),
        in_target: &dyn Fn(usize) -> bool,
        root: &At<'_>,
    ) -> Result<Self> {
        let all = 0..u32::try_from(tokens).map_err(Error::wrap)?;
        let (targets, others): (Vec<u32>, Vec<u32>) =
            all.partition(|token| in_target(*token as usize));
        let order: Vec<u32> = targets.iter().chain(&others).copied().collect();
        let mut places = vec![0; tokens];
        for (place, token) in order.iter().enumerate() {
            places[*token as usize] = place;
        }
        let table = root.at("model.shared").reordered("weight", &order, width)?;
        let bias = root.numbers("final_logits_bias", tokens)?;
        Ok(Self {
            table,
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
