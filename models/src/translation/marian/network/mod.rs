//! The Marian network. One sentence at a time; a row is a position.
//!
//! Weights are read by candle. With 8-bit matrices everything else is our own loops over plain memory
//! (`bytes`, `attention`): a step of the decoder is hundreds of small operations, and a tensor's
//! allocation, or a hand-over between threads, costs more than most of them. In f32 candle multiplies.

mod attention;
mod bytes;
mod exponential;
mod layers;
mod linear;
mod norm;
mod positions;
mod rows;
mod vocabulary;

use candle_core::Result;
use candle_nn::Activation;

pub(crate) use self::bytes::quantized;
pub(super) use self::{
    attention::{Attended, Attention, Memory},
    bytes::ByteMatrix,
    exponential::exp,
    layers::{CrossLayer, EncoderLayer, FeedForward, sum},
    linear::{Linear, Weight},
    norm::Norm,
    rows::Rows,
};
use self::{layers::DecoderLayer, vocabulary::Vocabulary};
use super::{MarianOptions, config::MarianConfig, weights::At};

/// Sizes of the encoder's or the decoder's layers.
#[derive(Debug, Clone, Copy)]
struct Shape {
    /// Numbers in a row.
    width: usize,
    /// Numbers in a row inside the feed-forward part.
    inner: usize,
    heads: usize,
    activation: Activation,
}

/// Encoder, decoder and output layer. Nothing in it changes once it is read.
pub(super) struct Network {
    vocabulary: Vocabulary,
    embedding_scale: f32,
    /// [positions, width].
    positions: Rows,
    encoder: Vec<EncoderLayer>,
    decoder: Vec<DecoderLayer>,
    /// Decoder layers whose attention tells the alignment.
    aligning: Vec<usize>,
}

/// An encoded source: keys and values of each decoder layer.
pub(super) struct Source {
    layers: Vec<Memory>,
}

/// Target tokens a decoder has read; reading on leaves clones as they are.
#[derive(Clone)]
pub(super) struct Read {
    layers: Vec<Memory>,
    tokens: usize,
}

/// The decoder's answer to some rows.
pub(super) struct Decoded {
    /// [rows, width].
    pub(super) hidden: Rows,
    /// How each row looked at the source, heads and aligning layers averaged: [rows, source].
    pub(super) attention: Rows,
}

impl Network {
    /// `in_target` tells of each token whether a target may hold it.
    pub(super) fn read(
        config: &MarianConfig,
        options: &MarianOptions,
        in_target: &dyn Fn(usize) -> bool,
        root: &At<'_>,
    ) -> Result<Self> {
        let (vocabulary, width) = (config.vocabulary(), config.width());
        let shape = |heads, inner| Shape {
            width,
            inner,
            heads,
            activation: config.activation(),
        };
        let (encoder, decoder) = (config.encoder(), config.decoder());
        let model = root.at("model");
        let embedding = model.at("shared").matrix("weight", vocabulary, width)?;
        let bias = root.numbers("final_logits_bias", vocabulary)?;
        let encoder_layers = model.at("encoder.layers");
        let decoder_layers = model.at("decoder.layers");
        Ok(Self {
            vocabulary: Vocabulary::new(&embedding, &bias, in_target)?,
            embedding_scale: config.embedding_scale(),
            positions: positions::sinusoids(config.positions(), width),
            encoder: (0..encoder.layers)
                .map(|layer| {
                    let shape = shape(encoder.heads, encoder.inner);
                    EncoderLayer::read(shape, &encoder_layers.at(layer))
                })
                .collect::<Result<_>>()?,
            decoder: (0..decoder.layers)
                .map(|layer| {
                    let shape = shape(decoder.heads, decoder.inner);
                    DecoderLayer::read(shape, &decoder_layers.at(layer))
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
            layers: vec![Memory::default(); self.decoder.len()],
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

    /// Scores of all tokens, before softmax: [rows, width] to [rows, vocabulary], minus infinity where
    /// a target may not hold the token.
    pub(super) fn logits(&self, hidden: &Rows) -> Result<Rows> {
        self.vocabulary.logits(hidden)
    }

    fn decode(&self, source: &Source, rows: Rows, reads: &mut [&mut Read]) -> Result<Decoded> {
        let mut hidden = rows;
        let mut attention: Option<Rows> = None;
        for (index, (layer, memory)) in std::iter::zip(&self.decoder, &source.layers).enumerate() {
            let mut pasts: Vec<&mut Memory> = reads
                .iter_mut()
                .filter_map(|read| read.layers.get_mut(index))
                .collect();
            let attended = layer.forward(&hidden, memory, &mut pasts)?;
            hidden = attended.output;
            if self.aligning.contains(&index) {
                match &mut attention {
                    Some(sum) => sum.add(&attended.weights),
                    None => attention = Some(attended.weights),
                }
            }
        }
        let mut attention = attention.ok_or_else(|| {
            candle_core::Error::Msg("no decoder layer tells the alignment".to_owned())
        })?;
        attention.scale(1.0 / self.aligning.len() as f32);
        Ok(Decoded { hidden, attention })
    }

    /// Embeddings of tokens at the positions `position` gives for their indices: [tokens, width].
    fn embed(&self, tokens: &[u32], position: impl Fn(usize) -> usize) -> Result<Rows> {
        let width = self.positions.width();
        let mut rows = Rows::zeros(tokens.len(), width);
        for (index, (row, token)) in rows.iter_mut().zip(tokens).enumerate() {
            let embedding = self.vocabulary.embedding(*token)?;
            let from = position(index) * width;
            let place = self.positions.numbers().get(from..from + width);
            let place = place.ok_or_else(|| {
                candle_core::Error::Msg("more tokens than the model has positions".to_owned())
            })?;
            for ((number, embedding), place) in row.iter_mut().zip(embedding).zip(place) {
                *number = embedding * self.embedding_scale + place;
            }
        }
        Ok(rows)
    }
}

#[cfg(test)]
mod tests;
