//! The list of recordings to evaluate.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use interpret_models::{Language, language::UnknownLanguage};

/// A recording, what is said in it, and what it means in a target language.
///
/// A recording that appears several times with different targets is interpreted once for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recording {
    /// The sound.
    pub audio: PathBuf,
    /// What is spoken.
    pub language: Language,
    /// What is said; empty: not known.
    pub transcript: String,
    /// What to interpret into, where the manifest tells.
    pub target: Option<Language>,
    /// A translation by people; empty: none.
    pub reference: String,
}

impl Recording {
    /// Name of the recording's files: that of the sound without its ending, and the languages.
    /// `talk.flac` from French into English is `talk.fr-en`.
    #[must_use]
    pub fn name(&self, target: Language) -> String {
        let stem = self.audio.file_stem().unwrap_or_default();
        format!("{}.{}-{target}", stem.to_string_lossy(), self.language)
    }
}

/// What is wrong with a manifest.
#[derive(Debug, thiserror::Error)]
pub enum ManifestError {
    /// It cannot be read.
    #[error("cannot read the manifest {}", path.display())]
    Read {
        /// The manifest.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Its first line does not name a column that is needed.
    #[error("the manifest {} has no column '{column}'; its first line names: {found}", path.display())]
    NoColumn {
        /// The manifest.
        path: PathBuf,
        /// What is missing.
        column: &'static str,
        /// What is there.
        found: String,
    },
    /// It lists nothing.
    #[error("the manifest {} lists no recording", path.display())]
    Empty {
        /// The manifest.
        path: PathBuf,
    },
    /// A line names no recording.
    #[error("line {line} of the manifest {} names no audio file", path.display())]
    NoAudio {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// A line names a language that is none.
    #[error("line {line} of the manifest {}", path.display())]
    Language {
        /// The manifest.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What it says.
        source: UnknownLanguage,
    },
}

/// Reads a manifest: text in UTF-8, a line for each recording, columns separated by tabs. The first
/// line names the columns, in any order: `audio` (relative to the manifest's folder), `language`,
/// `transcript`, and, if known, `target_language` and `reference`. Other columns are passed over.
///
/// # Errors
///
/// Where it cannot be read, lacks a column, or lists nothing.
pub fn read(path: &Path) -> Result<Vec<Recording>, ManifestError> {
    let text = fs::read_to_string(path).map_err(|source| ManifestError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    parse(&text, path)
}

fn parse(text: &str, path: &Path) -> Result<Vec<Recording>, ManifestError> {
    let path_buf = || path.to_path_buf();
    let mut lines = text.trim_start_matches('\u{feff}').lines();
    let names: Vec<&str> = lines
        .next()
        .unwrap_or("")
        .split('\t')
        .map(str::trim)
        .collect();
    let find = |name: &str| names.iter().position(|found| *found == name);
    let needed = |column: &'static str| {
        find(column).ok_or_else(|| ManifestError::NoColumn {
            path: path_buf(),
            column,
            found: names.join(", "),
        })
    };
    let (audio, language) = (needed("audio")?, needed("language")?);
    let transcript = needed("transcript")?;
    let (target, reference) = (find("target_language"), find("reference"));
    let folder = path.parent().unwrap_or(Path::new(""));
    let mut recordings = Vec::new();
    for (index, row) in lines.enumerate() {
        if row.trim().is_empty() {
            continue;
        }
        let line = index + 2;
        let cells: Vec<&str> = row.split('\t').map(str::trim).collect();
        let cell = |column: usize| cells.get(column).copied().unwrap_or("");
        let spoken = |code: &str| {
            code.parse().map_err(|source| ManifestError::Language {
                path: path_buf(),
                line,
                source,
            })
        };
        if cell(audio).is_empty() {
            return Err(ManifestError::NoAudio {
                path: path_buf(),
                line,
            });
        }
        let target = target.map(cell).filter(|code| !code.is_empty());
        recordings.push(Recording {
            audio: folder.join(cell(audio)),
            language: spoken(cell(language))?,
            transcript: cell(transcript).to_owned(),
            target: target.map(spoken).transpose()?,
            reference: reference.map(cell).unwrap_or("").to_owned(),
        });
    }
    if recordings.is_empty() {
        return Err(ManifestError::Empty { path: path_buf() });
    }
    Ok(recordings)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<Vec<Recording>, ManifestError> {
        parse(text, Path::new("speech/manifest.tsv"))
    }

    #[test]
    fn columns_may_stand_in_any_order_and_be_absent() {
        let text = "licence\ttranscript\taudio\tlanguage\r\nMIT\tBonjour.\ta/b.flac\tfr\r\n\r\n";
        let [one] = &parsed(text).unwrap()[..] else {
            panic!("one line, one recording");
        };
        assert_eq!(one.audio, Path::new("speech/a/b.flac"));
        assert_eq!((one.transcript.as_str(), one.target), ("Bonjour.", None));
        assert_eq!(one.name("en".parse().unwrap()), "b.fr-en");
    }

    #[test]
    fn what_is_wrong_is_said() {
        let all = "audio\tlanguage\ttranscript\ttarget_language\treference\n";
        for (text, says) in [
            (String::new(), "no column 'audio'"),
            (
                "audio\tlanguage\nx\tfr\n".to_owned(),
                "no column 'transcript'; its first line names: audio, language",
            ),
            (all.to_owned(), "lists no recording"),
            (
                format!("{all}\tfr\thello\n"),
                "line 2 of the manifest speech/manifest.tsv names no audio",
            ),
            (format!("{all}x\tfr\t\ten\t\ny\tqq\n"), "line 3"),
            (format!("{all}x\tfr\t\tqq\n"), "line 2"),
        ] {
            let error = parsed(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
