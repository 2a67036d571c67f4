//! Where things lie in the cache folder.

use std::path::{Path, PathBuf};

/// The cache folder's layout:
/// ```text
/// models/NAME/...       finished files, checked
/// models/NAME/model.toml   only in imported models: their catalogue entry
/// models/NAME/.stamps.json  what was hashed when
/// downloads/            packages and parts of files, kept so that a download can go on
/// work/                 unfinished; may be deleted at any time
/// lock                  held by the one process that changes the above
/// ```
#[derive(Debug, Clone)]
pub(crate) struct Places {
    root: PathBuf,
}

/// The catalogue entry of an imported model.
pub(crate) const MANIFEST: &str = "model.toml";

impl Places {
    pub(crate) fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
        }
    }

    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    pub(crate) fn models(&self) -> PathBuf {
        self.root.join("models")
    }

    pub(crate) fn model(&self, name: &str) -> PathBuf {
        self.models().join(name)
    }

    pub(crate) fn downloads(&self) -> PathBuf {
        self.root.join("downloads")
    }

    pub(crate) fn work(&self) -> PathBuf {
        self.root.join("work")
    }

    pub(crate) fn lock(&self) -> PathBuf {
        self.root.join("lock")
    }

    /// The catalogue entries of imported models, sorted.
    pub(crate) fn manifests(&self) -> Vec<PathBuf> {
        let folders = std::fs::read_dir(self.models()).into_iter().flatten();
        let mut manifests: Vec<PathBuf> = folders
            .flatten()
            .map(|folder| folder.path().join(MANIFEST))
            .filter(|manifest| manifest.is_file())
            .collect();
        manifests.sort();
        manifests
    }
}
