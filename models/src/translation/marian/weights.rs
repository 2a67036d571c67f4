//! Loads `model.safetensors` so that each tensor is in memory once.

use std::{collections::HashMap, path::Path};

use candle_core::{DType, Device, Tensor, safetensors::MmapedSafetensors};
use candle_nn::VarBuilder;

use super::{MarianOptions, config::MarianConfig, network::Network};
use crate::translation::TranslationError;

/// The network computes the sinusoids itself; the file's copies would only take room.
const COMPUTED: &str = "embed_positions";

/// `in_target` tells of each token whether a target may hold it.
pub(super) fn read(
    folder: &Path,
    config: &MarianConfig,
    options: &MarianOptions,
    in_target: &dyn Fn(usize) -> bool,
) -> Result<Network, TranslationError> {
    let refuse = |error: candle_core::Error| TranslationError::Load {
        path: folder.to_owned(),
        reason: format!("model.safetensors: {error}"),
    };
    let device = Device::Cpu;
    let tensors = read_tensors(&folder.join("model.safetensors"), &device).map_err(refuse)?;
    let builder = VarBuilder::from_tensors(tensors, DType::F32, &device);
    Network::read(config, options, in_target, &builder).map_err(refuse)
}

/// Copies each tensor out of the mapped file, as f32; the mapping ends with this function. (A
/// `VarBuilder` over the mapping would copy the shared embedding anew at each use.)
#[expect(unsafe_code, reason = "mapping a file is unsafe")]
fn read_tensors(path: &Path, device: &Device) -> candle_core::Result<HashMap<String, Tensor>> {
    // SAFETY: sound as long as nobody truncates or rewrites the file while it is read; model files
    // are written once, under another name, and then renamed into place.
    let file = unsafe { MmapedSafetensors::new(path)? };
    file.tensors()
        .into_iter()
        .filter(|(name, _)| !name.contains(COMPUTED))
        .map(|(name, _)| {
            let tensor = file.load(&name, device)?.to_dtype(DType::F32)?;
            Ok((name, tensor))
        })
        .collect()
}
