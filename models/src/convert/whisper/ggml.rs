//! The ggml file of a Whisper model, as whisper.cpp reads it: eleven numbers, mel filters,
//! vocabulary, then tensors until the file ends.

use std::io::{Read, Seek};

use super::super::{ConvertError, source::Source};

const MAGIC: u32 = 0x6767_6d6c;
/// Bytes before the mel filters: the magic number and [`Parameters`].
pub(super) const HEADER: u64 = 48;
/// Bytes of a tensor's name; whisper.cpp's are below 50.
const MAX_NAME: i32 = 256;
const MAX_RANK: i32 = 4;

/// Type numbers of ggml (`enum ggml_type`).
pub(super) const F32: i32 = 0;
pub(super) const F16: i32 = 1;
pub(super) const Q8_0: i32 = 8;

/// The hyperparameters, in the order of the file.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Parameters {
    pub n_vocab: i32,
    pub n_audio_ctx: i32,
    pub n_audio_state: i32,
    pub n_audio_head: i32,
    pub n_audio_layer: i32,
    pub n_text_ctx: i32,
    pub n_text_state: i32,
    pub n_text_head: i32,
    pub n_text_layer: i32,
    pub n_mels: i32,
    /// `enum ggml_ftype`, plus 1000 times the quantisation version for quantised files.
    pub ftype: i32,
}

impl Parameters {
    /// Reads magic number and parameters from the start of a file.
    pub(super) fn read<R: Read + Seek>(source: &mut Source<R>) -> Result<Self, ConvertError> {
        const WHAT: &str = "the header of a ggml file";
        if source.u32(WHAT)? != MAGIC {
            return Err(source.malformed_at(0, "the magic number of a ggml file is missing"));
        }
        let mut next = || source.i32(WHAT);
        Ok(Self {
            n_vocab: next()?,
            n_audio_ctx: next()?,
            n_audio_state: next()?,
            n_audio_head: next()?,
            n_audio_layer: next()?,
            n_text_ctx: next()?,
            n_text_state: next()?,
            n_text_head: next()?,
            n_text_layer: next()?,
            n_mels: next()?,
            ftype: next()?,
        })
    }

    /// The first [`HEADER`] bytes of a file.
    pub(super) fn to_bytes(self) -> Vec<u8> {
        let numbers = [
            self.n_vocab,
            self.n_audio_ctx,
            self.n_audio_state,
            self.n_audio_head,
            self.n_audio_layer,
            self.n_text_ctx,
            self.n_text_state,
            self.n_text_head,
            self.n_text_layer,
            self.n_mels,
            self.ftype,
        ];
        let mut bytes = MAGIC.to_le_bytes().to_vec();
        bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
        bytes
    }
}

/// Passes over mel filters and vocabulary, from the end of the parameters, and returns where the
/// tensors start.
pub(super) fn skip_vocabulary<R: Read + Seek>(source: &mut Source<R>) -> Result<u64, ConvertError> {
    let mels = u64::from(source.u32("the number of mel bands")?);
    let bins = u64::from(source.u32("the number of frequencies")?);
    let filters = mels.saturating_mul(bins).saturating_mul(4);
    source.need(filters, "the mel filters")?;
    source.seek(source.position() + filters)?;
    for _ in 0..source.u32("the number of tokens")? {
        let length = u64::from(source.u32("the length of a token")?);
        source.need(length, "a token")?;
        source.seek(source.position() + length)?;
    }
    Ok(source.position())
}

/// What stands before a tensor's numbers.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct TensorHeader {
    pub name: String,
    /// Dimensions, the fastest first (the other way round than in `PyTorch`).
    pub dimensions: Vec<i32>,
    /// A ggml type number.
    pub kind: i32,
}

impl TensorHeader {
    pub(super) fn read<R: Read + Seek>(source: &mut Source<R>) -> Result<Self, ConvertError> {
        const WHAT: &str = "the header of a tensor";
        let start = source.position();
        let (rank, length, kind) = (source.i32(WHAT)?, source.i32(WHAT)?, source.i32(WHAT)?);
        if !(1..=MAX_RANK).contains(&rank) || !(1..=MAX_NAME).contains(&length) {
            return Err(source.malformed_at(
                start,
                format!("a tensor with {rank} dimensions and a name of {length} bytes"),
            ));
        }
        let mut dimensions = Vec::new();
        for _ in 0..rank {
            dimensions.push(source.i32(WHAT)?);
        }
        let name = source.text(length.unsigned_abs().into(), "the name of a tensor")?;
        Ok(Self {
            name,
            dimensions,
            kind,
        })
    }

    pub(super) fn to_bytes(&self) -> Vec<u8> {
        let counts = [
            self.dimensions.len() as i32,
            self.name.len() as i32,
            self.kind,
        ];
        let numbers = counts.iter().chain(&self.dimensions);
        let mut bytes: Vec<u8> = numbers.flat_map(|number| number.to_le_bytes()).collect();
        bytes.extend(self.name.as_bytes());
        bytes
    }

    /// Number of elements; none if a dimension is not positive or the product too large.
    pub(super) fn elements(&self) -> Option<u64> {
        self.dimensions.iter().try_fold(1u64, |product, &size| {
            u64::try_from(size)
                .ok()
                .filter(|&size| size > 0)?
                .checked_mul(product)
        })
    }
}
