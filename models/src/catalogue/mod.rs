//! What models there are: names, licences, files, hashes, and where the files come from.
//!
//! The built-in list is `models/catalogue.toml`; a person's own file of the same form extends it.

mod file;
mod source;

use std::{fmt, path::Path};

use serde::{Deserialize, Serialize};

pub(crate) use file::is_plain;
pub use source::{Archive, Artifact, Content, FileName, Member, Recipe, Source};

use crate::{Language, LanguagePair, error::ModelError};

const BUILT_IN: &str = include_str!("../../catalogue.toml");

/// What a model does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// Finds speech in sound.
    Detection,
    /// Turns speech into text.
    Recognition,
    /// Turns text of one language into another.
    Translation,
    /// Turns text into speech.
    Synthesis,
    /// A library that runs models.
    Runtime,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Detection => "detection",
            Self::Recognition => "recognition",
            Self::Translation => "translation",
            Self::Synthesis => "synthesis",
            Self::Runtime => "runtime",
        })
    }
}

/// What a file is to its model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// The network's weights.
    Weights,
    /// The table from text pieces to token numbers.
    Vocabulary,
    /// The `SentencePiece` model of the source language.
    SourceTokenizer,
    /// The `SentencePiece` model of the target language.
    TargetTokenizer,
    /// Which tokens a translation may need.
    Shortlist,
    /// The shape of the network.
    Config,
    /// One voice of a synthesiser; the file's stem is the voice's name.
    Voice,
    /// The table from phonemes to token numbers.
    TokenTable,
    /// A shared library.
    Library,
}

/// An operating system and processor, written as in "linux-x86_64".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Platform(String);

impl Platform {
    /// The one this program runs on.
    #[must_use]
    pub fn current() -> Self {
        Self(format!(
            "{}-{}",
            std::env::consts::OS,
            std::env::consts::ARCH
        ))
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A model: files that only work together.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    /// Unique; letters, digits, '-', '_' and '.'. Also its folder in the cache.
    pub name: String,
    /// What it does.
    pub kind: Kind,
    /// The languages it works for.
    pub languages: Languages,
    /// The direction, of a translation model.
    pub pair: Option<LanguagePair>,
    /// SPDX expression.
    pub licence: String,
    /// Whose work it is.
    pub attribution: String,
    /// Where to read about it.
    pub home: Option<String>,
    /// Whether `fetch` without names gets it.
    pub default: bool,
    /// Its files for this platform; none where it does not exist for it.
    pub files: Vec<ModelFile>,
}

impl Model {
    /// Sum of the sizes of its files, as far as they are known, in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files
            .iter()
            .filter_map(|file| file.artifact.content.as_ref())
            .map(|content| content.size)
            .sum()
    }

    /// The file at `path` below the model's folder.
    #[must_use]
    pub fn file(&self, path: &str) -> Option<&ModelFile> {
        self.files.iter().find(|file| file.path == path)
    }
}

/// The languages of a model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Languages {
    /// Language does not matter.
    #[default]
    None,
    /// All that [`Language`] knows.
    Multilingual,
    /// These only.
    Some(Vec<Language>),
}

impl Languages {
    /// Whether `language` is among them.
    #[must_use]
    pub fn contain(&self, language: Language) -> bool {
        match self {
            Self::None => false,
            Self::Multilingual => true,
            Self::Some(languages) => languages.contains(&language),
        }
    }
}

impl fmt::Display for Languages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::None => f.write_str("-"),
            Self::Multilingual => f.write_str("multilingual"),
            Self::Some(languages) => {
                let codes: Vec<&str> = languages.iter().map(|language| language.code()).collect();
                f.write_str(&codes.join(" "))
            }
        }
    }
}

/// A file of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct ModelFile {
    /// What it is to the model.
    pub role: Role,
    /// Where it lies below the model's folder, with '/'.
    pub path: String,
    /// What is in it and where it comes from.
    pub artifact: Artifact,
}

/// All models that are known by name.
#[derive(Debug, Clone, PartialEq)]
pub struct Catalogue {
    models: Vec<Model>,
}

impl Catalogue {
    /// The built-in models.
    ///
    /// # Errors
    /// Never in a build whose tests passed.
    pub fn built_in() -> Result<Self, ModelError> {
        let origin = Path::new("models/catalogue.toml");
        let mut catalogue = Self { models: Vec::new() };
        catalogue.extend(BUILT_IN, origin)?;
        Ok(catalogue)
    }

    /// Adds the models of another catalogue, `text`, read from `origin`.
    ///
    /// # Errors
    /// When the text is not a catalogue, or a name in it is taken.
    pub fn extend(&mut self, text: &str, origin: &Path) -> Result<(), ModelError> {
        let wrong = |reason: String| ModelError::Catalogue {
            path: origin.to_owned(),
            reason,
        };
        for model in file::parse(text).map_err(wrong)? {
            if self.models.iter().any(|known| known.name == model.name) {
                return Err(wrong(format!(
                    "there is already a model named '{}'; give yours another name",
                    model.name
                )));
            }
            self.models.push(model);
        }
        for model in &self.models {
            for file in &model.files {
                self.check_inputs(file).map_err(wrong)?;
            }
        }
        Ok(())
    }

    /// Every file that a conversion starts from must exist, and none may lead back to itself.
    fn check_inputs(&self, file: &ModelFile) -> Result<(), String> {
        let mut seen: Vec<&FileName> = Vec::new();
        let mut open: Vec<&ModelFile> = vec![file];
        while let Some(file) = open.pop() {
            for input in file.artifact.sources.iter().filter_map(Source::input) {
                if seen.contains(&input) {
                    return Err(format!(
                        "'{}' is made from itself by way of {input}",
                        file.path
                    ));
                }
                seen.push(input);
                open.push(self.file(input).ok_or_else(|| {
                    format!(
                        "'{}' is made from {input}, which is not in the catalogue",
                        file.path
                    )
                })?);
            }
        }
        Ok(())
    }

    /// All models, in the catalogue's order.
    pub fn models(&self) -> impl Iterator<Item = &Model> {
        self.models.iter()
    }

    /// The model named `name`.
    ///
    /// # Errors
    /// When there is none; the error names the nearest.
    pub fn model(&self, name: &str) -> Result<&Model, ModelError> {
        self.models
            .iter()
            .find(|model| model.name == name)
            .ok_or_else(|| ModelError::UnknownModel {
                name: name.to_owned(),
                nearest: self.nearest(name),
            })
    }

    pub(crate) fn file(&self, name: &FileName) -> Option<&ModelFile> {
        self.models
            .iter()
            .find(|model| model.name == name.model)
            .and_then(|model| model.file(&name.path))
    }

    fn nearest(&self, name: &str) -> Option<String> {
        self.models
            .iter()
            .map(|model| (strsim::jaro_winkler(&model.name, name), &model.name))
            .filter(|(likeness, _)| *likeness > 0.7)
            .max_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, nearest)| nearest.clone())
    }
}

#[cfg(test)]
mod tests;
