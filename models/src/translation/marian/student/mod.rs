//! The small students that Firefox ships (Bergamot): a transformer encoder, a decoder of simple recurrent
//! units, 8-bit weights, and a shortlist of the target tokens that a sentence may need.
//!
//! Kim et al. 2019, "From Research to Production and Back: Ludicrously Fast Neural Machine Translation".
//! A model folder holds `model.bin`, `lex.bin` and `vocab.spm` as distributed.

mod file;
mod scores;
mod shape;
mod shortlist;
mod ssru;

use std::{path::Path, sync::Arc};

use candle_core::{Error, Result};
use candle_nn::Activation;

use self::{file::ModelFile, shape::Shape, shortlist::Shortlist, ssru::DecoderLayer};
use super::network::{
    ByteMatrix, EncoderLayer, FeedForward, Heads, Linear, Memory, Norm, OwnAttention, Rows, Shelf,
};
use crate::translation::TranslationError;

/// The file that tells a student's folder from that of another model.
pub(super) const WEIGHTS: &str = "model.bin";
/// Most tokens of a source or a target. (Students know no limit, but were trained on sentences.)
pub(super) const POSITIONS: usize = 512;
/// The token that ends a sentence, in the vocabularies of all students.
pub(super) const END: u32 = 0;
/// Added to the variance in layer normalisation.
const EPSILON: f32 = 1e-6;

/// A student's network. Nothing in it changes once it is read.
pub(super) struct StudentNetwork {
    shape: Shape,
    /// [vocabulary, width]; also the output layer.
    table: ByteMatrix,
    /// Added to the scores.
    bias: Vec<f32>,
    /// [positions, width].
    positions: Rows,
    encoder: Vec<EncoderLayer>,
    decoder: Vec<DecoderLayer>,
    /// None: translations may hold all tokens.
    shortlist: Option<Shortlist>,
    /// Tokens that no translation may hold.
    never: Vec<u32>,
}

/// An encoded source.
pub(super) struct StudentSource {
    /// Keys and values of each decoder layer.
    layers: Vec<Memory>,
    /// The tokens that its translation may hold, in order.
    candidates: Arc<[u32]>,
    /// The output layer for these.
    output: Linear,
}

impl StudentNetwork {
    /// Reads `model.bin` and `lex.bin`.
    pub(super) fn read(folder: &Path) -> std::result::Result<Self, TranslationError> {
        let read = |name: &str| {
            std::fs::read(folder.join(name)).map_err(|error| format!("{name}: {error}"))
        };
        let network = || {
            let weights = |reason| format!("{WEIGHTS}: {reason}");
            let file = read(WEIGHTS)?;
            let parts = Parts {
                shelf: Shelf::new(file.len()),
                file: ModelFile::parse(file).map_err(weights)?,
            };
            let shape = Shape::read(&parts.file).map_err(weights)?;
            let shortlist = Shortlist::parse(&read("lex.bin")?, shape.vocabulary)
                .map_err(|reason| format!("lex.bin: {reason}"))?;
            Self::of(&parts, shape, shortlist).map_err(weights)
        };
        network().map_err(|reason| TranslationError::Load {
            path: folder.to_owned(),
            reason,
        })
    }

    fn of(parts: &Parts, shape: Shape, shortlist: Shortlist) -> std::result::Result<Self, String> {
        let (vocabulary, width) = (shape.vocabulary, shape.width);
        let table = parts.file.matrix("Wemb", [vocabulary, width])?;
        let row_steps = parts.steps("none_QuantMultA")?;
        let encoder = (1..=shape.encoder).map(|layer| {
            let prefix = format!("encoder_l{layer}");
            let (projections, heads) = parts.attention(&format!("{prefix}_self"), shape)?;
            Ok(EncoderLayer::new(
                OwnAttention::new(projections, heads),
                parts.norm(&format!("{prefix}_self_Wo"), width)?,
                parts.feed_forward(&format!("{prefix}_ffn"), shape)?,
            ))
        });
        let decoder = (1..=shape.decoder)
            .map(|layer| DecoderLayer::read(parts, &format!("decoder_l{layer}"), shape));
        Ok(Self {
            table: ByteMatrix::given(table.bytes, width, table.steps, row_steps, &parts.shelf),
            bias: parts.file.floats("decoder_ff_logit_out_b", vocabulary)?,
            positions: positions(width),
            encoder: encoder.collect::<std::result::Result<_, String>>()?,
            decoder: decoder.collect::<std::result::Result<_, String>>()?,
            shape,
            shortlist: Some(shortlist),
            never: Vec::new(),
        })
    }

    /// No translation shall hold one of `tokens`.
    pub(super) fn forbid(&mut self, tokens: Vec<u32>) {
        self.never = tokens;
    }

    /// Any translation may hold any token from now on.
    pub(super) fn do_without_shortlist(&mut self) {
        self.shortlist = None;
    }

    /// Number of tokens.
    pub(super) fn vocabulary(&self) -> usize {
        self.shape.vocabulary
    }

