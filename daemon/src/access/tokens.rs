//! The tokens that are taken.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use jiff::Timestamp;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use super::{Allowance, TokenFileError, file};
use crate::session::Refusal;

/// The tokens that are taken, as a file says.
#[derive(Debug)]
pub struct Tokens {
    path: PathBuf,
    allowances: RwLock<Vec<Arc<Allowance>>>,
}

/// The SHA-256 of a token, as the file keeps it.
#[must_use]
pub fn digest(token: &str) -> [u8; 32] {
    Sha256::digest(token.as_bytes()).into()
}

impl Tokens {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read or makes no sense.
    pub fn read(path: &Path) -> Result<Self, TokenFileError> {
        let tokens = Self {
            path: path.to_owned(),
            allowances: RwLock::default(),
        };
        tokens.reload()?;
        Ok(tokens)
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads the file again. What owners have used counts on, by the token's name; sessions that run
    /// go on, also those of tokens that are gone.
    ///
    /// # Errors
    /// When it cannot be read or makes no sense; then everything is as before.
    pub fn reload(&self) -> Result<(), TokenFileError> {
        let entries = file::read(&self.path)?;
        let mut allowances = self
            .allowances
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let used: HashMap<String, _> = allowances
            .iter()
            .map(|allowance| (allowance.name().to_owned(), allowance.usage()))
            .collect();
        *allowances = entries
            .into_iter()
            .map(|entry| {
                let usage = used.get(&entry.name).cloned().unwrap_or_default();
                Arc::new(Allowance::new(entry, usage))
            })
            .collect();
        Ok(())
    }

    /// Whose token `authorization` ("Bearer …") shows.
    pub(super) fn owner(&self, authorization: Option<&str>) -> Result<Arc<Allowance>, Refusal> {
        let bad = |why: &str| Err(Refusal::Unauthenticated(why.to_owned()));
        let Some(shown) = authorization else {
            return bad(
                "this daemon asks for a token; send it as metadata 'authorization: Bearer …'",
            );
        };
        let Some((scheme, token)) = shown.split_once(' ') else {
            return bad("the metadata 'authorization' is not of the form 'Bearer …'");
        };
        if !scheme.eq_ignore_ascii_case("bearer") {
            return bad("the metadata 'authorization' is not of the form 'Bearer …'");
        }
        let digest = digest(token.trim());
        let allowances = self
            .allowances
            .read()
            .unwrap_or_else(PoisonError::into_inner);
        // Every entry is compared in full, so that time tells nothing.
        let mut found = None;
        for allowance in allowances.iter() {
            if bool::from(allowance.entry().sha256.ct_eq(&digest)) {
                found = Some(allowance);
            }
        }
        match found {
            None => bad("the token is not known here"),
            Some(owner) => match owner.entry().expires {
                Some(expires) if Timestamp::now() >= expires => bad(&format!(
                    "the token '{}' expired on {expires}",
                    owner.name()
                )),
                _ => Ok(Arc::clone(owner)),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write as _;

    use super::*;

    fn file(entries: &[(&str, &str, &str)]) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut text = String::new();
        for (name, token, more) in entries {
            let digest = digest(token);
            write!(text, "[[token]]\nname = \"{name}\"\nsha256 = \"").unwrap();
            for byte in digest {
                write!(text, "{byte:02x}").unwrap();
            }
            writeln!(text, "\"\n{more}").unwrap();
        }
        std::fs::write(file.path(), text).unwrap();
        file
    }

    #[test]
    fn only_known_tokens_in_the_right_form_are_taken() {
        let file = file(&[
            ("desk", "one", ""),
            ("old", "two", "expires = \"2020-01-01T00:00:00Z\""),
        ]);
        let tokens = Tokens::read(file.path()).unwrap();
        for shown in ["Bearer one", "bearer one", "BEARER one "] {
            assert_eq!(tokens.owner(Some(shown)).unwrap().name(), "desk", "{shown}");
        }
        for (shown, said) in [
            (None, "asks for a token"),
            (Some("one"), "not of the form"),
            (Some("Basic one"), "not of the form"),
            (Some("Bearer onee"), "not known"),
            (Some("Bearer "), "not known"),
            (Some("Bearer two"), "expired"),
        ] {
            let error = tokens.owner(shown).unwrap_err();
            assert!(error.to_string().contains(said), "{shown:?}: {error}");
            assert!(matches!(error, Refusal::Unauthenticated(_)));
        }
    }

    #[test]
    fn a_file_that_is_damaged_later_changes_nothing() {
        let file = file(&[("desk", "one", "sessions = 1")]);
        let tokens = Tokens::read(file.path()).unwrap();
        let owner = tokens.owner(Some("Bearer one")).unwrap();
        let _running = Allowance::admit(&owner, 1).unwrap();
        std::fs::write(file.path(), "[[token]]\nname = 3").unwrap();
        assert!(tokens.reload().is_err());
        assert!(tokens.owner(Some("Bearer one")).is_ok());
    }

    #[test]
    fn reading_again_takes_new_tokens_drops_old_ones_and_keeps_what_was_used() {
        let before = file(&[("desk", "one", "sessions = 1"), ("gone", "two", "")]);
        let tokens = Tokens::read(before.path()).unwrap();
        let owner = tokens.owner(Some("Bearer one")).unwrap();
        let _running = Allowance::admit(&owner, 1).unwrap();
        let after = file(&[("desk", "other", "sessions = 1"), ("new", "three", "")]);
        std::fs::copy(after.path(), before.path()).unwrap();
        tokens.reload().unwrap();
        assert!(tokens.owner(Some("Bearer one")).is_err());
        assert!(tokens.owner(Some("Bearer two")).is_err());
        assert!(tokens.owner(Some("Bearer three")).is_ok());
        let owner = tokens.owner(Some("Bearer other")).unwrap();
        assert!(Allowance::admit(&owner, 1).is_err());
    }
}
