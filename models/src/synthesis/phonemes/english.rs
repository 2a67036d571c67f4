//! English phonemes by misaki's dictionaries and rules, inside the process. Words that these do not
//! know go to espeak-ng; without that program they are spelled letter by letter.

use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

use misaki_rs::{Fallback, G2P, fallback::FallbackError};

use super::{alphabet, dialect::Dialect, espeak::Espeak};
use crate::synthesis::SynthesisError;

/// What misaki writes for a word it cannot pronounce.
const UNKNOWN: &str = "❓";

/// Names of the letters a to z, in Kokoro's alphabet.
const LETTERS: [&str; 26] = [
    "ˈA",
    "bˈi",
    "sˈi",
    "dˈi",
    "ˈi",
    "ˈɛf",
    "ʤˈi",
    "ˈAʧ",
    "ˈI",
    "ʤˈA",
    "kˈA",
    "ˈɛl",
    "ˈɛm",
    "ˈɛn",
    "ˈO",
    "pˈi",
    "kjˈu",
    "ˈɑɹ",
    "ˈɛs",
    "tˈi",
    "jˈu",
    "vˈi",
    "dˈʌbᵊlju",
    "ˈɛks",
    "wˈI",
    "zˈi",
];

/// Phonemiser of one kind of English.
pub(super) struct English {
    g2p: G2P,
}

impl fmt::Debug for English {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("English").finish_non_exhaustive()
    }
}

impl English {
    /// Reads the dictionaries of `dialect`, an English one.
    pub(super) fn new(dialect: Dialect, espeak: &Path) -> Self {
        let language = match dialect {
            Dialect::BritishEnglish => misaki_rs::Language::EnglishGB,
            _ => misaki_rs::Language::EnglishUS,
        };
        let unknown_words = UnknownWords {
            dialect,
            program: espeak.to_owned(),
            espeak: Mutex::new(None),
        };
        let mut g2p = G2P::with_fallback(language, Some(Box::new(unknown_words)));
        UNKNOWN.clone_into(&mut g2p.unk);
        Self { g2p }
    }

    pub(super) fn phonemes(&self, text: &str) -> Result<String, SynthesisError> {
        // misaki reads "[word](how to say it)" as an instruction; text has no such right.
        let text = text.replace(['[', ']', '❓'], " ");
        let (phonemes, _) = self
            .g2p
            .g2p(&text)
            .map_err(|error| SynthesisError::Phonemes(format!("'{text}': {error}")))?;
        Ok(phonemes.replace(UNKNOWN, ""))
    }
}

/// Words outside the dictionaries.
struct UnknownWords {
    dialect: Dialect,
    program: PathBuf,
    /// Started by the first such word.
    espeak: Mutex<Option<Espeak>>,
}

impl Fallback for UnknownWords {
    fn phonemize(&self, word: &str) -> Result<String, FallbackError> {
        let mut espeak = self.espeak.lock().unwrap_or_else(PoisonError::into_inner);
        let espeak =
            espeak.get_or_insert_with(|| Espeak::new(&self.program, self.dialect.espeak_voice()));
        match espeak.ipa(word) {
            Ok(ipa) if !ipa.is_empty() => Ok(alphabet::from_espeak(&ipa, self.dialect)),
            Ok(_) => Ok(spell(word)),
            Err(error) => {
                tracing::debug!(%error, "an unknown word spelled: espeak-ng did not help");
                Ok(spell(word))
            }
        }
    }
}

/// `word`, letter by letter; other characters are silent.
fn spell(word: &str) -> String {
    word.chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| LETTERS[usize::from(letter.to_ascii_lowercase() as u8 - b'a')])
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_words_come_from_the_dictionaries() {
        let american = English::new(Dialect::AmericanEnglish, Path::new("no-such-espeak"));
        assert_eq!(
            american.phonemes("Hello, world!").unwrap(),
            "həlˈO, wˈɜɹld!"
        );
        assert_eq!(
            american
                .phonemes("They record a record every week.")
                .unwrap(),
            "ðˌA ɹəkˈɔɹd ɐ ɹˈɛkəɹd ˈɛvəɹi wˈik."
        );
        let british = English::new(Dialect::BritishEnglish, Path::new("no-such-espeak"));
        assert_eq!(british.phonemes("Hello").unwrap(), "həlˈQ");
    }

    #[test]
    fn unknown_words_are_pronounced_with_espeak_and_spelled_without() {
        let with = English::new(Dialect::AmericanEnglish, Path::new("espeak-ng"));
        assert_eq!(with.phonemes("blorfing").unwrap(), "blˈɔɹfɪŋ");
        let without = English::new(Dialect::AmericanEnglish, Path::new("no-such-espeak"));
        assert_eq!(without.phonemes("qzxwv").unwrap(), spell("qzxwv"));
        assert_eq!(spell("Qz-v"), "kjˈu zˈi vˈi");
    }

    #[test]
    fn text_cannot_dictate_phonemes() {
        let english = English::new(Dialect::AmericanEnglish, Path::new("no-such-espeak"));
        let plain = english.phonemes(" hello (kɒkɒkɒ)").unwrap();
        let marked = english.phonemes("[hello](kɒkɒkɒ)").unwrap();
        assert_eq!(marked.replace(' ', ""), plain.replace(' ', ""));
        assert!(marked.trim().starts_with("həlˈO"), "{marked}");
    }
}
