//! Loads `model.safetensors` so that each tensor is in memory once.

use std::{collections::HashMap, path::Path};

use candle_core::{DType, Device, Tensor, safetensors::MmapedSafetensors};
use candle_nn::VarBuilder;
use candle_transformers::models::marian::{Decoder, Encoder, MTModel};

use super::config::MarianConfig;
use crate::translation::TranslationError;

/// The tensor that is source embedding, target embedding and output layer at once.
const SHARED: &str = "model.shared.weight";
/// candle computes the sinusoids itself; the file's copies would only take room.
const COMPUTED: &str = "embed_positions";

/// The network. Encoder and decoder keep a cache inside, so each use starts from a clone: tensors
/// are reference-counted, and no state survives a sentence or an error.
pub(super) struct Weights {
    model: MTModel,
    /// Shared embedding, transposed: [model width, vocabulary]. The same memory as the model's.
    output: Tensor,
    /// Bias of the output layer: [1, vocabulary].
    bias: Tensor,
}

impl Weights {
    pub(super) fn read(
        folder: &Path,
        config: &MarianConfig,
        device: &Device,
    ) -> Result<Self, TranslationError> {
        let refuse = |error: candle_core::Error| TranslationError::Load {
            path: folder.to_owned(),
            reason: format!("model.safetensors: {error}"),
        };
        let tensors = read_tensors(&folder.join("model.safetensors"), device).map_err(refuse)?;
        let build = || -> candle_core::Result<Self> {
            let builder = VarBuilder::from_tensors(tensors, DType::F32, device);
            let output = builder
                .get((config.vocabulary(), config.width()), SHARED)?
                .t()?;
            let bias = builder.get((1, config.vocabulary()), "final_logits_bias")?;
            let model = MTModel::new(&config.for_candle(), builder)?;
            Ok(Self {
                model,
                output,
                bias,
            })
        };
        build().map_err(refuse)
    }

    /// A fresh encoder.
    pub(super) fn encoder(&mut self) -> Encoder {
        self.model.encoder().clone()
    }

    /// A decoder with an empty cache.
    pub(super) fn decoder(&mut self) -> Decoder {
        self.model.decoder().clone()
    }

    /// Scores of all tokens, before softmax: [rows, width] to [rows, vocabulary].
    pub(super) fn logits(&self, hidden: &Tensor) -> candle_core::Result<Tensor> {
        hidden.matmul(&self.output)?.broadcast_add(&self.bias)
    }
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
