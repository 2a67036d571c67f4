//! Writing tensors as safetensors, in an order that depends on their names only.

use std::collections::HashMap;
use std::io::{Read, Seek};

use safetensors::tensor::{Metadata, TensorInfo};

use super::super::output::{CHUNK, Output, Progress};
use super::super::{ConvertError, source::Source};
use super::checkpoint::Checkpoint;
use super::element_bytes;
use super::value::View;

/// A tensor with its place: where it starts in the file and what it takes in the new one, in bytes.
struct Placed<'a> {
    name: &'a str,
    view: &'a View,
    storage: u64,
    bytes: u64,
}

/// Writes all tensors of `checkpoint`, larger element types first and then by name, as the
/// safetensors library does.
pub(super) fn write<R: Read + Seek>(
    source: &mut Source<R>,
    checkpoint: &Checkpoint,
    output: &mut Output,
    report: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let mut placed = checkpoint
        .tensors
        .iter()
        .map(|(name, view)| place(source, checkpoint, name, view))
        .collect::<Result<Vec<_>, _>>()?;
    placed.sort_by(|a, b| {
        b.view
            .storage
            .dtype
            .cmp(&a.view.storage.dtype)
            .then_with(|| a.name.cmp(b.name))
    });
    let total = placed
        .iter()
        .try_fold(0u64, |sum, tensor| sum.checked_add(tensor.bytes));
    // Tied weights may be views of one storage, thousands of views of one storage are an attack.
    let total = total
        .filter(|&total| total / 8 <= source.length())
        .ok_or_else(|| {
            source.malformed_at(0, "the tensors together are far larger than the file")
        })?;

    output.write(&header(source, &placed)?)?;
    let mut progress = Progress::new(total, report);
    for tensor in &placed {
        if contiguous(tensor.view) {
            let width = element_bytes(tensor.view.storage.dtype);
            source.seek(tensor.storage + tensor.view.offset * width)?;
            output.copy(source, tensor.bytes, "a tensor", &mut progress)?;
        } else {
            gather(source, tensor, output, &mut progress)?;
        }
    }
    progress.finish();
    Ok(())
}

/// Checks that the view lies within its storage. After this no arithmetic on it can overflow.
fn place<'a, R: Read + Seek>(
    source: &Source<R>,
    checkpoint: &Checkpoint,
    name: &'a str,
    view: &'a View,
) -> Result<Placed<'a>, ConvertError> {
    let broken = |problem: &str| {
        source.malformed_at(0, format!("tensor `{}` {problem}", name.escape_debug()))
    };
    let storage = checkpoint.storages.get(&view.storage.key);
    let &storage = storage.ok_or_else(|| broken("has no storage"))?;
    let elements = view
        .shape
        .iter()
        .try_fold(1u64, |product, &size| product.checked_mul(size));
    // A stride of 0 could make a file of any size from one number.
    let elements = elements
        .filter(|&elements| elements <= view.storage.elements)
        .ok_or_else(|| broken("has more elements than its storage"))?;
    if elements > 0 {
        let mut steps = view.shape.iter().zip(&view.strides);
        let last = steps.try_fold(view.offset, |sum, (&size, &stride)| {
            sum.checked_add((size - 1).checked_mul(stride)?)
        });
        last.filter(|&last| last < view.storage.elements)
            .ok_or_else(|| broken("reaches beyond its storage"))?;
    } else if view.offset > view.storage.elements {
        return Err(broken("starts beyond its storage"));
    }
    Ok(Placed {
        name,
        view,
        storage,
        bytes: elements * element_bytes(view.storage.dtype),
    })
}

fn header<R: Read + Seek>(
    source: &Source<R>,
    placed: &[Placed<'_>],
) -> Result<Vec<u8>, ConvertError> {
    let broken = |e: &dyn std::fmt::Display| {
        source.malformed_at(0, format!("the tensor table cannot be written: {e}"))
    };
    let mut end = 0;
    let mut infos = Vec::with_capacity(placed.len());
    for tensor in placed {
        let shape = tensor.view.shape.iter().map(|&size| usize::try_from(size));
        let shape = shape
            .collect::<Result<Vec<_>, _>>()
            .map_err(|e| broken(&e))?;
        let start = end;
        end += usize::try_from(tensor.bytes).map_err(|e| broken(&e))?;
        let (dtype, data_offsets) = (tensor.view.storage.dtype, (start, end));
        infos.push((
            tensor.name.to_owned(),
            TensorInfo {
                dtype,
                shape,
                data_offsets,
            },
        ));
    }
    // Other readers (transformers) refuse a file that does not say for what it was written.
    let about = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    let metadata = Metadata::new(Some(about), infos).map_err(|e| broken(&e))?;
    let mut json = serde_json::to_vec(&metadata).map_err(|e| broken(&e))?;
    json.resize(json.len().next_multiple_of(8), b' ');
    let mut header = (json.len() as u64).to_le_bytes().to_vec();
    header.append(&mut json);
    Ok(header)
}

fn contiguous(view: &View) -> bool {
    if view.shape.contains(&0) {
        return true;
    }
    let mut expected = 1;
    for (&size, &stride) in view.shape.iter().zip(&view.strides).rev() {
        if size != 1 && stride != expected {
            return false;
        }
        expected *= size;
    }
    true
}

/// Writes a view whose elements do not follow each other, in row-major order.
fn gather<R: Read + Seek>(
    source: &mut Source<R>,
    tensor: &Placed<'_>,
    output: &mut Output,
    progress: &mut Progress<'_>,
) -> Result<(), ConvertError> {
    let view = tensor.view;
    let width = element_bytes(view.storage.dtype);
    let span: u64 = view
        .shape
        .iter()
        .zip(&view.strides)
        .map(|(s, stride)| (s - 1) * stride)
        .sum();
    source.seek(tensor.storage + view.offset * width)?;
    let data = source.bytes((span + 1) * width, "a tensor")?;
    let mut index = vec![0u64; view.shape.len()];
    let mut chunk = Vec::with_capacity(CHUNK as usize);
    for _ in 0..tensor.bytes / width {
        let element: u64 = index
            .iter()
            .zip(&view.strides)
            .map(|(i, stride)| i * stride)
            .sum();
        let start = (element * width) as usize;
        chunk.extend_from_slice(&data[start..start + width as usize]);
        if chunk.len() as u64 >= CHUNK {
            output.write(&chunk)?;
            progress.advance(chunk.len() as u64);
            chunk.clear();
        }
        for (i, &size) in index.iter_mut().zip(&view.shape).rev() {
            *i += 1;
            if *i < size {
                break;
            }
            *i = 0;
        }
    }
    output.write(&chunk)?;
    progress.advance(chunk.len() as u64);
    Ok(())
}
