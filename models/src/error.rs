//! What can go wrong between a model's name and its files.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use crate::LanguagePair;

/// A model cannot be had, or not be used.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// No model has this name.
    #[error(
        "there is no model named '{name}'{}; see: interpret models list",
        nearest.as_ref().map_or(String::new(), |nearest| format!("; did you mean '{nearest}'?"))
    )]
    UnknownModel {
        /// The name asked for.
        name: String,
        /// The name most like it.
        nearest: Option<String>,
    },
    /// The catalogue has no model for the task.
    #[error("the catalogue has no {what}; see: interpret models list")]
    NoSuchModel {
        /// Such as "translation model for fr-de".
        what: String,
    },
    /// The model is known, but its files are not here.
    #[error("{what} is not installed; run: interpret models fetch {name}")]
    NotInstalled {
        /// The model, in words.
        what: String,
        /// Its name.
        name: String,
    },
    /// A file is not what the catalogue says.
    #[error(
        "{path} of the model '{model}' is damaged: {reason}; run: interpret models fetch {model}"
    )]
    Corrupt {
        /// The model's name.
        model: String,
        /// The file.
        path: PathBuf,
        /// How it differs.
        reason: String,
    },
    /// No source of a file could be reached or had it.
    #[error("'{file}' could not be fetched: every source failed\n{attempts}")]
    Unreachable {
        /// "model/file".
        file: String,
        /// What was tried.
        attempts: Attempts,
    },
    /// Sources answered, but none had the right file.
    #[error(
        "'{file}' could not be fetched: no source had the file that the catalogue describes\n{attempts}"
    )]
    HashMismatch {
        /// "model/file".
        file: String,
        /// What was tried.
        attempts: Attempts,
    },
    /// No room for the file.
    #[error(
        "the disk is full: {path} needs {} more{}; free some space, or set INTERPRETD_CACHE_DIR to a folder on a larger disk, and run the command again (what is here is kept)",
        needed.map_or("space".to_owned(), |n| Bytes(n).to_string()),
        free.map_or(String::new(), |n| format!(", {} is free", Bytes(n)))
    )]
    DiskFull {
        /// The folder or file.
        path: PathBuf,
        /// Bytes wanted, where known.
        needed: Option<u64>,
        /// Bytes free, where known.
        free: Option<u64>,
    },
    /// The person stopped it.
    #[error("stopped; run the command again to go on from here")]
    Interrupted,
    /// A catalogue file cannot be used.
    #[error("the model catalogue {path} is wrong: {reason}")]
    Catalogue {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// A folder to import is not what it should be.
    #[error("{path} cannot be imported: {reason}")]
    Import {
        /// The folder or file.
        path: PathBuf,
        /// Why not.
        reason: String,
    },
    /// The operating system refused something.
    #[error("cannot {action} {path}: {source}")]
    Io {
        /// "read", "write" and so on.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
    /// There is no folder to keep models in.
    #[error("there is no home folder to keep models in; set INTERPRETD_CACHE_DIR to a folder")]
    NoCacheFolder,
    /// Several models failed, each for its own reason.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"))]
    Several(Vec<ModelError>),
}

impl ModelError {
    /// Makes an error of a failed file operation; a full disk becomes [`ModelError::DiskFull`].
    pub(crate) fn io(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                path: path.to_owned(),
                needed: None,
                free: None,
            },
            _ => Self::Io {
                action,
                path: path.to_owned(),
                source,
            },
        }
    }

    pub(crate) fn no_translation(pair: LanguagePair) -> Self {
        Self::NoSuchModel {
            what: format!(
                "translation model from {} to {} ({pair})",
                pair.source.name(),
                pair.target.name()
            ),
        }
    }
}

/// The sources that were tried for a file, each with its reason to fail.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Attempts(pub Vec<(String, String)>);

impl fmt::Display for Attempts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("  (the catalogue names no source for this platform)");
        }
        for (position, (source, reason)) in self.0.iter().enumerate() {
            let end = if position + 1 < self.0.len() {
                "\n"
            } else {
                ""
            };
            write!(f, "  {source}: {reason}{end}")?;
        }
        Ok(())
    }
}

/// A number of bytes, written as in "147.9 MB".
#[derive(Debug, Clone, Copy)]
pub struct Bytes(pub u64);

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0..1_000 => return write!(f, "{} B", self.0),
            1_000..1_000_000 => (1_000, "kB"),
            1_000_000..1_000_000_000 => (1_000_000, "MB"),
            _ => (1_000_000_000, "GB"),
        };
        let tenths = self.0 / (unit / 10);
        write!(f, "{}.{} {name}", tenths / 10, tenths % 10)
    }
}
