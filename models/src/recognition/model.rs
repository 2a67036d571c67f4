//! A Whisper model in memory, shared by all recognisers.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use whisper_rs::{
    DtwMode, DtwModelPreset, DtwParameters, WhisperContext, WhisperContextParameters,
    install_logging_hooks,
};

use super::{
    RecognitionError,
    ggml::{self, Header},
};

/// Work space for word times, in bytes, for models with few and with many alignment heads.
const ALIGNMENT_MEMORY: (usize, usize) = (128 << 20, 512 << 20);

/// A Whisper model in ggml form, loaded once. Cheap to clone: clones share the weights.
#[derive(Debug, Clone)]
pub struct WhisperModel {
    pub(super) context: Arc<WhisperContext>,
    pub(super) header: Header,
}

impl WhisperModel {
    /// Loads a model file (`ggml-base.bin` and its like, also quantised).
    ///
    /// whisper.cpp's own messages go to `tracing` from then on.
    ///
    /// # Errors
    /// [`RecognitionError::Load`] when the file is missing, cut short, damaged, or no such model.
    pub fn load(path: &Path) -> Result<Self, RecognitionError> {
        install_logging_hooks();
        let failed = |reason: String| RecognitionError::Load {
            path: PathBuf::from(path),
            reason,
        };
        let header = ggml::check(path).map_err(failed)?;
        let mut parameters = WhisperContextParameters::new();
        // On a CPU flash attention is slower, and it rules out word times.
        parameters
            .use_gpu(false)
            .flash_attn(false)
            .dtw_parameters(DtwParameters {
                mode: alignment_heads(&header),
                dtw_mem_size: if header.width > 768 {
                    ALIGNMENT_MEMORY.1
                } else {
                    ALIGNMENT_MEMORY.0
                },
            });
        let context = WhisperContext::new_with_params(path, parameters).map_err(|_| {
            failed("whisper.cpp refuses it (its log says why): fetch it again".to_owned())
        })?;
        Ok(Self {
            context: Arc::new(context),
            header,
        })
    }

    /// Whether it knows languages other than English.
    #[must_use]
    pub fn is_multilingual(&self) -> bool {
        self.header.is_multilingual()
    }
}

/// The attention heads that follow the sound: known for OpenAI's models, guessed for others.
fn alignment_heads(header: &Header) -> DtwMode<'static> {
    let multilingual = header.is_multilingual();
    let or_english = |preset, english| if multilingual { preset } else { english };
    let model_preset = match (header.width, header.audio_layers, header.text_layers) {
        (384, 4, 4) => or_english(DtwModelPreset::Tiny, DtwModelPreset::TinyEn),
        (512, 6, 6) => or_english(DtwModelPreset::Base, DtwModelPreset::BaseEn),
        (768, 12, 12) => or_english(DtwModelPreset::Small, DtwModelPreset::SmallEn),
        (1024, 24, 24) => or_english(DtwModelPreset::Medium, DtwModelPreset::MediumEn),
        (1280, 32, 32) if header.vocabulary > 51_865 => DtwModelPreset::LargeV3,
        (1280, 32, 32) => DtwModelPreset::LargeV2,
        (1280, 32, 4) => DtwModelPreset::LargeV3Turbo,
        _ => {
            return DtwMode::TopMost {
                n_top: (header.text_layers / 2).max(1),
            };
        }
    };
    DtwMode::ModelPreset { model_preset }
}
