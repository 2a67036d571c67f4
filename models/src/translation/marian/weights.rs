//! The weights of an OPUS-MT model, in whichever form its folder has them: `model.q8.safetensors`
//! ([`crate::convert::marian_to_bytes`]), which loads in a moment, or `model.safetensors`.

use std::{collections::HashMap, fmt::Display, path::Path};

use candle_core::{DType, Device, Error, Result, Tensor, safetensors::MmapedSafetensors};
use safetensors::{Dtype, SafeTensors, tensor::Metadata};

use super::{
    MarianOptions, Precision,
    config::MarianConfig,
    network::{ByteMatrix, Network, Weight},
};
use crate::translation::TranslationError;

/// The file with 8-bit matrices.
pub(crate) const BYTE_FILE: &str = "model.q8.safetensors";
/// What is added to the name of an 8-bit matrix for what its rows' steps are worth.
pub(crate) const SCALES: &str = "_scales";
/// Tensors that the network computes itself.
pub(crate) const COMPUTED: &str = "embed_positions";

/// `in_target` tells of each token whether a target may hold it.
pub(super) fn read(
    folder: &Path,
    config: &MarianConfig,
    options: &MarianOptions,
    in_target: &dyn Fn(usize) -> bool,
) -> std::result::Result<Network, TranslationError> {
    let bytes = folder.join(BYTE_FILE);
    let (name, weights) = if options.precision == Precision::Q8 && bytes.exists() {
        (BYTE_FILE, ByteFile::read(&bytes).map(Weights::Bytes))
    } else {
        let full = read_tensors(&folder.join("model.safetensors"));
        let precision = options.precision;
        (
            "model.safetensors",
            full.map(|full| Weights::Full(full, precision)),
        )
    };
    weights
        .and_then(|weights| Network::read(config, options, in_target, &weights.root()))
        .map_err(|error| TranslationError::Load {
            path: folder.to_owned(),
            reason: format!("{name}: {error}"),
        })
}

/// Named tensors.
pub(super) enum Weights {
    /// In 32 bits; matrices are brought to this precision as they are taken.
    Full(HashMap<String, Tensor>, Precision),
    /// Matrices in 8 bits.
    Bytes(ByteFile),
}

/// A file with 8-bit matrices, in memory.
pub(super) struct ByteFile {
    bytes: Vec<u8>,
    /// Where in them the tensors begin.
    begin: usize,
    metadata: Metadata,
}

/// A place in the names of tensors, which are paths.
#[derive(Clone)]
pub(super) struct At<'a> {
    weights: &'a Weights,
    prefix: String,
}

impl Weights {
    /// Where all names begin.
    pub(super) fn root(&self) -> At<'_> {
        At {
            weights: self,
            prefix: String::new(),
        }
    }
}

impl At<'_> {
    /// The place below this one.
    pub(super) fn at(&self, name: impl Display) -> Self {
        At {
            weights: self.weights,
            prefix: format!("{}{name}.", self.prefix),
        }
    }

    /// So many numbers.
    pub(super) fn numbers(&self, name: &str, count: usize) -> Result<Vec<f32>> {
        let name = format!("{}{name}", self.prefix);
        let numbers = match self.weights {
            Weights::Full(tensors, _) => find(tensors, &name)?.flatten_all()?.to_vec1()?,
            Weights::Bytes(file) => file.floats(&name)?,
        };
        if numbers.len() == count {
            Ok(numbers)
        } else {
            Err(Error::Msg(format!(
                "'{name}' has {} numbers instead of {count}",
                numbers.len()
            )))
        }
    }

    /// A matrix [outputs, inputs].
    pub(super) fn matrix(&self, name: &str, outputs: usize, inputs: usize) -> Result<Weight> {
        let name = format!("{}{name}", self.prefix);
        let expected = [outputs, inputs];
        let check = |shape: &[usize]| {
            if shape == expected {
                Ok(())
            } else {
                Err(Error::Msg(format!(
                    "'{name}' is {shape:?} instead of {expected:?}"
                )))
            }
        };
        match self.weights {
            Weights::Full(tensors, precision) => {
                let tensor = find(tensors, &name)?;
                check(tensor.dims())?;
                Weight::new(tensor, *precision)
            }
            Weights::Bytes(file) => {
                let (shape, bytes) = file.data(&name, Dtype::I8)?;
                check(shape)?;
                let scales = file.floats(&format!("{name}{SCALES}"))?;
                if scales.len() != outputs {
                    return Err(Error::Msg(format!("'{name}' has too few scales")));
                }
                let bytes: Vec<i8> = bytes.iter().map(|byte| byte.cast_signed()).collect();
                Ok(Weight::Bytes(ByteMatrix::fitted(&bytes, scales, inputs)))
            }
        }
    }
}

fn find<'a>(tensors: &'a HashMap<String, Tensor>, name: &str) -> Result<&'a Tensor> {
    tensors
        .get(name)
        .ok_or_else(|| Error::Msg(format!("there is no '{name}'")))
}

impl ByteFile {
    fn read(path: &Path) -> Result<Self> {
        let bytes = std::fs::read(path)?;
        let (length, metadata) = SafeTensors::read_metadata(&bytes).map_err(Error::wrap)?;
        // The header has its length before it, in eight bytes.
        let begin = length + 8;
        let end = begin + metadata.data_len();
        if end != bytes.len() {
            return Err(Error::Msg(format!(
                "it has {} bytes instead of {end}: it is damaged",
                bytes.len()
            )));
        }
        Ok(Self {
            bytes,
            begin,
            metadata,
        })
    }

    fn data(&self, name: &str, dtype: Dtype) -> Result<(&[usize], &[u8])> {
        let info = self.metadata.info(name);
        let info = info.ok_or_else(|| Error::Msg(format!("there is no '{name}'")))?;
        if info.dtype != dtype {
            return Err(Error::Msg(format!("'{name}' is not {dtype:?}")));
        }
        let (from, to) = info.data_offsets;
        let data = self.bytes.get(self.begin + from..self.begin + to);
        let data = data.ok_or_else(|| Error::Msg(format!("'{name}' is cut off")))?;
        Ok((&info.shape, data))
    }

    fn floats(&self, name: &str) -> Result<Vec<f32>> {
        let (_, data) = self.data(name, Dtype::F32)?;
        let (numbers, _) = data.as_chunks::<4>();
        Ok(numbers.iter().map(|n| f32::from_le_bytes(*n)).collect())
    }
}

/// Copies each tensor out of the mapped file, as f32; the mapping ends with this function.
#[expect(unsafe_code, reason = "mapping a file is unsafe")]
fn read_tensors(path: &Path) -> Result<HashMap<String, Tensor>> {
    // SAFETY: sound as long as nobody truncates or rewrites the file while it is read; model files
    // are written once, under another name, and then renamed into place.
    let file = unsafe { MmapedSafetensors::new(path)? };
    file.tensors()
        .into_iter()
        .filter(|(name, _)| !name.contains(COMPUTED))
        .map(|(name, _)| {
            let tensor = file.load(&name, &Device::Cpu)?.to_dtype(DType::F32)?;
            Ok((name, tensor))
        })
        .collect()
}
