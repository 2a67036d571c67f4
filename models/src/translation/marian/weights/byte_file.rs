//! A safetensors file with 8-bit matrices (`model.q8.safetensors`).

use std::{
    fs::File,
    io::{Read as _, Seek as _, SeekFrom},
    path::Path,
};

use candle_core::{Error, Result};
use safetensors::{Dtype, tensor::Metadata};

use super::{SCALES, check};

/// A file with 8-bit matrices, from which each tensor is read when it is asked for: memory never holds the
/// whole file beside what is made of it.
pub(in crate::translation::marian) struct ByteFile {
    file: File,
    /// Where in it the tensors begin.
    begin: usize,
    metadata: Metadata,
}

impl ByteFile {
    /// Opens a file and reads what it holds. One that is not whole is an error.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let mut file = File::open(path)?;
        let size = file.metadata()?.len();
        let mut length = [0; 8];
        file.read_exact(&mut length)?;
        let length = u64::from_le_bytes(length);
        if length > size {
            return Err(Error::Msg("it is no safetensors file".to_owned()));
        }
        let mut header = Vec::new();
        (&file).take(length).read_to_end(&mut header)?;
        // (`SafeTensors::read_metadata` wants the whole file in memory.)
        let metadata: Metadata = serde_json::from_slice(&header).map_err(Error::wrap)?;
        let begin = size_of_val(&length) + header.len();
        let end = (begin + metadata.data_len()) as u64;
        if end != size {
            return Err(Error::Msg(format!(
                "it has {size} bytes instead of {end}: it is damaged"
            )));
        }
        Ok(Self {
            file,
            begin,
            metadata,
        })
    }

    /// How many bytes all tensors have.
    pub(super) fn bytes(&self) -> usize {
        self.metadata.data_len()
    }

    fn data(&self, name: &str, dtype: Dtype) -> Result<(Vec<usize>, Vec<u8>)> {
        let info = self.metadata.info(name);
        let info = info.ok_or_else(|| Error::Msg(format!("there is no '{name}'")))?;
        if info.dtype != dtype {
            return Err(Error::Msg(format!("'{name}' is not {dtype:?}")));
        }
        let (from, to) = info.data_offsets;
        let mut data = vec![0; to.saturating_sub(from)];
        let numbers: usize = info.shape.iter().product();
        if data.len() * 8 != numbers * dtype.bitsize() {
            return Err(Error::Msg(format!(
                "'{name}' has {} bytes for {numbers} numbers",
                data.len()
            )));
        }
        let mut file = &self.file;
        file.seek(SeekFrom::Start((self.begin + from) as u64))?;
        file.read_exact(&mut data)
            .map_err(|error| Error::Msg(format!("'{name}': {error}")))?;
        Ok((info.shape.clone(), data))
    }

    /// The bytes of a matrix [outputs, inputs], and what a step is worth in each output's.
    pub(super) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<(Vec<u8>, Vec<f32>)> {
        let (found, bytes) = self.data(name, Dtype::I8)?;
        check(name, &found, shape)?;
        let scales = self.floats(&format!("{name}{SCALES}"))?;
        if scales.len() == shape[0] {
            Ok((bytes, scales))
        } else {
            Err(Error::Msg(format!(
                "'{name}' has {} scales instead of {}",
                scales.len(),
                shape[0]
            )))
        }
    }

    /// Numbers in 32 bits.
    pub(super) fn floats(&self, name: &str) -> Result<Vec<f32>> {
        let (_, data) = self.data(name, Dtype::F32)?;
        let (numbers, _) = data.as_chunks::<4>();
        Ok(numbers.iter().map(|n| f32::from_le_bytes(*n)).collect())
    }
}
