//! A model whose files are there and were checked.

use std::path::{Path, PathBuf};

use crate::{
    catalogue::{Model, Role},
    error::ModelError,
};

/// An installed model: its description and the paths of its files.
#[derive(Debug, Clone)]
pub struct Installed {
    model: Model,
    folder: PathBuf,
    files: Vec<(Role, PathBuf)>,
}

impl Installed {
    pub(super) fn new(model: Model, folder: PathBuf) -> Self {
        let files = model.files.iter();
        let files = files.map(|file| (file.role, folder.join(&file.path)));
        Self {
            files: files.collect(),
            model,
            folder,
        }
    }

    /// The catalogue's description.
    #[must_use]
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The folder that holds its files.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The file with this role.
    ///
    /// # Errors
    /// When the model has none.
    pub fn file(&self, role: Role) -> Result<&Path, ModelError> {
        self.files(role)
            .next()
            .ok_or_else(|| ModelError::NoSuchModel {
                what: format!("{role:?} file in the model '{}'", self.model.name),
            })
    }

    /// All files with this role, in the catalogue's order.
    pub fn files(&self, role: Role) -> impl Iterator<Item = &Path> {
        let files = self.files.iter();
        files
            .filter(move |file| file.0 == role)
            .map(|file| file.1.as_path())
    }
}
