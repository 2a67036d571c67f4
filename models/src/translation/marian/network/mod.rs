//! The Marian network. A row is a position; rows of several sentences go through it together.
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

use std::sync::Arc;

use candle_core::{Error, Result};
use candle_nn::Activation;

pub(crate) use self::bytes::quantized;
use self::{attention::Past, layers::DecoderLayer, vocabulary::Vocabulary};
pub(super) use self::{
    attention::{Attended, CrossAttention, Heads, Memory, OwnAttention},
    bytes::{ByteMatrix, Shelf},
    exponential::{exp, highest},
    layers::{CrossLayer, EncoderLayer, FeedForward, sum},
    linear::{Linear, Weight},
    norm::Norm,
    rows::Rows,
};
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
    /// The token each target begins with.
    start: u32,
}

/// A target, as far as the decoder has read it; reading on leaves clones as they are.
#[derive(Clone)]
pub(super) struct Read {
    /// Keys and values of the encoded source, for each decoder layer.
    source: Arc<[Memory]>,
    /// Those of the tokens read.
    layers: Vec<Past>,
    /// How many these are, the start included.
    tokens: usize,
}

/// The decoder's answer to some rows.
pub(super) struct Decoded {
    /// [rows, width].
    pub(super) hidden: Rows,
    /// How each row looked at its source, heads and aligning layers averaged.
    pub(super) attention: Vec<Vec<f32>>,
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
        let encoder_layers = model.at("encoder.layers");
        let decoder_layers = model.at("decoder.layers");
        Ok(Self {
            vocabulary: Vocabulary::read((vocabulary, width), in_target, root)?,
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
            start: config.decoder_start_token_id,
        })
    }

    /// Encodes sources, each with its end of sentence. Nothing of their targets is read yet.
    pub(super) fn encode(&self, sources: &[&[u32]]) -> Result<Vec<Read>> {
        let lengths: Vec<usize> = sources.iter().map(|tokens| tokens.len()).collect();
        let placed = sources.iter().flat_map(|tokens| (0..).zip(*tokens));
        let mut rows = self.embed(placed.map(|(position, token)| (position, *token)))?;
        for layer in &self.encoder {
            rows = layer.forward(&rows, &lengths)?;
        }
        let mut memories: Vec<Vec<Memory>> = vec![Vec::new(); sources.len()];
        for layer in &self.decoder {
            for (memories, memory) in memories.iter_mut().zip(layer.sources(&rows, &lengths)?) {
                memories.push(memory);
            }
        }
        let unread = |memories: Vec<Memory>| Read {
            layers: vec![Past::default(); self.decoder.len()],
            source: memories.into(),
            tokens: 0,
        };
        Ok(memories.into_iter().map(unread).collect())
    }

    /// Reads on: into each of `reads` its `tokens`, the start before the first of all. A row for each
    /// token, and how many they are for each of `reads`.
    pub(super) fn decode(
        &self,
        reads: &mut [Read],
        tokens: &[Vec<u32>],
    ) -> Result<(Decoded, Vec<usize>)> {
        let mut counts = Vec::with_capacity(reads.len());
        let mut placed = Vec::with_capacity(reads.len());
        for (read, tokens) in reads.iter().zip(tokens) {
            let start = (read.tokens == 0).then_some(self.start);
            let before = placed.len();
            placed.extend((read.tokens..).zip(start.into_iter().chain(tokens.iter().copied())));
            counts.push(placed.len() - before);
        }
        let rows = self.embed(placed.into_iter())?;
        let decoded = self.pass(rows, &counts, reads)?;
        for (read, count) in reads.iter_mut().zip(&counts) {
            read.tokens += count;
        }
        Ok((decoded, counts))
    }

    /// Rows, `counts` of them for each of `reads`, through all decoder layers.
    fn pass(&self, rows: Rows, counts: &[usize], reads: &mut [Read]) -> Result<Decoded> {
        let mut hidden = rows;
        let mut attention: Vec<Vec<f32>> = Vec::new();
        for (index, layer) in self.decoder.iter().enumerate() {
            let mut sources = Vec::with_capacity(hidden.count());
            let mut pasts = Vec::with_capacity(reads.len());
            for (read, count) in reads.iter_mut().zip(counts) {
                sources.extend(std::iter::repeat_n(&read.source[index], *count));
                pasts.push(&mut read.layers[index]);
            }
            let attended = layer.forward(&hidden, &sources, counts, &mut pasts)?;
            hidden = attended.output;
            if self.aligning.contains(&index) {
                if attention.is_empty() {
                    attention = attended.weights;
                } else {
                    add(&mut attention, &attended.weights);
                }
            }
        }
        let part = 1.0 / self.aligning.len() as f32;
        attention
            .iter_mut()
            .flatten()
            .for_each(|weight| *weight *= part);
        Ok(Decoded { hidden, attention })
    }

    /// The tokens that a target may hold, in order.
    pub(super) fn targets(&self) -> &Arc<[u32]> {
        self.vocabulary.targets()
    }

    /// Scores of these, before softmax: [rows, width] to [rows, targets].
    pub(super) fn scores(&self, hidden: &Rows) -> Result<Rows> {
        self.vocabulary.scores(hidden)
    }

    /// Embeddings of tokens at positions: [tokens, width].
    fn embed(&self, placed: impl Iterator<Item = (usize, u32)>) -> Result<Rows> {
        let width = self.positions.width();
        let mut numbers = Vec::new();
        for (position, token) in placed {
            let embedding = self.vocabulary.embedding(token)?;
            let from = position * width;
            let place = self.positions.numbers().get(from..from + width);
            let place = place
                .ok_or_else(|| Error::Msg("more tokens than the model has positions".to_owned()))?;
            let sums = embedding.iter().zip(place);
            numbers.extend(sums.map(|(number, place)| number * self.embedding_scale + place));
        }
        Ok(Rows::new(numbers, width))
    }
}

fn add(rows: &mut [Vec<f32>], others: &[Vec<f32>]) {
    let pairs = rows.iter_mut().flatten().zip(others.iter().flatten());
    pairs.for_each(|(number, other)| *number += other);
}

#[cfg(test)]
mod tests;
