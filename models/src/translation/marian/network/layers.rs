//! Layers of the encoder and of the decoder; normalisation comes after each part.

use candle_core::{Device, Module, Result, Tensor};
use candle_nn::Activation;

use super::{
    Shape,
    attention::{Attended, CrossAttention, Memory, OwnAttention, Past},
    exponential::swish,
    linear::Linear,
    norm::Norm,
    rows::Rows,
};
use crate::translation::marian::weights::At;

/// Two linear layers with an activation between them.
pub(in crate::translation::marian) struct FeedForward {
    first: Linear,
    second: Linear,
    activation: Activation,
    norm: Norm,
}

impl FeedForward {
    pub(in crate::translation::marian) fn new(
        first: Linear,
        activation: Activation,
        second: Linear,
        norm: Norm,
    ) -> Self {
        Self {
            first,
            second,
            activation,
            norm,
        }
    }

    fn read(shape: Shape, at: &At<'_>) -> Result<Self> {
        let (width, inner) = (shape.width, shape.inner);
        Ok(Self {
            first: Linear::read((width, inner), &at.at("fc1"))?,
            second: Linear::read((inner, width), &at.at("fc2"))?,
            activation: shape.activation,
            norm: Norm::read(width, &at.at("final_layer_norm"))?,
        })
    }

    pub(in crate::translation::marian) fn forward(&self, rows: &Rows) -> Result<Rows> {
        let inner = self.activate(self.first.forward(rows)?)?;
        Ok(self.norm.apply(sum(self.second.forward(&inner)?, rows)))
    }

    fn activate(&self, mut rows: Rows) -> Result<Rows> {
        let numbers = rows.numbers_mut();
        match self.activation {
            Activation::Swish | Activation::Silu => swish(numbers),
            Activation::Relu => numbers.iter_mut().for_each(|x| *x = x.max(0.0)),
            // No OPUS-MT model has another one.
            other => {
                let given = Tensor::from_slice(numbers, numbers.len(), &Device::Cpu)?;
                numbers.copy_from_slice(&other.forward(&given)?.to_vec1()?);
            }
        }
        Ok(rows)
    }
}

pub(in crate::translation::marian) struct EncoderLayer {
    attention: OwnAttention,
    norm: Norm,
    feed_forward: FeedForward,
}

impl EncoderLayer {
    pub(in crate::translation::marian) fn new(
        attention: OwnAttention,
        norm: Norm,
        feed_forward: FeedForward,
    ) -> Self {
        Self {
            attention,
            norm,
            feed_forward,
        }
    }

    pub(super) fn read(shape: Shape, at: &At<'_>) -> Result<Self> {
        Ok(Self {
            attention: OwnAttention::read(shape, &at.at("self_attn"))?,
            norm: Norm::read(shape.width, &at.at("self_attn_layer_norm"))?,
            feed_forward: FeedForward::read(shape, at)?,
        })
    }

    /// [rows, width] to as many; `lengths` as in [`OwnAttention::attend_within`].
    pub(in crate::translation::marian) fn forward(
        &self,
        rows: &Rows,
        lengths: &[usize],
    ) -> Result<Rows> {
        let attended = self.attention.attend_within(rows, lengths)?;
        self.feed_forward
            .forward(&self.norm.apply(sum(attended, rows)))
    }
}

/// What a decoder layer ends with: a look at the source, then two linear layers.
pub(in crate::translation::marian) struct CrossLayer {
    attention: CrossAttention,
    norm: Norm,
    feed_forward: FeedForward,
}

impl CrossLayer {
    pub(in crate::translation::marian) fn new(
        attention: CrossAttention,
        norm: Norm,
        feed_forward: FeedForward,
    ) -> Self {
        Self {
            attention,
            norm,
            feed_forward,
        }
    }

    /// Keys and values of the encoder's output, which stay the same for a whole sentence; a memory for
    /// each of the sentences, `lengths` of them.
    pub(in crate::translation::marian) fn sources(
        &self,
        encoded: &Rows,
        lengths: &[usize],
    ) -> Result<Vec<Memory>> {
        self.attention.memories(encoded, lengths)
    }

    /// New rows and how each looked at its source.
    pub(in crate::translation::marian) fn forward(
        &self,
        rows: &Rows,
        sources: &[&Memory],
    ) -> Result<Attended> {
        let Attended { output, weights } = self.attention.attend(rows, sources)?;
        let rows = self.norm.apply(sum(output, rows));
        Ok(Attended {
            output: self.feed_forward.forward(&rows)?,
            weights,
        })
    }
}

pub(super) struct DecoderLayer {
    own: OwnAttention,
    own_norm: Norm,
    cross: CrossLayer,
}

impl DecoderLayer {
    pub(super) fn read(shape: Shape, at: &At<'_>) -> Result<Self> {
        let norm = |name| Norm::read(shape.width, &at.at(name));
        Ok(Self {
            own: OwnAttention::read(shape, &at.at("self_attn"))?,
            own_norm: norm("self_attn_layer_norm")?,
            cross: CrossLayer::new(
                CrossAttention::read(shape, &at.at("encoder_attn"))?,
                norm("encoder_attn_layer_norm")?,
                FeedForward::read(shape, at)?,
            ),
        })
    }

    /// As [`CrossLayer::sources`].
    pub(super) fn sources(&self, encoded: &Rows, lengths: &[usize]) -> Result<Vec<Memory>> {
        self.cross.sources(encoded, lengths)
    }

    /// New rows and how each looked at its source; `counts` and `pasts` as in
    /// [`OwnAttention::attend_past`].
    pub(super) fn forward(
        &self,
        rows: &Rows,
        sources: &[&Memory],
        counts: &[usize],
        pasts: &mut [&mut Past],
    ) -> Result<Attended> {
        let rows = sum(self.own.attend_past(rows, counts, pasts)?, rows);
        self.cross.forward(&self.own_norm.apply(rows), sources)
    }
}

pub(in crate::translation::marian) fn sum(mut rows: Rows, others: &Rows) -> Rows {
    rows.add(others);
    rows
}
