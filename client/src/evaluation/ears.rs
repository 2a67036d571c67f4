//! A machine's ears: whole recordings recognised offline.

use std::path::Path;

use interpret_models::{
    Language,
    catalogue::Role,
    recognition::{WhisperModel, recognize_whole},
    store::{Settings, Store},
};

use crate::{audio::AudioFile, error::ClientError};

/// Threads of the recogniser.
const THREADS: u16 = 2;
/// Silence that stays of a longer one, in samples: half a second.
const SILENCE: usize = interpret_models::SOURCE_SAMPLE_RATE as usize / 2;
/// Below this, full scale being 1, there is no sound.
const SOUND: f32 = 1e-4;

/// A recogniser of whole recordings: the daemon's default model, without streaming.
#[derive(Debug)]
pub struct Ears {
    model: WhisperModel,
}

impl Ears {
    /// Loads the model.
    ///
    /// # Errors
    ///
    /// Where it is not fetched, or cannot be loaded.
    pub fn open(store: &Store) -> Result<Self, ClientError> {
        let installed = store.recognition(None)?;
        let model = WhisperModel::load(installed.file(Role::Weights)?)
            .map_err(|error| ClientError::Engine(error.to_string()))?;
        Ok(Self { model })
    }

    /// The text of a recording: 16 kHz mono samples, full scale 1.
    ///
    /// # Errors
    ///
    /// Where the model fails.
    pub fn listen(&self, samples: &[f32], language: Language) -> Result<String, ClientError> {
        recognize_whole(&self.model, samples, language, THREADS)
            .map_err(|error| ClientError::Engine(error.to_string()))
    }
}

/// The models of this machine.
///
/// # Errors
///
/// Where the catalogue cannot be read.
pub fn store() -> Result<Store, ClientError> {
    Ok(Store::open(Settings::from_env()?)?)
}

/// A whole sound file: 16 kHz mono samples, full scale 1.
///
/// # Errors
///
/// Where it cannot be read.
pub fn samples(path: &Path) -> Result<Vec<f32>, ClientError> {
    let mut samples = Vec::new();
    for chunk in AudioFile::open(path)? {
        samples.extend(chunk?);
    }
    Ok(samples)
}

/// Shortens every silence to half a second: in the long silences between clauses that wait for a
/// speaker, recognisers invent text.
#[must_use]
pub fn without_long_silence(samples: &[f32]) -> Vec<f32> {
    let mut kept = Vec::with_capacity(samples.len());
    let mut silent = 0;
    for sample in samples {
        silent = if sample.abs() < SOUND { silent + 1 } else { 0 };
        if silent <= SILENCE {
            kept.push(*sample);
        }
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_silence_goes() {
        let speech = [0.5_f32; 100];
        let mut samples = speech.to_vec();
        samples.extend([0.0; 3 * SILENCE]);
        samples.extend(speech);
        samples.extend([0.0; 10]);
        assert_eq!(
            without_long_silence(&samples).len(),
            100 + SILENCE + 100 + 10
        );
    }
}
