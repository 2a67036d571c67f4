//! Why a source failed; whether the next one should be tried.

use std::{
    io,
    path::{Path, PathBuf},
};

use crate::error::{Attempts, ModelError};

/// A source failed. Cloned to every file that wanted it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Failure {
    /// It could not be had.
    Unavailable(String),
    /// It was had, and is not the right thing.
    Wrong(String),
    /// Trying other sources would not help.
    DiskFull {
        path: PathBuf,
        needed: Option<u64>,
        free: Option<u64>,
    },
}

impl Failure {
    /// Makes a failure of a failed file operation.
    pub(crate) fn io(action: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |error| match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull {
                path: path.to_owned(),
                needed: None,
                free: None,
            },
            _ => Self::Unavailable(format!("cannot {action} {}: {error}", path.display())),
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Unavailable(reason) | Self::Wrong(reason) => reason.clone(),
            Self::DiskFull { path, .. } => format!("no space left for {}", path.display()),
        }
    }
}

/// The failures of all sources of one file.
#[derive(Debug, Clone, Default)]
pub(crate) struct Failures {
    attempts: Attempts,
    wrong: bool,
}

impl Failures {
    /// Notes that `source` failed. A full disk is an error at once.
    pub(crate) fn add(&mut self, source: String, failure: &Failure) {
        self.wrong |= matches!(failure, Failure::Wrong(_));
        self.attempts.0.push((source, failure.reason()));
    }

    pub(crate) fn into_failed(self, file: String) -> Failed {
        Failed::Sources {
            file,
            attempts: self.attempts,
            wrong: self.wrong,
        }
    }
}

/// A file could not be had at all.
#[derive(Debug, Clone)]
pub(crate) enum Failed {
    Sources {
        file: String,
        attempts: Attempts,
        wrong: bool,
    },
    DiskFull {
        path: PathBuf,
        needed: Option<u64>,
        free: Option<u64>,
    },
}

impl Failed {
    /// As the failure of a source that starts from this file.
    pub(crate) fn as_failure(&self) -> Failure {
        match self {
            Self::Sources {
                file,
                attempts,
                wrong,
            } => {
                let reasons: Vec<String> = attempts
                    .0
                    .iter()
                    .map(|(source, reason)| format!("{source}: {reason}"))
                    .collect();
                let reason = format!("{file} could not be had ({})", reasons.join("; "));
                if *wrong {
                    Failure::Wrong(reason)
                } else {
                    Failure::Unavailable(reason)
                }
            }
            Self::DiskFull { path, needed, free } => Failure::DiskFull {
                path: path.clone(),
                needed: *needed,
                free: *free,
            },
        }
    }
}

impl From<Failed> for ModelError {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Sources {
                file,
                attempts,
                wrong: true,
            } => Self::HashMismatch { file, attempts },
            Failed::Sources { file, attempts, .. } => Self::Unreachable { file, attempts },
            Failed::DiskFull { path, needed, free } => Self::DiskFull { path, needed, free },
        }
    }
}
