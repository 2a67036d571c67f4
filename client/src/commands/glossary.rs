//! `--glossary`: terms from a file.

use std::path::Path;

use interpret_models::{Language, translation::Glossary};
use interpret_proto::v1::GlossaryTerm;

use crate::error::ClientError;

/// Reads the files of `given`, each for all targets (`terms.tsv`) or for one (`pt=terms.tsv`).
pub(super) fn read(given: &[String]) -> Result<Vec<GlossaryTerm>, ClientError> {
    let mut terms = Vec::new();
    for argument in given {
        let (language, path) = part(argument);
        let wrong = |reason: String| ClientError::Usage(format!("--glossary {path}: {reason}"));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let glossary = Glossary::parse(&text).map_err(|error| wrong(error.to_string()))?;
        terms.extend(glossary.entries().iter().map(|entry| {
            GlossaryTerm {
                source: entry.source.clone(),
                target: entry.target.clone(),
                language: language
                    .map(|language| language.to_string())
                    .unwrap_or_default(),
            }
        }));
    }
    Ok(terms)
}

/// `pt=terms.tsv` as a language and a path; a path that has an equals sign is one all the same.
fn part(argument: &str) -> (Option<Language>, &str) {
    let parts = argument.split_once('=');
    let parts = parts.filter(|_| !Path::new(argument).exists());
    let parts = parts.and_then(|(language, path)| Some((language.parse().ok()?, path)));
    parts.map_or((None, argument), |(language, path)| (Some(language), path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terms_come_from_files_and_what_is_wrong_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("terms=all.tsv");
        std::fs::write(&path, "chat\tfeline\nKyutai\n").unwrap();
        let path = path.to_str().unwrap();
        let terms = read(&[path.to_owned(), format!("pt={path}")]).unwrap();
        let told: Vec<(&str, &str, &str)> = terms
            .iter()
            .map(|term| (&*term.source, &*term.target, &*term.language))
            .collect();
        assert_eq!(
            told,
            [
                ("chat", "feline", ""),
                ("Kyutai", "Kyutai", ""),
                ("chat", "feline", "pt"),
                ("Kyutai", "Kyutai", "pt")
            ]
        );
        std::fs::write(path, "a\tb\tc\n").unwrap();
        let error = read(&[path.to_owned()]).unwrap_err().to_string();
        assert!(
            error.contains("line 1") && error.contains("terms=all.tsv"),
            "{error}"
        );
        let error = read(&["no-such-file".to_owned()]).unwrap_err().to_string();
        assert!(error.contains("no-such-file"), "{error}");
    }
}
