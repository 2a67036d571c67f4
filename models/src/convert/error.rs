use std::io;
use std::path::{Path, PathBuf};

/// Why a model file could not be converted, in words for the person who wants to use it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConvertError {
    /// The operating system refused a file operation.
    #[error("cannot {action} {}: {source}", .path.display())]
    Io {
        /// What was tried, as a verb: "read", "write".
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The bytes are not what the format asks for: a damaged file, or one of another format.
    #[error(
        "{} is damaged or of another format: at byte {offset}, {problem}", .path.display()
    )]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where in the file, in bytes from its start.
        offset: u64,
        /// What was found, and what was expected there.
        problem: String,
    },
    /// A pickle names code that is not part of a tensor. It was not run.
    #[error(
        "{} was refused: at byte {offset} its pickle names `{global}`, which is code and not a \
         tensor. Nothing of it was run; get the model from a source that you trust, best as \
         safetensors", .path.display()
    )]
    RefusedGlobal {
        /// The file.
        path: PathBuf,
        /// Where in the file, in bytes from its start.
        offset: u64,
        /// The Python global, as `module.name`.
        global: String,
    },
    /// The file is well formed, but holds something that this conversion does not do.
    #[error("{}: {problem}. {advice}", .path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What it holds.
        problem: String,
        /// What to do instead.
        advice: String,
    },
    /// The pieces of a cut archive do not hold a wanted member from its start to its end.
    #[error(
        "no `{member}` in the {pieces} archive pieces from {} on; members that start there: \
         {found}", .first.display()
    )]
    MissingMember {
        /// The path suffix that was asked for.
        member: String,
        /// How many pieces were searched.
        pieces: usize,
        /// The first of them.
        first: PathBuf,
        /// The members that were seen, separated by commas.
        found: String,
    },
}

impl ConvertError {
    pub(super) fn io(action: &'static str, path: &Path, source: io::Error) -> Self {
        Self::Io {
            action,
            path: path.to_path_buf(),
            source,
        }
    }

    pub(super) fn unsupported(
        path: &Path,
        problem: impl Into<String>,
        advice: impl Into<String>,
    ) -> Self {
        Self::Unsupported {
            path: path.to_path_buf(),
            problem: problem.into(),
            advice: advice.into(),
        }
    }
}
