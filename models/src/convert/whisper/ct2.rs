//! A `CTranslate2` model file (`model.bin`): named arrays behind a short header.
//!
//! The layout is that of `ctranslate2/specs/model_spec.py`: binary version, specification name and
//! revision, then for each variable its name, shape, type, byte length and bytes.

use std::collections::HashMap;
use std::io::{Read, Seek};

use half::{bf16, f16};

use super::super::{ConvertError, source::Source};

/// Binary versions with explicit types. Older ones (before `CTranslate2` 1.8) predate Whisper.
const VERSIONS: std::ops::RangeInclusive<u32> = 4..=6;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Type {
    F32,
    I8,
    I16,
    I32,
    F16,
    Bf16,
}

impl Type {
    fn bytes(self) -> u64 {
        match self {
            Self::I8 => 1,
            Self::I16 | Self::F16 | Self::Bf16 => 2,
            Self::F32 | Self::I32 => 4,
        }
    }
}

#[derive(Debug)]
struct Variable {
    dtype: Type,
    shape: Vec<usize>,
    start: u64,
    bytes: u64,
}

/// A variable's numbers, row-major.
#[derive(Debug)]
pub(super) struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
    /// Bytes that it takes in the file.
    pub bytes: u64,
}

#[derive(Debug)]
pub(super) struct Ct2<R> {
    source: Source<R>,
    variables: HashMap<String, Variable>,
}

impl<R: Read + Seek> Ct2<R> {
    /// Reads the table of a Whisper model; no weights yet.
    pub(super) fn read(mut source: Source<R>) -> Result<Self, ConvertError> {
        let version = source.u32("the CTranslate2 version")?;
        if !VERSIONS.contains(&version) {
            return Err(source.malformed_at(
                0,
                format!("a CTranslate2 file starts with version 4, 5 or 6, not {version}"),
            ));
        }
        let specification = name(&mut source)?;
        source.u32("the revision")?;
        if specification != "WhisperSpec" {
            return Err(ConvertError::unsupported(
                source.path(),
                format!(
                    "it is a CTranslate2 model of the kind {}",
                    specification.escape_debug()
                ),
                "Only Whisper models (WhisperSpec) can become ggml",
            ));
        }
        let count = source.u32("the number of variables")?;
        let mut variables = HashMap::new();
        for _ in 0..count {
            let start = source.position();
            let name = name(&mut source)?;
            let variable = variable(&mut source)?;
            source.seek(variable.start + variable.bytes)?;
            if variables.insert(name, variable).is_some() {
                return Err(source.malformed_at(start, "two variables have the same name"));
            }
        }
        Ok(Self { source, variables })
    }

    pub(super) fn source(&self) -> &Source<R> {
        &self.source
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.variables.contains_key(name)
    }

    fn variable(&self, name: &str) -> Result<&Variable, ConvertError> {
        self.variables.get(name).ok_or_else(|| {
            self.source
                .malformed(format!("the table ends without the variable {name}"))
        })
    }

    pub(super) fn shape(&self, name: &str) -> Result<&[usize], ConvertError> {
        Ok(&self.variable(name)?.shape)
    }

    /// A single integer.
    pub(super) fn integer(&mut self, name: &str) -> Result<i32, ConvertError> {
        let array = self.raw(name)?;
        match array.values[..] {
            [value] => Ok(value as i32),
            _ => Err(self
                .source
                .malformed(format!("{name} is not a single number"))),
        }
    }

    /// A variable as floats: half precision widened, integers divided by their scale.
    pub(super) fn floats(&mut self, name: &str) -> Result<Array, ConvertError> {
        let mut array = self.raw(name)?;
        let dtype = self.variable(name)?.dtype;
        match dtype {
            Type::F32 | Type::F16 | Type::Bf16 => {}
            Type::I8 | Type::I16 => {
                let scale = self.raw(&format!("{name}_scale"))?;
                array.bytes += scale.bytes;
                let rows = scale.values.len();
                if rows == 0 || !array.values.len().is_multiple_of(rows) {
                    return Err(self
                        .source
                        .malformed(format!("{name} does not fit its scale")));
                }
                let width = (array.values.len() / rows).max(1);
                for (row, scale) in array.values.chunks_mut(width).zip(&scale.values) {
                    row.iter_mut().for_each(|value| *value /= scale);
                }
            }
            Type::I32 => {
                return Err(ConvertError::unsupported(
                    self.source.path(),
                    format!("{name} is packed into 32-bit integers (4-bit weights)"),
                    "Convert the model again with float16 or int8 weights",
                ));
            }
        }
        Ok(array)
    }

    fn raw(&mut self, name: &str) -> Result<Array, ConvertError> {
        let variable = self.variable(name)?;
        let (dtype, shape, bytes) = (variable.dtype, variable.shape.clone(), variable.bytes);
        let start = variable.start;
        self.source.seek(start)?;
        let data = self.source.bytes(bytes, name)?;
        let (pairs, quads) = (data.as_chunks::<2>().0, data.as_chunks::<4>().0);
        let values = match dtype {
            Type::F32 => quads.iter().map(|&b| f32::from_le_bytes(b)).collect(),
            Type::F16 => pairs
                .iter()
                .map(|&b| f16::from_le_bytes(b).to_f32())
                .collect(),
            Type::Bf16 => pairs
                .iter()
                .map(|&b| bf16::from_le_bytes(b).to_f32())
                .collect(),
            Type::I8 => data.iter().map(|&b| f32::from(b.cast_signed())).collect(),
            Type::I16 => pairs
                .iter()
                .map(|&b| f32::from(i16::from_le_bytes(b)))
                .collect(),
            Type::I32 => quads
                .iter()
                .map(|&b| i32::from_le_bytes(b) as f32)
                .collect(),
        };
        Ok(Array {
            shape,
            values,
            bytes,
        })
    }
}

/// A text with its length before and a zero behind.
fn name<R: Read + Seek>(source: &mut Source<R>) -> Result<String, ConvertError> {
    let length = source.u16("the length of a name")?;
    let text = source.text(length.into(), "a name")?;
    Ok(text.trim_end_matches('\0').to_owned())
}

fn variable<R: Read + Seek>(source: &mut Source<R>) -> Result<Variable, ConvertError> {
    let rank = source.u8("the rank of a variable")?;
    let mut shape = Vec::new();
    for _ in 0..rank {
        let size = source.u32("a dimension")?;
        shape.push(usize::try_from(size).map_err(|_| source.malformed("a huge dimension"))?);
    }
    let dtype = match source.u8("the type of a variable")? {
        0 => Type::F32,
        1 => Type::I8,
        2 => Type::I16,
        3 => Type::I32,
        4 => Type::F16,
        5 => Type::Bf16,
        other => return Err(source.malformed(format!("type {other} of a variable is unknown"))),
    };
    let bytes = u64::from(source.u32("the length of a variable")?);
    source.need(bytes, "a variable")?;
    let product = shape
        .iter()
        .try_fold(dtype.bytes(), |n, &size| n.checked_mul(size as u64));
    if product != Some(bytes) {
        return Err(source.malformed(format!("a variable of shape {shape:?} has {bytes} bytes")));
    }
    Ok(Variable {
        dtype,
        shape,
        start: source.position(),
        bytes,
    })
}
