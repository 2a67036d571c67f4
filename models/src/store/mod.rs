//! The models on this machine: which are installed, and where their files lie.
//!
//! ```no_run
//! use interpret_models::{catalogue::Role, store::{Settings, Store}};
//! let store = Store::open(Settings::from_env()?)?;
//! let model = store.translation("fr-en".parse()?)?;
//! let weights = model.file(Role::Weights)?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod installed;
mod places;
mod remove;
mod route;
mod settings;
mod stamps;

use std::path::{Path, PathBuf};

pub use installed::Installed;
pub use route::TranslationRoute;
pub use settings::{Hub, Settings, configuration_folder};

pub(crate) use places::{MANIFEST, Places};
pub(crate) use stamps::{Stamps, hash_file};

use crate::{
    Language, LanguagePair,
    catalogue::{Catalogue, Kind, Model, ModelFile, Role},
    error::ModelError,
};

/// The recognition model used when none is named.
pub const DEFAULT_RECOGNITION: &str = "whisper-base";

/// How a file of the store stands to the catalogue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileState {
    /// As the catalogue says.
    Good,
    /// Not there.
    Missing,
    /// Something else.
    Damaged(String),
}

/// All models known and installed. Cheap to open: nothing is hashed until a model is asked for.
#[derive(Debug, Clone)]
pub struct Store {
    settings: Settings,
    places: Places,
    catalogue: Catalogue,
}

impl Store {
    /// Reads the built-in catalogue, the person's own, and the imported models.
    ///
    /// # Errors
    /// When a catalogue file cannot be read or is wrong.
    pub fn open(settings: Settings) -> Result<Self, ModelError> {
        let places = Places::new(&settings.cache);
        let mut catalogue = Catalogue::built_in()?;
        let own = settings.catalogue.iter().filter(|path| path.exists());
        for path in own.cloned().chain(places.manifests()) {
            let text = std::fs::read_to_string(&path).map_err(ModelError::io("read", &path))?;
            catalogue.extend(&text, &path)?;
        }
        Ok(Self {
            settings,
            places,
            catalogue,
        })
    }

    /// What is known.
    #[must_use]
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// How it was opened.
    #[must_use]
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn places(&self) -> &Places {
        &self.places
    }

    /// The folder in which `model` lies or would lie.
    #[must_use]
    pub fn folder(&self, model: &Model) -> PathBuf {
        self.places.model(&model.name)
    }

    /// Whether all files of `model` are there with their sizes; their hashes are not checked.
    #[must_use]
    pub fn is_installed(&self, model: &Model) -> bool {
        let folder = self.folder(model);
        !model.files.is_empty()
            && model.files.iter().all(|file| {
                std::fs::metadata(folder.join(&file.path)).is_ok_and(|found| {
                    let content = file.artifact.content.as_ref();
                    found.is_file() && content.is_none_or(|known| known.size == found.len())
                })
            })
    }

    /// Compares each file of `model` with the catalogue. A file that has not changed (size and
    /// modification time) since it was last hashed is not hashed again, unless `again`.
    ///
    /// # Errors
    /// When a file that is there cannot be read.
    pub fn check(&self, model: &Model, again: bool) -> Result<Vec<FileState>, ModelError> {
        let folder = self.folder(model);
        let mut stamps = Stamps::read(&folder);
        let states: Result<Vec<_>, _> = model
            .files
            .iter()
            .map(|file| check_file(&folder, file, &mut stamps, again))
            .collect();
        stamps.save(&folder);
        states
    }

    /// The installed model named `name`, its files checked.
    ///
    /// # Errors
    /// When there is no such model, it is not installed, or a file is damaged.
    pub fn model(&self, name: &str) -> Result<Installed, ModelError> {
        let model = self.catalogue.model(name)?;
        self.installed(model, &format!("the model '{name}'"))
    }

    /// The translation model for `pair`.
    ///
    /// # Errors
    /// As for [`Store::model`].
    pub fn translation(&self, pair: LanguagePair) -> Result<Installed, ModelError> {
        let fits = |model: &Model| model.pair == Some(pair);
        self.first(
            Kind::Translation,
            fits,
            &format!(
                "translation from {} to {}",
                pair.source.name(),
                pair.target.name()
            ),
        )?
        .ok_or_else(|| ModelError::no_translation(pair))
    }

    /// The pairs that have an installed translation model, in the catalogue's order.
    #[must_use]
    pub fn installed_pairs(&self) -> Vec<LanguagePair> {
        let installed = |model: &&Model| self.is_installed(model);
        let models = self.catalogue.models().filter(installed);
        models.filter_map(|model| model.pair).collect()
    }

