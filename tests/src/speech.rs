//! Recorded speech with transcripts: `tests/speech`, whose manifest is a table like those that
//! evaluation reads.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use interpret::audio::AudioFile;

/// A recording.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// Its file.
    pub path: PathBuf,
    /// What is spoken, ISO 639-1.
    pub language: String,
    /// What is said.
    pub transcript: String,
}

impl Recording {
    /// The file's name without its ending.
    #[must_use]
    pub fn name(&self) -> String {
        self.path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned()
    }

    /// 16 kHz mono samples, full scale +-1.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn samples(&self) -> Result<Vec<f32>> {
        read(&self.path)
    }
}

/// A whole sound file: 16 kHz mono samples, full scale +-1.
///
/// # Errors
/// When the file cannot be read.
pub fn read(path: &Path) -> Result<Vec<f32>> {
    let mut samples = Vec::new();
    for piece in AudioFile::open(path)? {
        samples.extend(piece.with_context(|| format!("reading {}", path.display()))?);
    }
    Ok(samples)
}

/// The folder with the recordings.
#[must_use]
pub fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("speech")
}

/// One recording by the name of its file, such as "read-cheetah-fr".
///
/// # Errors
/// When there is none of that name.
pub fn recording(name: &str) -> Result<Recording> {
    let all = recordings()?;
    all.into_iter()
        .find(|r| r.name() == name)
        .with_context(|| format!("no recording {name}"))
}

/// The recordings in one language.
///
/// # Errors
/// When the manifest cannot be read.
pub fn recordings_in(language: &str) -> Result<Vec<Recording>> {
    Ok(recordings()?
        .into_iter()
        .filter(|r| r.language == language)
        .collect())
}

/// The recordings in one language of any manifest, each once, though it may have several
/// translations there.
///
/// # Errors
/// When the manifest cannot be read.
pub fn recordings_of(manifest: &Path, language: &str) -> Result<Vec<Recording>> {
    let mut all = read_manifest(manifest)?;
    all.retain(|r| r.language == language);
    all.dedup_by(|a, b| a.path == b.path);
    Ok(all)
}

fn recordings() -> Result<Vec<Recording>> {
    read_manifest(&folder().join("manifest.tsv"))
}

fn read_manifest(manifest: &Path) -> Result<Vec<Recording>> {
    let text =
        fs::read_to_string(manifest).with_context(|| format!("reading {}", manifest.display()))?;
    let folder = manifest.parent().unwrap_or(Path::new("."));
    text.lines()
        .skip(1)
        .map(|line| {
            let mut columns = line.split('\t');
            let mut column = || columns.next().context("a manifest line is too short");
            Ok(Recording {
                path: folder.join(column()?),
                language: column()?.to_owned(),
                transcript: column()?.to_owned(),
            })
        })
        .collect()
}
