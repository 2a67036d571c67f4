//! Which recordings, into which languages.

use std::collections::BTreeSet;

use interpret_models::Language;

use crate::{
    error::ClientError,
    evaluation::{Recording, score::Subject},
};

/// What to evaluate, and what is left out for want of a target.
#[derive(Debug, Default)]
pub(super) struct Selection {
    pub(super) subjects: Vec<Subject>,
    /// Audio files whose manifest names no target, where none was given.
    pub(super) without_target: Vec<String>,
}

/// Chooses by `--to` and `--only`.
pub(super) fn select(
    recordings: Vec<Recording>,
    to: &[Language],
    only: Option<&str>,
) -> Result<Selection, ClientError> {
    let mut selection = Selection::default();
    let mut names = BTreeSet::new();
    for recording in recordings {
        let spoken = recording.language;
        let target = match recording.target {
            Some(target) => (to.is_empty() || to.contains(&target)).then_some(target),
            None => to.iter().copied().find(|target| *target != spoken),
        };
        let Some(target) = target else {
            if recording.target.is_none() && to.is_empty() {
                let name = recording.audio.file_name().unwrap_or_default();
                selection
                    .without_target
                    .push(name.to_string_lossy().into_owned());
            }
            continue;
        };
        let subject = Subject { recording, target };
        let name = subject.name();
        if only.is_some_and(|only| !name.contains(only)) {
            continue;
        }
        if !names.insert(name.clone()) {
            return Err(ClientError::Usage(format!(
                "the manifest lists {name} twice: its files would overwrite each other"
            )));
        }
        selection.subjects.push(subject);
    }
    if selection.subjects.is_empty() {
        return Err(ClientError::Usage(
            match selection.without_target.is_empty() {
                true => "no recording of the manifest matches --only and --to".to_owned(),
                false => {
                    "the manifest names no target languages; say with --to which to use".to_owned()
                }
            },
        ));
    }
    Ok(selection)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recording(audio: &str, language: &str, target: Option<&str>) -> Recording {
        Recording {
            audio: audio.into(),
            language: language.parse().unwrap(),
            transcript: String::new(),
            target: target.map(|code| code.parse().unwrap()),
            reference: String::new(),
        }
    }

    fn selected(to: &[&str], only: Option<&str>) -> Result<Vec<String>, ClientError> {
        let recordings = vec![
            recording("a.flac", "en", Some("fr")),
            recording("a.flac", "en", Some("pt")),
            recording("b.flac", "en", None),
            recording("c.flac", "fr", None),
        ];
        let to: Vec<Language> = to.iter().map(|code| code.parse().unwrap()).collect();
        let selection = select(recordings, &to, only)?;
        Ok(selection.subjects.iter().map(Subject::name).collect())
    }

    #[test]
    fn targets_come_from_the_manifest_and_from_to() {
        assert_eq!(selected(&[], None).unwrap(), ["a.en-fr", "a.en-pt"]);
        assert_eq!(selected(&["fr"], None).unwrap(), ["a.en-fr", "b.en-fr"]);
        let both = selected(&["fr", "en"], None).unwrap();
        assert_eq!(both, ["a.en-fr", "b.en-fr", "c.fr-en"]);
        assert_eq!(selected(&[], Some("pt")).unwrap(), ["a.en-pt"]);
        assert!(selected(&[], Some("zz")).is_err());
    }

    #[test]
    fn what_would_overwrite_itself_is_refused() {
        let twice = || recording("x/a.flac", "en", Some("fr"));
        assert!(select(vec![twice(), twice()], &[], None).is_err());
        assert!(select(vec![recording("a", "en", None)], &[], None).is_err());
    }
}
