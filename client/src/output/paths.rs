//! Which files to write for which language.

use std::path::{Path, PathBuf};

use interpret_models::Language;

use super::{Captions, EventLog, Outputs, TranslatedAudioFile};
use crate::{audio::Pace, error::ClientError};

/// The outputs a person asked for.
#[derive(Debug, Clone, Default)]
pub struct OutputPaths {
    /// Translated audio (WAV).
    pub audio: Option<PathBuf>,
    /// Captions (WebVTT; SubRip where the name ends in `.srt`).
    pub captions: Option<PathBuf>,
    /// Event log (JSON lines).
    pub events: Option<PathBuf>,
    /// Keep the audio itself in the event log.
    pub events_audio: bool,
}

impl OutputPaths {
    /// Opens all outputs for these targets. With several targets, audio and captions get the
    /// language into their names: `talk.en.wav`, `talk.pt.wav`.
    ///
    /// # Errors
    ///
    /// Where one cannot be created; found out here rather than after the work is done.
    pub fn open(&self, targets: &[Language], pace: Pace) -> Result<Outputs, ClientError> {
        let mut outputs = Outputs::default();
        let several = targets.len() > 1;
        for target in targets {
            let named = |path: &Path| match several {
                true => with_language(path, *target),
                false => path.to_path_buf(),
            };
            if let Some(path) = self.audio.as_deref().map(named) {
                let file = TranslatedAudioFile::create(path.clone(), *target, pace);
                outputs.add(Box::new(file.map_err(|error| cannot_create(path, error))?));
            }
            if let Some(path) = self.captions.as_deref().map(named) {
                let file = Captions::create(path.clone(), *target);
                outputs.add(Box::new(file.map_err(|error| cannot_create(path, error))?));
            }
        }
        if let Some(path) = self.events.clone() {
            let log = EventLog::create(path.clone(), self.events_audio);
            outputs.add(Box::new(log.map_err(|error| cannot_create(path, error))?));
        }
        Ok(outputs)
    }

    /// The paths as they were given.
    pub fn iter(&self) -> impl Iterator<Item = &Path> {
        [&self.audio, &self.captions, &self.events]
            .into_iter()
            .flatten()
            .map(PathBuf::as_path)
    }
}

fn cannot_create(path: PathBuf, source: std::io::Error) -> ClientError {
    ClientError::Output { path, source }
}

/// `talk.wav` and English make `talk.en.wav`.
#[must_use]
pub fn with_language(path: &Path, language: Language) -> PathBuf {
    let mut name = path.file_stem().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(language.code());
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    path.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_language_goes_before_the_extension() {
        let english = "en".parse().unwrap();
        for (path, expected) in [
            ("out/talk.wav", "out/talk.en.wav"),
            ("talk", "talk.en"),
            ("a.b.vtt", "a.b.en.vtt"),
        ] {
            assert_eq!(with_language(Path::new(path), english), Path::new(expected));
        }
    }
}
