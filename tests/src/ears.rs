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

/// The same, heard in pieces that end in silence: over many short phrases with pauses between them,
/// whisper.cpp's long-form decoding skips some.
///
/// # Errors
/// As [`listen`].
pub fn listen_in_pieces(samples: &[f32], language: &str) -> Result<String> {
    let mut text = String::new();
    for piece in pieces(samples) {
        text.push_str(&listen(piece, language)?);
        text.push(' ');
    }
    Ok(text)
}

/// Cuts at .3 s of silence, into pieces of 5 s and more; leaves out silence before and between them.
fn pieces(samples: &[f32]) -> Vec<&[f32]> {
    const FRAME: usize = 1_600;
    let frames: Vec<&[f32]> = samples.chunks(FRAME).collect();
    let silent = |frame: &[f32]| frame.iter().all(|sample| sample.abs() < 0.01);
    let mut pieces = Vec::new();
    let (mut begin, mut quiet) = (None, 0);
    for (index, frame) in frames.iter().enumerate() {
        quiet = if silent(frame) { quiet + 1 } else { 0 };
        match begin {
            None if quiet == 0 => begin = Some(index),
            Some(first) if quiet >= 3 && index - first >= 50 => {
                pieces.push(&samples[first * FRAME..index * FRAME]);
                begin = None;
            }
            _ => {}
        }
    }
    if let Some(first) = begin {
        pieces.push(&samples[first * FRAME..]);
    }
    pieces
}

/// The text of a sound file.
///
/// # Errors
/// As [`listen`], or when the file cannot be read.
pub fn listen_to_file(path: &Path, language: &str) -> Result<String> {
    listen(&speech::read(path)?, language)
}
