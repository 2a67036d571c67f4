//! A cache of models of the test's own.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
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

    /// Lets the model of English to Portuguese stand in for one of English to `languages`, of which none can be
    /// fetched here: they cost what models of their own would. Gives the catalogue of them, which is to be named in
    /// `INTERPRETD_CATALOGUE`.
    ///
    /// # Errors
    /// When the cache cannot be written.
    pub fn stand_in(&self, languages: &[&str]) -> Result<PathBuf> {
        let all = include_str!("../../models/catalogue.toml");
        let mut entries = all.split("[[model]]\n");
        let named = |entry: &&str| entry.starts_with("name = \"bergamot-en-pt\"");
        let entry = entries.find(named).context("no English to Portuguese")?;
        let mut catalogue = String::new();
        for language in languages {
            let name = format!("stand-in-en-{language}");
            link(&self.model("bergamot-en-pt"), &self.model(&name))?;
            let entry = entry
                .replace("bergamot-en-pt", &name)
                .replace("\"en-pt\"", &format!("\"en-{language}\""))
                .replace("\"pt\"", &format!("\"{language}\""));
            catalogue.push_str("[[model]]\n");
            catalogue.push_str(&entry);
        }
        let path = self.folder.path().join("catalogue.toml");
        fs::write(&path, catalogue)?;
        Ok(path)
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
