//! 8-bit matrices for OPUS-MT files.

use std::path::Path;

use safetensors::{Dtype, SafeTensors, tensor::TensorView};

use super::{
    ConvertError,
    output::{Output, Progress},
};
use crate::translation::marian::{COMPUTED, SCALES, quantized};

/// Names that end so are copies of the shared table.
const COPIES: [&str; 2] = ["embed_tokens.weight", "lm_head.weight"];

/// Writes an OPUS-MT model's `model.safetensors` (32 bits) with its matrices in 8 bits, each output's
/// weights with a scale of their own: a quarter of the size, and what the engine computes with.
///
/// `progress` is called with the fraction done, 0 to 1.
///
/// # Errors
/// If a file cannot be read or written, or `src` is no safetensors file with 32-bit numbers.
pub fn marian_to_bytes(
    src: &Path,
    dst: &Path,
    progress: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let file = std::fs::read(src).map_err(|error| ConvertError::io("read", src, error))?;
    let broken = |problem: String| ConvertError::Malformed {
        path: src.to_owned(),
        offset: 0,
        problem,
    };
    let tensors = SafeTensors::deserialize(&file).map_err(|error| broken(error.to_string()))?;
    let mut progress = Progress::new(file.len() as u64, progress);
    let mut written: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    for (name, view) in tensors.tensors() {
        progress.advance(view.data().len() as u64);
        if name.contains(COMPUTED) || COPIES.iter().any(|copy| name.ends_with(copy)) {
            continue;
        }
        if view.dtype() != Dtype::F32 {
            return Err(ConvertError::unsupported(
                src,
                format!("'{name}' is {:?}, not 32-bit numbers", view.dtype()),
                "Save the model with 32-bit numbers",
            ));
        }
        let shape = view.shape().to_vec();
        match shape[..] {
            [_, inputs] if inputs > 0 && name.ends_with(".weight") => {
                let (numbers, _) = view.data().as_chunks::<4>();
                let numbers: Vec<f32> = numbers.iter().map(|n| f32::from_le_bytes(*n)).collect();
                let (bytes, scales) = quantized(&numbers, inputs);
                let bytes = bytes.iter().map(|byte| byte.cast_unsigned()).collect();
                let outputs = vec![scales.len()];
                let scales = scales
                    .iter()
                    .flat_map(|scale| scale.to_le_bytes())
                    .collect();
                written.push((format!("{name}{SCALES}"), Dtype::F32, outputs, scales));
                written.push((name, Dtype::I8, shape, bytes));
            }
            _ => written.push((name, Dtype::F32, shape, view.data().to_vec())),
        }
    }
    drop(file);
    let views = written.iter().map(|(name, dtype, shape, data)| {
        let view = TensorView::new(*dtype, shape.clone(), data);
        view.map(|view| (name, view))
    });
    let views = views.collect::<Result<Vec<_>, _>>();
    let bytes = views.and_then(|views| safetensors::serialize(views, None));
    let bytes = bytes.map_err(|error| broken(error.to_string()))?;
    let mut output = Output::create(dst)?;
    output.write(&bytes)?;
    progress.finish();
    output.finish()
}
