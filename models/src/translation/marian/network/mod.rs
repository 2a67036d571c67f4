//! The Marian network. One sentence at a time, so tensors have no batch dimension; a row is a
//! position.

mod attention;
mod layers;
mod linear;
mod positions;

use candle_core::{Module, Result, Tensor};
use candle_nn::{Activation, VarBuilder};

use self::{
    attention::Memory,
    layers::{DecoderLayer, EncoderLayer},
    linear::Linear,
};
use super::{MarianOptions, Precision, config::MarianConfig};

/// Sizes of the encoder's or the decoder's layers.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Numbers in a row.
    width: usize,
    /// Numbers in a row inside the feed-forward part.
    inner: usize,
    heads: usize,
    activation: Activation,
    precision: Precision,
}

/// Encoder, decoder and output layer. Nothing in it changes once it is read.
pub(super) struct Network {
    /// [vocabulary, width].
    embedding: Tensor,
    embedding_scale: f64,
    /// [positions, width].
    positions: Tensor,
    encoder: Vec<EncoderLayer>,
    decoder: Vec<DecoderLayer>,
    output: Linear,
    /// Decoder layers whose attention tells the alignment.
    aligning: Vec<usize>,
}

/// An encoded source: keys and values of each decoder layer.
pub(super) struct Source {
    layers: Vec<Memory>,
}

/// Target tokens a decoder has read. Cloning shares memory; reading on leaves clones as they are.
#[derive(Clone)]
pub(super) struct Read {
    layers: Vec<Option<Memory>>,
    tokens: usize,
}

/// The decoder's answer to some rows.
pub(super) struct Decoded {
    /// [rows, width].
    pub(super) hidden: Tensor,
    /// How each row looked at the source, heads and aligning layers averaged: [rows, source].
    pub(super) attention: Tensor,
}

impl Network {
    pub(super) fn read(
        config: &MarianConfig,
        options: &MarianOptions,
        builder: &VarBuilder<'_>,
    ) -> Result<Self> {
        let (vocabulary, width) = (config.vocabulary(), config.width());
        let shape = |heads, inner| Shape {
            width,
            inner,
            heads,
            activation: config.activation(),
            precision: options.precision,
        };
        let (encoder, decoder) = (config.encoder(), config.decoder());
        let model = builder.pp("model");
        let embedding = model.pp("shared").get((vocabulary, width), "weight")?;
        let bias = builder.get((1, vocabulary), "final_logits_bias")?;
        let encoder_builder = model.pp("encoder.layers");
        let decoder_builder = model.pp("decoder.layers");
        Ok(Self {
            output: Linear::new(&embedding, bias, options.precision)?,
            embedding,
            embedding_scale: config.embedding_scale(),
            positions: positions::sinusoids(config.positions(), width, builder.device())?,
            encoder: (0..encoder.layers)
                .map(|layer| {
                    let shape = shape(encoder.heads, encoder.inner);
                    EncoderLayer::read(shape, &encoder_builder.pp(layer))
                })
                .collect::<Result<_>>()?,
            decoder: (0..decoder.layers)
                .map(|layer| {
                    let shape = shape(decoder.heads, decoder.inner);
                    DecoderLayer::read(shape, &decoder_builder.pp(layer))
                })
                .collect::<Result<_>>()?,
            aligning: options.aligning(decoder.layers),
        })
    }

    /// Encodes source tokens, the end of sentence included.
    pub(super) fn encode(&self, tokens: &[u32]) -> Result<Source> {
        let mut rows = self.embed(tokens, |index| index)?;
        for layer in &self.encoder {
            rows = layer.forward(&rows)?;
        }
        let layers = self.decoder.iter().map(|layer| layer.source(&rows));
        Ok(Source {
            layers: layers.collect::<Result<_>>()?,
        })
    }

    /// A target of which nothing was read.
    pub(super) fn unread(&self) -> Read {
        Read {
            layers: self.decoder.iter().map(|_| None).collect(),
            tokens: 0,
        }
    }

    /// Reads the first tokens of a target, the start included: a row a token.
    pub(super) fn begin(&self, source: &Source, tokens: &[u32]) -> Result<(Read, Decoded)> {
        let mut read = self.unread();
        let rows = self.embed(tokens, |index| index)?;
        let decoded = self.decode(source, rows, &mut [&mut read])?;
        read.tokens = tokens.len();
        Ok((read, decoded))
    }

    /// Reads one token more into each of `reads`: a row each.
    pub(super) fn advance(
        &self,
        source: &Source,
        reads: &mut [Read],
        tokens: &[u32],
    ) -> Result<Decoded> {
        let rows = self.embed(tokens, |index| {
            reads.get(index).map_or(0, |read| read.tokens)
        })?;
        let mut each: Vec<&mut Read> = reads.iter_mut().collect();
        let decoded = self.decode(source, rows, &mut each)?;
        for read in reads {
            read.tokens += 1;
        }
        Ok(decoded)
    }

    /// Scores of all tokens, before softmax: [rows, width] to [rows, vocabulary].
    pub(super) fn logits(&self, hidden: &Tensor) -> Result<Tensor> {
        self.output.forward(hidden)
    }

    fn decode(&self, source: &Source, rows: Tensor, reads: &mut [&mut Read]) -> Result<Decoded> {
        let mut hidden = rows;
        let mut attention = Vec::with_capacity(self.aligning.len());
        for (index, (layer, memory)) in std::iter::zip(&self.decoder, &source.layers).enumerate() {
            let mut pasts: Vec<&mut Option<Memory>> = reads
                .iter_mut()
                .filter_map(|read| read.layers.get_mut(index))
                .collect();
            let attended = layer.forward(&hidden, memory, &mut pasts)?;
            hidden = attended.output;
            if self.aligning.contains(&index) {
                attention.push(attended.weights.mean(0)?);
            }
        }
        Ok(Decoded {
            hidden,
            attention: Tensor::stack(&attention, 0)?.mean(0)?,
        })
    }

    /// Embeddings of tokens at the positions `position` gives for their indices: [tokens, width].
    fn embed(&self, tokens: &[u32], position: impl Fn(usize) -> usize) -> Result<Tensor> {
        let device = self.embedding.device();
        let positions: Vec<u32> = (0..tokens.len())
            .map(|index| u32::try_from(position(index)).unwrap_or(u32::MAX))
            .collect();
        let place = |numbers: &[u32]| Tensor::new(numbers, device);
        let embedded = self.embedding.index_select(&place(tokens)?, 0)?;
        (embedded * self.embedding_scale)? + self.positions.index_select(&place(&positions)?, 0)?
    }
}

#[cfg(test)]
mod tests;
