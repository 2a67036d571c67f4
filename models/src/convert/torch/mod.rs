//! `PyTorch` checkpoints to safetensors.

mod checkpoint;
mod unpickle;
mod value;
mod write;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::io::{Read, Seek};
use std::path::Path;

use safetensors::{Dtype, tensor::Metadata};

use super::output::{Output, Progress};
use super::{ConvertError, source::Source};
use value::View;

/// Copies of `model.shared.weight` under the names that `PyTorch` gives them.
const TIED: [&str; 3] = [
    "model.encoder.embed_tokens.weight",
    "model.decoder.embed_tokens.weight",
    "lm_head.weight",
];
const SHARED: &str = "model.shared.weight";

/// Writes the tensors of a `PyTorch` checkpoint (`pytorch_model.bin`) as safetensors.
///
/// Reads the legacy container (before `PyTorch` 1.6, which the OPUS-MT models of the hub have) and
/// the zip container of today; a file that is safetensors already is copied as it is. Names, types
/// and numbers stay; only embeddings tied to `model.shared.weight` (the same numbers of the same
/// storage) are left out. The result depends on nothing but the numbers, so its SHA-256 is fixed.
///
/// `progress` is called with the fraction done, 0 to 1.
///
/// # Errors
/// If the file cannot be read or written, is damaged, or holds anything but a dictionary of plain
/// tensors. Code in the pickle is refused by name and never run.
pub fn torch_legacy_to_safetensors(
    src: &Path,
    dst: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    convert(&mut Source::open(src)?, dst, progress)
}

fn convert<R: Read + Seek>(
    source: &mut Source<R>,
    dst: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let start = source.bytes(source.length().min(9), "the start of the file")?;
    source.seek(0)?;
    let mut checkpoint = if start.starts_with(b"PK\x03\x04") {
        checkpoint::zipped(source)?
    } else if start.first() == Some(&0x80) {
        checkpoint::legacy(source)?
    } else if start.last() == Some(&b'{') {
        return copy(source, dst, progress);
    } else {
        return Err(source.malformed(
            "neither a PyTorch checkpoint (legacy or zip) nor a safetensors file begins like this",
        ));
    };
    drop_tied(&mut checkpoint.tensors);
    let mut output = Output::create(dst)?;
    write::write(source, &checkpoint, &mut output, progress)?;
    output.finish()
}

fn copy<R: Read + Seek>(
    source: &mut Source<R>,
    dst: &Path,
    report: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let table = u64::from_le_bytes(source.array("the length of the tensor table")?);
    let table = source.bytes(table, "the tensor table")?;
    let numbers = serde_json::from_slice::<Metadata>(&table)
        .map_err(|e| source.malformed_at(8, format!("the tensor table cannot be read: {e}")))?
        .data_len();
    if source.remaining() != numbers as u64 {
        return Err(source.malformed(format!(
            "the tensors should take {numbers} bytes, but {} follow",
            source.remaining()
        )));
    }
    source.seek(0)?;
    let mut output = Output::create(dst)?;
    let mut progress = Progress::new(source.length(), report);
    output.copy(source, source.length(), "the file", &mut progress)?;
    progress.finish();
    output.finish()
}

fn drop_tied(tensors: &mut BTreeMap<String, View>) {
    if let Some(shared) = tensors.get(SHARED).cloned() {
        tensors.retain(|name, view| !TIED.contains(&name.as_str()) || *view != shared);
    }
}

/// Bytes of one element. All types of [`value::Global::StorageType`] are whole bytes.
fn element_bytes(dtype: Dtype) -> u64 {
    (dtype.bitsize() / 8) as u64
}
