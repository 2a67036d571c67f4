//! ONNX Runtime: one shared library, loaded once for the whole process.

use std::{
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use ort::environment::Environment;

/// The environment, kept for the life of the process: ONNX Runtime allows one only.
static ENVIRONMENT: Mutex<Option<Environment>> = Mutex::new(None);

/// ONNX Runtime cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// There is no such file.
    #[error(
        "there is no ONNX Runtime library at {path}; fetch the models (`interpret models fetch`) or \
         point the configuration at libonnxruntime"
    )]
    Missing {
        /// Where it was looked for.
        path: PathBuf,
    },
    /// The library is older than the interface this build speaks.
    #[error("the ONNX Runtime library {path} is version {found}; version 1.{minor} or later is needed", minor = ort::MINOR_VERSION)]
    TooOld {
        /// The file.
        path: PathBuf,
        /// The version it says it has.
        found: String,
    },
    /// The shared library cannot be loaded.
    #[error("the ONNX Runtime library {path} cannot be loaded: {reason}")]
    Library {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// A model was opened before [`init`].
    #[error("ONNX Runtime is not loaded yet: call onnx::init with its library first")]
    NotInitialised,
}

/// Loads ONNX Runtime from the shared library `library`; a bare file name is looked up where the
/// system keeps its libraries. Once it has succeeded, later calls do nothing, whatever their path:
/// a process has one ONNX Runtime.
///
/// # Errors
/// When the file is missing, is no ONNX Runtime library, or is too old a one. A failed call may be
/// repeated with another path.
pub fn init(library: &Path) -> Result<(), OnnxError> {
    let mut environment = ENVIRONMENT.lock().unwrap_or_else(PoisonError::into_inner);
    if environment.is_some() {
        return Ok(());
    }
    let failed = |reason: String| OnnxError::Library {
        path: library.to_owned(),
        reason,
    };
    let built = ort::init_from(locate(library)?)
        .map_err(|error| match error {
            ort::LoadDynamicError::BadVersion { version_str, path } => OnnxError::TooOld {
                path,
                found: version_str,
            },
            other => failed(other.to_string()),
        })?
        .with_name("interpretd")
        .with_telemetry(false)
        .build()
        .map_err(|error| failed(error.to_string()))?;
    *environment = Some(built);
    Ok(())
}

/// An absolute path for a file, the name itself for a bare name: the loader would take a relative
/// path for relative to the executable.
fn locate(library: &Path) -> Result<PathBuf, OnnxError> {
    match library.canonicalize() {
        Ok(path) => Ok(path),
        Err(_) if library.components().count() == 1 => Ok(library.to_owned()),
        Err(_) => Err(OnnxError::Missing {
            path: library.to_owned(),
        }),
    }
}

/// The environment made by [`init`]; every ONNX session is built in it.
pub(crate) fn environment() -> Result<Environment, OnnxError> {
    ENVIRONMENT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .clone()
        .ok_or(OnnxError::NotInitialised)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_library_is_named() {
        let error = init(Path::new("/nowhere/libonnxruntime.so")).unwrap_err();
        assert!(matches!(error, OnnxError::Missing { .. }), "{error}");
        assert!(error.to_string().contains("/nowhere/libonnxruntime.so"));
    }

    #[test]
    fn a_file_that_is_no_library_is_refused_and_init_can_be_tried_again() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("libonnxruntime.so");
        std::fs::write(&file, "not a library").unwrap();
        for _ in 0..2 {
            let error = init(&file).unwrap_err();
            assert!(matches!(error, OnnxError::Library { .. }), "{error}");
        }
    }
}
