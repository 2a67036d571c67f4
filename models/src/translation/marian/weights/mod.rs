//! The weights of an OPUS-MT model, in whichever form its folder has them: `model.q8.safetensors`
//! ([`crate::convert::marian_to_bytes`]), which loads in a moment, or `model.safetensors`.

mod byte_file;

use std::{collections::HashMap, fmt::Display, path::Path};

use candle_core::{DType, Device, Error, Result, Tensor, safetensors::MmapedSafetensors};

pub(super) use self::byte_file::ByteFile;
use super::{
    MarianOptions, Precision,
    config::MarianConfig,
    network::{ByteMatrix, Network, Shelf, Weight},
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
        (BYTE_FILE, ByteFile::open(&bytes).map(Weights::Bytes))
    } else {
        let full = read_tensors(&folder.join("model.safetensors"));
        let precision = options.precision;
        (
            "model.safetensors",
            full.map(|full| Weights::Full(full, precision)),
        )
    };
    weights
        .and_then(|weights| {
            let shelf = Shelf::new(weights.bytes());
            Network::read(config, options, in_target, &weights.root(&shelf))
        })
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

/// A place in the names of tensors, which are paths.
#[derive(Clone)]
pub(super) struct At<'a> {
    weights: &'a Weights,
    /// Where 8-bit matrices are put.
    shelf: &'a Shelf,
    prefix: String,
}

impl Weights {
    /// Where all names begin. 8-bit matrices that are taken come to lie on `shelf`.
    pub(super) fn root<'a>(&'a self, shelf: &'a Shelf) -> At<'a> {
        At {
            weights: self,
            shelf,
            prefix: String::new(),
        }
    }

    /// What 8-bit matrices take of a shelf, at most about.
    fn bytes(&self) -> usize {
        match self {
            Self::Full(_, Precision::F32) => 0,
            Self::Full(tensors, Precision::Q8) => tensors.values().map(Tensor::elem_count).sum(),
            Self::Bytes(file) => file.bytes(),
        }
    }
}

impl At<'_> {
    /// The place below this one.
    pub(super) fn at(&self, name: impl Display) -> Self {
        At {
            weights: self.weights,
            shelf: self.shelf,
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
        self.stacked(&[name.to_owned()], outputs, inputs)
    }

    /// A matrix [outputs, inputs] with its outputs in another order: each of them once.
    pub(super) fn reordered(&self, name: &str, order: &[u32], inputs: usize) -> Result<Weight> {
        let name = format!("{}{name}", self.prefix);
        let shape = [order.len(), inputs];
        match self.weights {
            Weights::Full(tensors, precision) => {
                let tensor = find(tensors, &name)?;
                check(&name, tensor.dims(), shape)?;
                let order = Tensor::new(order, tensor.device())?;
                Weight::new(&tensor.index_select(&order, 0)?, *precision, self.shelf)
            }
            Weights::Bytes(file) => {
                let (bytes, scales) = file.matrix(&name, shape)?;
                let order = || order.iter().map(|output| *output as usize);
                let scales = order().map(|output| scales[output]).collect();
                let bytes: &[i8] = bytemuck::cast_slice(&bytes);
                let rows = order().map(|output| &bytes[output * inputs..][..inputs]);
                let matrix = ByteMatrix::fitted(rows, scales, inputs, self.shelf);
                Ok(Weight::Bytes(matrix))
            }
        }
    }

    /// Several matrices [outputs, inputs] as one, which has the outputs of all, one after the other.
    pub(super) fn stacked(
        &self,
        names: &[String],
        outputs: usize,
        inputs: usize,
    ) -> Result<Weight> {
        let names = names.iter().map(|name| format!("{}{name}", self.prefix));
        match self.weights {
            Weights::Full(tensors, precision) => {
                let parts = names.map(|name| {
                    let tensor = find(tensors, &name)?;
                    check(&name, tensor.dims(), [outputs, inputs])?;
                    Ok(tensor)
                });
                Weight::new(
                    &Tensor::cat(&parts.collect::<Result<Vec<_>>>()?, 0)?,
                    *precision,
                    self.shelf,
                )
            }
            Weights::Bytes(file) => {
                let (mut all, mut all_scales) = (Vec::new(), Vec::new());
                for name in names {
                    let (bytes, scales) = file.matrix(&name, [outputs, inputs])?;
                    all.extend(bytes);
                    all_scales.extend(scales);
                }
                let all: &[i8] = bytemuck::cast_slice(&all);
                let rows = all.chunks_exact(inputs);
                let matrix = ByteMatrix::fitted(rows, all_scales, inputs, self.shelf);
                Ok(Weight::Bytes(matrix))
            }
        }
    }
}

fn check(name: &str, found: &[usize], wanted: [usize; 2]) -> Result<()> {
    if found == wanted {
        Ok(())
    } else {
        Err(Error::Msg(format!(
            "'{name}' is {found:?} instead of {wanted:?}"
        )))
    }
}

fn find<'a>(tensors: &'a HashMap<String, Tensor>, name: &str) -> Result<&'a Tensor> {
    tensors
        .get(name)
        .ok_or_else(|| Error::Msg(format!("there is no '{name}'")))
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
