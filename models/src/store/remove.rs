//! Deleting what was fetched.

use std::path::Path;

use super::Store;
use crate::{
    catalogue::Model,
    error::ModelError,
    fetch::{Lock, Observer},
};

impl Store {
    /// Deletes the files of a model, installed in full or in part. Returns whether there were any.
    ///
    /// # Errors
    /// When they cannot be deleted.
    pub async fn remove(&self, model: &Model, observer: &dyn Observer) -> Result<bool, ModelError> {
        let _lock = Lock::take(self.places(), observer).await?;
        let folder = self.folder(model);
        if !folder.exists() {
            return Ok(false);
        }
        // Out of the way at once, so that nobody opens a model that is half deleted.
        let work = self.places().work();
        std::fs::create_dir_all(&work).map_err(ModelError::io("create", &work))?;
        let gone = tempfile::tempdir_in(&work).map_err(ModelError::io("write", &work))?;
        let to = gone.path().join("model");
        std::fs::rename(&folder, &to).map_err(ModelError::io("remove", &folder))?;
        delete(gone.path())?;
        Ok(true)
    }

    /// Deletes packages and parts of downloads that were kept. Returns their size in bytes.
    ///
    /// # Errors
    /// When they cannot be deleted.
    pub async fn remove_downloads(&self, observer: &dyn Observer) -> Result<u64, ModelError> {
        let _lock = Lock::take(self.places(), observer).await?;
        let folder = self.places().downloads();
        let entries = std::fs::read_dir(&folder).into_iter().flatten().flatten();
        let sizes = entries.filter_map(|entry| entry.metadata().ok());
        let size = sizes.map(|found| found.len()).sum();
        if folder.exists() {
            delete(&folder)?;
        }
        Ok(size)
    }
}

fn delete(folder: &Path) -> Result<(), ModelError> {
    std::fs::remove_dir_all(folder).map_err(ModelError::io("remove", folder))
}
