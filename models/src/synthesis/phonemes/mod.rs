//! Text to phonemes in Kokoro's alphabet.
//!
//! English is done in the process; every other language by espeak-ng, a separate program (GPL-3)
//! that is run, never linked.

mod alphabet;
mod clauses;
mod dialect;
mod english;
mod espeak;
mod terminal;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

pub(crate) use self::dialect::Dialect;
use self::{clauses::Piece, english::English, espeak::Espeak};
use super::SynthesisError;

/// The phonemisers of all dialects, each readied by its first text.
#[derive(Debug)]
pub(crate) struct Phonemizer {
    espeak_program: PathBuf,
    english: BTreeMap<Dialect, English>,
    espeak: BTreeMap<Dialect, Espeak>,
}

impl Phonemizer {
    /// `espeak` is the program espeak-ng: a path, or a name to look up in `PATH`.
    pub(crate) fn new(espeak: &Path) -> Self {
        Self {
            espeak_program: espeak.to_owned(),
            english: BTreeMap::new(),
            espeak: BTreeMap::new(),
        }
    }

    /// Phonemes of normalised `text`; empty where it has nothing to pronounce.
    pub(crate) fn phonemes(
        &mut self,
        text: &str,
        dialect: Dialect,
    ) -> Result<String, SynthesisError> {
        if !text.chars().any(char::is_alphanumeric) {
            return Ok(String::new());
        }
        match dialect {
            Dialect::AmericanEnglish | Dialect::BritishEnglish => self
                .english
                .entry(dialect)
                .or_insert_with(|| English::new(dialect, &self.espeak_program))
                .phonemes(text),
            _ => self.by_espeak(text, dialect),
        }
    }

    fn by_espeak(&mut self, text: &str, dialect: Dialect) -> Result<String, SynthesisError> {
        let espeak = self
            .espeak
            .entry(dialect)
            .or_insert_with(|| Espeak::new(&self.espeak_program, dialect.espeak_voice()));
        let mut phonemes = String::new();
        for piece in clauses::pieces(text) {
            match piece {
                Piece::Marks(marks) => phonemes.push_str(&marks),
                Piece::Words(words) => {
                    let ipa = espeak
                        .ipa(&words)
                        .map_err(|error| SynthesisError::Phonemes(error.to_string()))?;
                    phonemes.push_str(&alphabet::from_espeak(&ipa, dialect));
                }
            }
        }
        Ok(phonemes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phonemes(text: &str, dialect: Dialect) -> String {
        Phonemizer::new(Path::new("espeak-ng"))
            .phonemes(text, dialect)
            .unwrap()
    }

    #[test]
    fn known_french_words() {
        for (text, expected) in [
            ("Bonjour, le monde !", "bɔ̃ʒˈuʁ, lə mˈɔ̃d!"),
            ("un bon vin blanc", "œ̃ bˈɔ̃ vˈɛ̃ blˈɑ̃"),
            ("aujourd’hui", "oʒuʁdyˈi"),
        ] {
            assert_eq!(phonemes(text, Dialect::French), expected);
        }
    }

    #[test]
    fn other_languages_speak_too() {
        for (text, dialect) in [
            ("buenos días", Dialect::Spanish),
            ("bom dia", Dialect::BrazilianPortuguese),
            ("buongiorno", Dialect::Italian),
            ("नमस्ते", Dialect::Hindi),
        ] {
            assert!(!phonemes(text, dialect).is_empty(), "{text}");
        }
    }

    #[test]
    fn text_without_words_needs_no_program() {
        let mut phonemizer = Phonemizer::new(Path::new("no-such-espeak"));
        for text in ["", " ", "…", "—", "?!"] {
            assert_eq!(phonemizer.phonemes(text, Dialect::French).unwrap(), "");
        }
        let error = phonemizer.phonemes("oui", Dialect::French).unwrap_err();
        assert!(matches!(error, SynthesisError::Phonemes(_)), "{error}");
    }
}
