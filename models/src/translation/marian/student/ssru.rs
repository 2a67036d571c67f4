//! A decoder layer: a simpler simple recurrent unit instead of attention to what came before (Kim et al.
//! 2019, section 3.1), then attention to the source, then two linear layers.

use candle_core::Result;

use super::{Parts, shape::Shape};
use crate::translation::marian::network::{
    Attended, CrossAttention, CrossLayer, Linear, Memory, Norm, Rows, sum,
};

/// What a decoder layer remembers of a target: [width].
pub(super) type Cell = Vec<f32>;

pub(super) struct DecoderLayer {
    candidate: Linear,
    forget: Linear,
    norm: Norm,
    cross: CrossLayer,
}

impl DecoderLayer {
    pub(super) fn read(
        parts: &Parts,
        prefix: &str,
        shape: Shape,
    ) -> std::result::Result<Self, String> {
        let name = |part: &str| format!("{prefix}_{part}");
        let square = [shape.width; 2];
        let (projections, heads) = parts.attention(&name("context"), shape)?;
        Ok(Self {
            candidate: parts.linear(&name("rnn_W"), None, square)?,
            forget: parts.linear(&name("rnn_Wf"), Some(&name("rnn_bf")), square)?,
            norm: parts.norm(&name("rnn_ffn"), shape.width)?,
            cross: CrossLayer::new(
                CrossAttention::new(projections, heads),
                parts.norm(&name("context_Wo"), shape.width)?,
                parts.feed_forward(&name("ffn"), shape)?,
            ),
        })
    }

    /// As [`CrossLayer::sources`].
    pub(super) fn sources(&self, encoded: &Rows, lengths: &[usize]) -> Result<Vec<Memory>> {
        self.cross.sources(encoded, lengths)
    }

    /// The next row of each of `cells`, which remember it, and where it looked in its source.
    pub(super) fn forward(
        &self,
        rows: &Rows,
        sources: &[&Memory],
        cells: &mut [&mut Cell],
    ) -> Result<Attended> {
        let candidates = self.candidate.forward(rows)?;
        let gates = self.forget.forward(rows)?;
        let mut recurrent = Rows::zeros(rows.count(), rows.width());
        let news = candidates
            .iter()
            .zip(gates.iter())
            .zip(recurrent.iter_mut());
        for (((candidate, gate), out), cell) in news.zip(cells) {
            let numbers = candidate.iter().zip(gate).zip(out).zip(cell.iter_mut());
            for (((candidate, gate), out), cell) in numbers {
                let kept = 1.0 / (1.0 + (-gate).exp());
                *cell = kept * *cell + (1.0 - kept) * candidate;
                *out = cell.max(0.0);
            }
        }
        let rows = self.norm.apply(sum(recurrent, rows));
        self.cross.forward(&rows, sources)
    }
}
