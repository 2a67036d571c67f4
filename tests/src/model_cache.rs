//! A cache of models of the test's own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;
use interpret_models::store::{Settings, Store};
use tempfile::TempDir;

/// A folder that can be named in `INTERPRETD_CACHE_DIR`: every file in it leads to the real one.
#[derive(Debug)]
pub struct ModelCache {
    folder: TempDir,
}

impl ModelCache {
    /// One with every model that is fetched.
    ///
    /// # Errors
    /// When the real cache cannot be read.
    pub fn linked() -> Result<Self> {
        let cache = Self {
            folder: TempDir::new()?,
        };
        let real = Store::open(Settings::from_env()?)?;
        let models = real.catalogue().models();
        for model in models.filter(|model| real.is_installed(model)) {
            link(&real.folder(model), &cache.model(&model.name))?;
        }
        Ok(cache)
    }

    /// The cache's folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// The folder of a model.
    #[must_use]
    pub fn model(&self, name: &str) -> PathBuf {
        self.folder.path().join("models").join(name)
    }
}

fn link(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let to = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            link(&entry.path(), &to)?;
        } else {
            std::os::unix::fs::symlink(entry.path(), &to)?;
        }
    }
    Ok(())
}
