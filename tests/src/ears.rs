//! A machine's ears: recognition of whole recordings, run offline.

use std::path::Path;

use anyhow::Result;
use interpret_models::{
    Language,
    catalogue::Role,
    recognition::{WhisperModel, recognize_whole},
    store::{Settings, Store},
};

use crate::speech;

/// The text of a whole recording, by whisper.cpp's own long-form decoding with the daemon's default
/// model.
///
/// # Errors
/// When the model is not fetched or fails.
pub fn listen(samples: &[f32], language: &str) -> Result<String> {
    let store = Store::open(Settings::from_env()?)?;
    let model = WhisperModel::load(store.recognition(None)?.file(Role::Weights)?)?;
    let language: Language = language.parse()?;
    Ok(recognize_whole(&model, samples, language, 2)?)
}

/// The text of a sound file.
///
/// # Errors
/// As [`listen`], or when the file cannot be read.
pub fn listen_to_file(path: &Path, language: &str) -> Result<String> {
    listen(&speech::read(path)?, language)
}
