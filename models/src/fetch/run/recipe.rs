//! Files that are made here.

use std::{error::Error, io, path::PathBuf};

use super::Run;
use crate::{
    catalogue::{FileName, Recipe},
    convert,
    fetch::{failure::Failure, progress::Unit},
};

impl Run<'_> {
    /// Makes a file by a recipe; the caller may take it over.
    pub(super) async fn convert(
        &self,
        recipe: &Recipe,
        name: &FileName,
    ) -> Result<PathBuf, Failure> {
        let to = self.work_file();
        match recipe {
            Recipe::WhisperCt2ToGgml { parts, template } => {
                let (parts, template) =
                    tokio::join!(self.members(parts), self.file(template.clone()));
                let (parts, template) = (parts?, template.map_err(|e| e.as_failure())?);
                let whole = self.work_file();
                self.make(name, to, move |to, progress| {
                    convert::join_parts(&parts, &whole)?;
                    convert::whisper_ct2_to_ggml(&whole, &template, to, progress)
                })
                .await
            }
            Recipe::QuantizeQ8_0 { from } => {
                let from = self.file(from.clone()).await.map_err(|e| e.as_failure())?;
                self.make(name, to, move |to, progress| {
                    convert::quantize_ggml_q8_0(&from, to, progress)
                })
                .await
            }
            Recipe::MarianToBytes { from } => {
                let from = self.file(from.clone()).await.map_err(|e| e.as_failure())?;
                self.make(name, to, move |to, progress| {
                    convert::marian_to_bytes(&from, to, progress)
                })
                .await
            }
            Recipe::TorchToSafetensors { from } => {
                let published = FileName {
                    model: name.model.clone(),
                    path: "pytorch_model.bin".to_owned(),
                };
                let obtained = Box::pin(self.obtain(from, &published)).await;
                let (from, _) = obtained.map_err(|e| e.as_failure())?;
                self.make(name, to, move |to, progress| {
                    convert::torch_legacy_to_safetensors(&from, to, progress)?;
                    let _ = std::fs::remove_file(&from);
                    Ok(())
                })
                .await
            }
        }
    }

    async fn make(
        &self,
        name: &FileName,
        to: PathBuf,
        make: impl FnOnce(&std::path::Path, &mut dyn FnMut(f32)) -> Result<(), convert::ConvertError>
        + Send
        + 'static,
    ) -> Result<PathBuf, Failure> {
        let task = self.task(format!("converting {name}"), Unit::Percent);
        self.heavy(move || {
            make(&to, &mut |done| task.at_fraction(done)).map_err(|e| failed(&e))?;
            Ok(to)
        })
        .await
    }
}

/// A conversion failed: because of the disk, or because its input is not what it should be.
pub(super) fn failed(error: &(dyn Error + 'static)) -> Failure {
    if disk_full(error) {
        return Failure::DiskFull {
            path: PathBuf::from("the converted file"),
            needed: None,
            free: None,
        };
    }
    Failure::Wrong(error.to_string())
}

/// Whether an error comes from a full disk, however deep below.
pub(crate) fn disk_full(error: &(dyn Error + 'static)) -> bool {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<io::Error>() {
            let kind = error.kind();
            return matches!(
                kind,
                io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded
            );
        }
        cause = error.source();
    }
    false
}