    /// The synthesis model for `language`.
    ///
    /// # Errors
    /// As for [`Store::model`].
    pub fn synthesis(&self, language: Language) -> Result<Installed, ModelError> {
        let fits = |model: &Model| model.languages.contain(language);
        let what = format!("speech in {}", language.name());
        self.first(Kind::Synthesis, fits, &what)?
            .ok_or_else(|| ModelError::NoSuchModel {
                what: format!("model for {what}"),
            })
    }

    /// The recognition model named `name`, or [`DEFAULT_RECOGNITION`].
    ///
    /// # Errors
    /// As for [`Store::model`].
    pub fn recognition(&self, name: Option<&str>) -> Result<Installed, ModelError> {
        self.model(name.unwrap_or(DEFAULT_RECOGNITION))
    }

    /// The speech detection model.
    ///
    /// # Errors
    /// As for [`Store::model`].
    pub fn detection(&self) -> Result<Installed, ModelError> {
        self.first(Kind::Detection, |_| true, "speech detection")?
            .ok_or_else(|| ModelError::NoSuchModel {
                what: "model for speech detection".to_owned(),
            })
    }

    /// The ONNX Runtime library: `ORT_DYLIB_PATH` if it is set, else the installed one.
    ///
    /// # Errors
    /// As for [`Store::model`].
    pub fn onnx_runtime(&self) -> Result<PathBuf, ModelError> {
        if let Some(path) = &self.settings.onnx_runtime {
            return Ok(path.clone());
        }
        let installed = self.model("onnxruntime")?;
        installed.file(Role::Library).map(Path::to_owned)
    }

    /// The first installed model that fits; None when the catalogue has none at all.
    fn first(
        &self,
        kind: Kind,
        fits: impl Fn(&Model) -> bool,
        what: &str,
    ) -> Result<Option<Installed>, ModelError> {
        let fitting = || {
            let models = self.catalogue.models();
            models.filter(|model| model.kind == kind && fits(model))
        };
        let installed = fitting().find(|model| self.is_installed(model));
        match installed.or_else(|| fitting().next()) {
            Some(model) => self
                .installed(model, &format!("the model '{}' ({what})", model.name))
                .map(Some),
            None => Ok(None),
        }
    }

    fn installed(&self, model: &Model, what: &str) -> Result<Installed, ModelError> {
        if model.files.is_empty() {
            return Err(ModelError::NoSuchModel {
                what: format!(
                    "'{}' for this platform ({})",
                    model.name,
                    crate::catalogue::Platform::current()
                ),
            });
        }
        let folder = self.folder(model);
        // A file with the wrong size is damaged, not missing: look before hashing anything.
        if model
            .files
            .iter()
            .any(|file| !folder.join(&file.path).exists())
        {
            return Err(ModelError::NotInstalled {
                what: what.to_owned(),
                name: model.name.clone(),
            });
        }
        for (file, state) in model.files.iter().zip(self.check(model, false)?) {
            if let FileState::Damaged(reason) = state {
                return Err(ModelError::Corrupt {
                    model: model.name.clone(),
                    path: folder.join(&file.path),
                    reason,
                });
            }
        }
        Ok(Installed::new(model.clone(), folder))
    }
}

fn check_file(
    folder: &Path,
    file: &ModelFile,
    stamps: &mut Stamps,
    again: bool,
) -> Result<FileState, ModelError> {
    let path = folder.join(&file.path);
    let found = match std::fs::metadata(&path) {
        Ok(found) => found,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(FileState::Missing);
        }
        Err(error) => return Err(ModelError::io("read", &path)(error)),
    };
    // Without a hash in the catalogue, what was recorded when the file was made stands for it.
    let Some(content) = file
        .artifact
        .content
        .clone()
        .or_else(|| stamps.made(&file.path))
    else {
        return Ok(FileState::Missing);
    };
    if found.len() != content.size {
        return Ok(FileState::Damaged(format!(
            "it has {} bytes instead of {}",
            found.len(),
            content.size
        )));
    }
    if !again && stamps.vouch_for(&file.path, &found, &content) {
        return Ok(FileState::Good);
    }
    let sha256 = hash_file(&path).map_err(ModelError::io("read", &path))?;
    if sha256 != content.sha256 {
        return Ok(FileState::Damaged(format!(
            "its SHA-256 is {sha256} instead of {}",
            content.sha256
        )));
    }
    stamps.record(&file.path, &found, &content);
    Ok(FileState::Good)
}

#[cfg(test)]
mod tests;
