//! The shared vocabulary: tokens as rows, and rows as scores of tokens.

use candle_core::{Error, Result};

use super::{linear::Weight, rows::Rows};

/// One matrix for both. The tokens that a target may hold come first in it, so that the output layer,
/// the largest of all, is computed for them only: half of an OPUS-MT vocabulary is the source's.
pub(super) struct Vocabulary {
    /// [vocabulary, width], reordered.
    table: Weight,
    /// For each token, its place in the table.
    places: Vec<usize>,
    /// The tokens of a target, in the table's order.
    targets: Vec<usize>,
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
        let (targets, others): (Vec<usize>, Vec<usize>) =
            (0..bias.len()).partition(|token| in_target(*token));
        let mut places = vec![0; bias.len()];
        let mut order = Vec::with_capacity(bias.len());
        for (place, token) in targets.iter().chain(&others).enumerate() {
            places[*token] = place;
            order.push(u32::try_from(*token).unwrap_or(u32::MAX));
        }
        Ok(Self {
            table: table.select(&order)?,
            places,
            bias: targets.iter().map(|token| bias[*token]).collect(),
            targets,
        })
    }

    /// The row of a token: [width].
    pub(super) fn embedding(&self, token: u32) -> Result<Vec<f32>> {
        let place = self.places.get(token as usize);
        let place = place.ok_or_else(|| Error::Msg(format!("there is no token {token}")))?;
        self.table.row(*place)
    }

    /// Scores of all tokens, before softmax: [rows, width] to [rows, vocabulary], minus infinity where
    /// a target may not hold the token.
    pub(super) fn logits(&self, hidden: &Rows) -> Result<Rows> {
        let scores = self.table.product(hidden, &self.bias)?;
        let mut all = Rows::new(
            vec![f32::NEG_INFINITY; hidden.count() * self.places.len()],
            self.places.len(),
        );
        for (scores, all) in scores.iter().zip(all.iter_mut()) {
            for (score, token) in scores.iter().zip(&self.targets) {
                all[*token] = *score;
            }
        }
        Ok(all)
    }
}