    /// Encodes sources, each with its end of sentence.
    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<StudentSource>> {
        let lengths: Vec<usize> = sources.iter().map(|tokens| tokens.len()).collect();
        let placed = sources.iter().flat_map(|tokens| tokens.iter().enumerate());
        let mut rows = Rows::zeros(lengths.iter().sum(), self.shape.width);
        for (row, (position, token)) in rows.iter_mut().zip(placed) {
            self.embed(Some(*token), position, row)?;
        }
        for layer in &self.encoder {
            rows = layer.forward(&rows, &lengths)?;
        }
        let mut encoded: Vec<StudentSource> =
            sources.iter().map(|tokens| self.unlooked(tokens)).collect();
        for layer in &self.decoder {
            for (source, memory) in encoded.iter_mut().zip(layer.sources(&rows, &lengths)?) {
                source.layers.push(memory);
            }
        }
        Ok(encoded)
    }

    /// A source without its keys and values.
    fn unlooked(&self, tokens: &[u32]) -> StudentSource {
        let vocabulary = self.shape.vocabulary;
        let mut candidates = match &self.shortlist {
            Some(shortlist) => shortlist.candidates(tokens, vocabulary),
            // (Files number tokens with 32 bits.)
            None => (0..vocabulary as u32).collect(),
        };
        candidates.retain(|token| !self.never.contains(token));
        let bias = candidates.iter().map(|token| self.bias[*token as usize]);
        StudentSource {
            layers: Vec::with_capacity(self.decoder.len()),
            output: Linear::of_bytes(self.table.select(&candidates), bias.collect()),
            candidates: candidates.into(),
        }
    }

    /// Writes the embedding of a token at a position into `row`. A target begins with none.
    fn embed(&self, token: Option<u32>, position: usize, row: &mut [f32]) -> Result<()> {
        if let Some(token) = token {
            if token as usize >= self.shape.vocabulary {
                return Err(Error::Msg(format!("there is no token {token}")));
            }
            row.copy_from_slice(&self.table.row(token as usize));
        }
        let scale = (self.shape.width as f32).sqrt();
        let place = self.positions.iter().nth(position);
        let place = place.ok_or_else(|| Error::Msg(format!("more than {POSITIONS} tokens")))?;
        for (number, place) in row.iter_mut().zip(place) {
            *number = *number * scale + place;
        }
        Ok(())
    }
}

/// Sinusoids as Marian computes them, to the last bit: the lowest frequency is a ten-thousandth of the
/// highest, and cosines are sines a quarter turn ahead.
fn positions(width: usize) -> Rows {
    let half = width / 2;
    let most = half.saturating_sub(1).max(1) as f32;
    let mut rows = Rows::zeros(POSITIONS, width);
    for (position, row) in rows.iter_mut().enumerate() {
        for (at, number) in row.iter_mut().enumerate() {
            let frequency = 1e-4_f32.powf((at % half) as f32 / most);
            let ahead = (at / half) as f32 * std::f32::consts::FRAC_PI_2;
            *number = (position as f32 * frequency + ahead).sin();
        }
    }
    rows
}

/// The file's items, put together to the parts of a network.
struct Parts {
    file: ModelFile,
    /// Where matrices are put.
    shelf: Shelf,
}

impl Parts {
    /// What rows are multiplied with before they are rounded.
    fn steps(&self, name: &str) -> std::result::Result<f32, String> {
        let steps = self.file.floats(name, 1)?;
        match steps[..] {
            [steps] if steps.is_finite() && steps > 0.0 => Ok(steps),
            _ => Err(format!("'{name}' is {steps:?}")),
        }
    }

    /// A linear layer; without a bias it adds nothing.
    fn linear(
        &self,
        weight: &str,
        bias: Option<&str>,
        [inputs, outputs]: [usize; 2],
    ) -> std::result::Result<Linear, String> {
        let item = self.file.matrix(weight, [inputs, outputs])?;
        let row_steps = self.steps(&format!("{weight}_QuantMultA"))?;
        let bias = match bias {
            Some(bias) => self.file.floats(bias, outputs)?,
            None => vec![0.0; outputs],
        };
        let matrix = ByteMatrix::given(item.bytes, inputs, item.steps, row_steps, &self.shelf);
        Ok(Linear::of_bytes(matrix, bias))
    }

    fn norm(&self, prefix: &str, width: usize) -> std::result::Result<Norm, String> {
        let numbers = |what| self.file.floats(&format!("{prefix}_ln_{what}"), width);
        Ok(Norm::new(numbers("scale")?, numbers("bias")?, EPSILON))
    }

    /// The layers of attention, and how its heads look: the first was trained to tell the alignment.
    fn attention(
        &self,
        prefix: &str,
        shape: Shape,
    ) -> std::result::Result<([Linear; 4], Heads), String> {
        let linear = |part: &str| {
            let (weight, bias) = (format!("{prefix}_W{part}"), format!("{prefix}_b{part}"));
            self.linear(&weight, Some(&bias), [shape.width; 2])
        };
        let heads = Heads {
            count: shape.heads,
            telling: 1,
            exact: true,
        };
        Ok((
            [linear("q")?, linear("k")?, linear("v")?, linear("o")?],
            heads,
        ))
    }

    fn feed_forward(&self, prefix: &str, shape: Shape) -> std::result::Result<FeedForward, String> {
        let linear = |number: u8, sizes| {
            let (weight, bias) = (format!("{prefix}_W{number}"), format!("{prefix}_b{number}"));
            self.linear(&weight, Some(&bias), sizes)
        };
        Ok(FeedForward::new(
            linear(1, [shape.width, shape.inner])?,
            Activation::Relu,
            linear(2, [shape.inner, shape.width])?,
            self.norm(&format!("{prefix}_ffn"), shape.width)?,
        ))
    }
}
