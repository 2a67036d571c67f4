//! Layers of the encoder and of the decoder; normalisation comes after each part.

use candle_core::{Module, Result, Tensor};
use candle_nn::{Activation, LayerNorm, VarBuilder, layer_norm};

use super::{
    Shape,
    attention::{Attended, Attention, Memory},
    linear::Linear,
};

const EPSILON: f64 = 1e-5;

struct FeedForward {
    first: Linear,
    second: Linear,
    activation: Activation,
    norm: LayerNorm,
}

impl FeedForward {
    fn read(shape: Shape, builder: &VarBuilder<'_>) -> Result<Self> {
        let (width, inner) = (shape.width, shape.inner);
        Ok(Self {
            first: Linear::read((width, inner), shape.precision, &builder.pp("fc1"))?,
            second: Linear::read((inner, width), shape.precision, &builder.pp("fc2"))?,
            activation: shape.activation,
            norm: layer_norm(width, EPSILON, builder.pp("final_layer_norm"))?,
        })
    }
}

impl Module for FeedForward {
    fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        let inner = self.first.forward(rows)?.apply(&self.activation)?;
        (self.second.forward(&inner)? + rows)?.apply(&self.norm)
    }
}

pub(super) struct EncoderLayer {
    attention: Attention,
    norm: LayerNorm,
    feed_forward: FeedForward,
}

impl EncoderLayer {
    pub(super) fn read(shape: Shape, builder: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            attention: Attention::read(shape, &builder.pp("self_attn"))?,
            norm: layer_norm(shape.width, EPSILON, builder.pp("self_attn_layer_norm"))?,
            feed_forward: FeedForward::read(shape, builder)?,
        })
    }
}

impl Module for EncoderLayer {
    fn forward(&self, rows: &Tensor) -> Result<Tensor> {
        let rows = (self.attention.attend_all(rows)? + rows)?.apply(&self.norm)?;
        self.feed_forward.forward(&rows)
    }
}

pub(super) struct DecoderLayer {
    own: Attention,
    own_norm: LayerNorm,
    cross: Attention,
    cross_norm: LayerNorm,
    feed_forward: FeedForward,
}

impl DecoderLayer {
    pub(super) fn read(shape: Shape, builder: &VarBuilder<'_>) -> Result<Self> {
        let norm = |name| layer_norm(shape.width, EPSILON, builder.pp(name));
        Ok(Self {
            own: Attention::read(shape, &builder.pp("self_attn"))?,
            own_norm: norm("self_attn_layer_norm")?,
            cross: Attention::read(shape, &builder.pp("encoder_attn"))?,
            cross_norm: norm("encoder_attn_layer_norm")?,
            feed_forward: FeedForward::read(shape, builder)?,
        })
    }

    /// Keys and values of the encoder's output, which stay the same for a whole sentence.
    pub(super) fn source(&self, encoded: &Tensor) -> Result<Memory> {
        self.cross.memory(encoded)
    }

    /// New rows and how they looked at the source; `pasts` as in [`Attention::attend_past`].
    pub(super) fn forward(
        &self,
        rows: &Tensor,
        source: &Memory,
        pasts: &mut [&mut Option<Memory>],
    ) -> Result<Attended> {
        let rows = (self.own.attend_past(rows, pasts)? + rows)?.apply(&self.own_norm)?;
        let Attended { output, weights } = self.cross.attend(&rows, source)?;
        let rows = (output + rows)?.apply(&self.cross_norm)?;
        Ok(Attended {
            output: self.feed_forward.forward(&rows)?,
            weights,
        })
    }
}
