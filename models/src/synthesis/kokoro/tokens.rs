//! Phoneme strings as token numbers, in parts that the model can take.

use std::{collections::HashMap, path::Path};

use crate::synthesis::SynthesisError;

/// Most tokens the model takes in one run, the two pads not counted.
pub(super) const MOST_TOKENS: usize = 510;

/// Number of every symbol of the model's phoneme alphabet.
#[derive(Debug)]
pub(super) struct TokenTable(HashMap<char, i64>);

#[derive(serde::Deserialize)]
struct VocabFile {
    vocab: HashMap<char, i64>,
}

impl TokenTable {
    /// Reads `vocab.json`: an object whose `vocab` maps each symbol to its number.
    pub(super) fn load(path: &Path) -> Result<Self, SynthesisError> {
        let failed = |reason: String| SynthesisError::Load {
            path: path.to_owned(),
            reason,
        };
        let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
        let file: VocabFile =
            serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
        Ok(Self(file.vocab))
    }

    /// Only the symbols of `phonemes` that the model knows.
    pub(super) fn known(&self, phonemes: &str) -> String {
        let known: String = phonemes
            .chars()
            .filter(|symbol| self.0.contains_key(symbol))
            .collect();
        if known.len() != phonemes.len() {
            tracing::debug!("symbols outside the voice model's alphabet left out");
        }
        known
    }

    /// Token numbers between the two pads. Symbols outside the table are skipped.
    pub(super) fn encode(&self, phonemes: &str) -> Vec<i64> {
        let symbols = phonemes.chars().filter_map(|symbol| self.0.get(&symbol));
        std::iter::once(0)
            .chain(symbols.copied())
            .chain(std::iter::once(0))
            .collect()
    }
}

/// Cuts `phonemes` into parts of at most `most` symbols: after the end of a sentence if there is
/// one in the last half of a part, else after other punctuation, else between words.
pub(super) fn split(phonemes: &str, most: usize) -> Vec<String> {
    let symbols: Vec<char> = phonemes.chars().collect();
    let mut parts = Vec::new();
    let mut rest = symbols.as_slice();
    while rest.len() > most {
        let (part, after) = rest.split_at(cut(rest, most));
        parts.push(part.iter().collect::<String>());
        rest = after;
    }
    parts.push(rest.iter().collect());
    parts
        .iter()
        .map(|part| part.trim().to_owned())
        .filter(|part| !part.is_empty())
        .collect()
}

/// Length of the first part of `symbols`.
fn cut(symbols: &[char], most: usize) -> usize {
    const BOUNDARIES: [&[char]; 3] = [&['.', '!', '?', '…'], &[';', ':', ',', '—'], &[' ']];
    BOUNDARIES
        .iter()
        .find_map(|boundary| {
            (most / 2..most)
                .rev()
                .find(|&index| boundary.contains(&symbols[index]))
        })
        .map_or(most, |index| index + 1)
}

/// Whether there is anything to pronounce.
pub(super) fn is_pronounceable(phonemes: &str) -> bool {
    phonemes.chars().any(is_sound)
}

/// How many symbols follow the last one that stands for a sound (marks after it, such as a length
/// or a nasal tilde, count as part of the sound).
pub(super) fn silent_at_end(phonemes: &str) -> usize {
    phonemes
        .chars()
        .rev()
        .take_while(|symbol| !is_sound(*symbol) && !is_mark(*symbol))
        .count()
}

/// Whether the symbol alone stands for a sound.
fn is_sound(symbol: char) -> bool {
    symbol.is_alphabetic() && !is_mark(symbol)
}

/// Whether the symbol changes the sound beside it.
fn is_mark(symbol: char) -> bool {
    matches!(symbol, 'ˈ' | 'ˌ' | 'ː' | 'ʰ' | 'ʲ' | '\u{303}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn tokens_stand_between_pads() {
        let table = TokenTable([('a', 43), (' ', 16), ('b', 44)].into());
        assert_eq!(table.encode("ab a❓"), [0, 43, 44, 16, 43, 0]);
        assert_eq!(table.known("ab❓a"), "aba");
    }

    #[test]
    fn a_long_string_is_cut_at_the_best_boundary() {
        assert_eq!(split("aaaa bbb. cc, dd ee", 12), ["aaaa bbb.", "cc, dd ee"]);
        assert_eq!(split("aaaa bbbb, cc dd", 12), ["aaaa bbbb,", "cc dd"]);
        assert_eq!(split("aaaa bbbb cc dd", 12), ["aaaa bbbb", "cc dd"]);
        assert_eq!(split("aaaaaaaaaaaaaaa", 10), ["aaaaaaaaaa", "aaaaa"]);
        assert_eq!(split("  ", 10), Vec::<String>::new());
    }

    #[test]
    fn what_follows_the_last_sound_is_counted() {
        assert_eq!(silent_at_end("dˈɔɡ"), 0);
        assert_eq!(silent_at_end("mɛzˈɔ\u{303}"), 0);
        assert_eq!(silent_at_end("dˈɔɡ.”"), 2);
    }

    #[test]
    fn punctuation_and_stress_alone_are_not_pronounceable() {
        assert!(!is_pronounceable("… — ˈː"));
        assert!(is_pronounceable("ˈa"));
    }

    proptest! {
        #[test]
        fn parts_fit_and_lose_nothing_but_spaces(text in "[a-zɛ ,.]{0,300}", most in 4_usize..40) {
            let parts = split(&text, most);
            prop_assert!(parts.iter().all(|part| part.chars().count() <= most));
            let squeeze = |text: &str| text.replace(' ', "");
            prop_assert_eq!(squeeze(&parts.concat()), squeeze(&text));
        }
    }
}
