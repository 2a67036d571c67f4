//! Glossaries: terms that are to be rendered in a given way, or not translated at all.
//!
//! A term is put into the source in the target's language before it is translated: models copy what is
//! already there, and choose articles and endings that fit it (Song et al. 2019, "Code-Switching for
//! Enhancing NMT with Pre-Specified Translation"). The search then sees to it that it is said
//! (`marian/terms.rs`).

mod marked;

use std::collections::HashMap;

pub(crate) use self::marked::Marked;
use self::marked::Place;

/// Terms of one language pair.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glossary {
    entries: Vec<GlossaryEntry>,
    /// Entries by the first character of their source, in lower case; longest first.
    by_first: HashMap<char, Vec<usize>>,
}

/// A term.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GlossaryEntry {
    /// In the source language. Letters of either case match, but for abbreviations in capitals ("US"),
    /// which match as they are.
    pub source: String,
    /// In the target language.
    pub target: String,
}

/// A glossary makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GlossaryError {
    /// A term without text.
    #[error("term {number} of the glossary is empty")]
    Empty {
        /// Counted from 1; the line, in a file.
        number: usize,
    },
    /// A line that has more than a term and its rendering.
    #[error(
        "line {number} of the glossary has {columns} columns; write a term, a tab, and its rendering, or only the term to leave it untranslated"
    )]
    Columns {
        /// Counted from 1.
        number: usize,
        /// How many there are.
        columns: usize,
    },
    /// A term that has two renderings.
    #[error("the glossary renders '{term}' both as '{first}' and as '{second}'")]
    Twice {
        /// The term.
        term: String,
        /// One rendering.
        first: String,
        /// The other one.
        second: String,
    },
}

impl Glossary {
    /// # Errors
    /// When a term is empty or has two renderings.
    pub fn new(entries: Vec<GlossaryEntry>) -> Result<Self, GlossaryError> {
        let mut by_first: HashMap<char, Vec<usize>> = HashMap::new();
        let mut known: HashMap<String, usize> = HashMap::new();
        for (index, entry) in entries.iter().enumerate() {
            let first = entry.source.trim().chars().next().map(lower);
            let Some(first) = first.filter(|_| !entry.target.trim().is_empty()) else {
                return Err(GlossaryError::Empty { number: index + 1 });
            };
            match known.insert(entry.folded(), index) {
                Some(other) if entries[other].target != entry.target => {
                    return Err(GlossaryError::Twice {
                        term: entry.source.clone(),
                        first: entries[other].target.clone(),
                        second: entry.target.clone(),
                    });
                }
                Some(_) => {}
                None => by_first.entry(first).or_default().push(index),
            }
        }
        for indices in by_first.values_mut() {
            indices.sort_by_key(|index| std::cmp::Reverse(entries[*index].source.len()));
        }
        Ok(Self { entries, by_first })
    }

    /// Reads a term a line: the term, a tab, and its rendering; only the term where it is not to be
    /// translated. Empty lines and those that begin with `#` say nothing.
    ///
    /// # Errors
    /// When a line has more columns, or as for [`new`](Self::new).
    pub fn parse(text: &str) -> Result<Self, GlossaryError> {
        let lines = text.trim_start_matches('\u{feff}').lines();
        let lines = (1..).zip(lines.map(str::trim));
        let mut entries = Vec::new();
        for (number, line) in lines.filter(|(_, line)| !line.is_empty() && !line.starts_with('#')) {
            let columns: Vec<&str> = line.split('\t').map(str::trim).collect();
            let (source, target) = match columns[..] {
                [source] => (source, source),
                [source, target] => (source, target),
                _ => {
                    let columns = columns.len();
                    return Err(GlossaryError::Columns { number, columns });
                }
            };
            if source.is_empty() || target.is_empty() {
                return Err(GlossaryError::Empty { number });
            }
            entries.push(GlossaryEntry {
                source: source.to_owned(),
                target: target.to_owned(),
            });
        }
        Self::new(entries)
    }

    /// Its terms.
    #[must_use]
    pub fn entries(&self) -> &[GlossaryEntry] {
        &self.entries
    }

    /// Finds the terms in `source`: whole words, the longest that begins at each place.
    pub(crate) fn mark(&self, source: &str) -> Marked {
        let mut places = Vec::new();
        let (mut before, mut past) = (None, 0);
        for (at, character) in source.char_indices() {
            if at >= past
                && let Some((entry, length)) = self.longest(&source[at..], character, before)
            {
                past = at + length;
                places.push(Place::new(entry, &source[at..past], at));
            }
            before = Some(character);
        }
        Marked::new(source, places)
    }

    /// The longest term that `text` begins with, and how many bytes of it that are.
    fn longest(
        &self,
        text: &str,
        first: char,
        before: Option<char>,
    ) -> Option<(&GlossaryEntry, usize)> {
        if first.is_alphanumeric() && before.is_some_and(char::is_alphanumeric) {
            return None;
        }
        let indices = self.by_first.get(&lower(first))?;
        indices.iter().find_map(|index| {
            let entry = &self.entries[*index];
            Some((entry, entry.matches(text)?))
        })
    }
}

impl GlossaryEntry {
    /// Whether it says only that a term is not to be translated.
    fn is_kept(&self) -> bool {
        self.source == self.target
    }

    /// Whether only its own capitals match.
    fn is_abbreviation(&self) -> bool {
        is_capitals(&self.source)
    }

    /// What tells it from other terms.
    fn folded(&self) -> String {
        if self.is_abbreviation() {
            self.source.clone()
        } else {
            self.source.trim().chars().map(lower).collect()
        }
    }

    /// How many bytes of the beginning of `text` are this term, as whole words.
    fn matches(&self, text: &str) -> Option<usize> {
        let exact = self.is_abbreviation();
        let mut rest = text;
        let mut last = ' ';
        for word in self.source.split_whitespace() {
            if rest.len() < text.len() {
                let begun = rest.trim_start();
                if begun.len() == rest.len() {
                    return None;
                }
                rest = begun;
            }
            for expected in word.chars() {
                let found = rest.chars().next()?;
                if found != expected && (exact || lower(found) != lower(expected)) {
                    return None;
                }
                rest = &rest[found.len_utf8()..];
                last = found;
            }
        }
        let goes_on = |next: char| next.is_alphanumeric() && last.is_alphanumeric();
        (!rest.chars().next().is_some_and(goes_on)).then_some(text.len() - rest.len())
    }
}

/// A character in lower case, where that is one character; all apostrophes alike.
fn lower(character: char) -> char {
    if character == '\u{2019}' {
        return '\'';
    }
    let mut lower = character.to_lowercase();
    match (lower.next(), lower.next()) {
        (Some(only), None) => only,
        _ => character,
    }
}

/// Whether a text has two letters or more, none of them small.
fn is_capitals(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters > 1 && !text.chars().any(char::is_lowercase)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn glossary(lines: &str) -> Glossary {
        Glossary::parse(lines).unwrap()
    }

    fn found(glossary: &Glossary, source: &str) -> Vec<String> {
        let marked = glossary.mark(source);
        let places = marked.places().iter();
        places
            .map(|place| source[place.source.clone()].to_owned())
            .collect()
    }

    #[test]
    fn terms_are_whole_words_and_the_longest() {
        let glossary = glossary("conseil\tcouncil\nconseil d'administration\tBoard of Directors\n");
        let source = "Le Conseil d\u{2019}administration, le conseil et le conseiller.";
        assert_eq!(
            found(&glossary, source),
            ["Conseil d\u{2019}administration", "conseil"]
        );
        let marked = glossary.mark(source);
        assert_eq!(
            marked.text(),
            "Le Board of Directors, le council et le conseiller."
        );
    }

    #[test]
    fn white_space_in_a_term_matches_any() {
        let glossary = glossary("machine learning\tapprentissage automatique\n");
        assert_eq!(
            found(&glossary, "On machine \n learning"),
            ["machine \n learning"]
        );
        assert!(found(&glossary, "machinelearning").is_empty());
    }

    #[test]
    fn abbreviations_match_in_capitals_only() {
        let glossary = glossary("US\tÉtats-Unis\n");
        assert_eq!(found(&glossary, "us and the US"), ["US"]);
    }

    #[test]
    fn capitals_follow_the_source_but_for_names() {
        let glossary = glossary("ordinateur\tcomputer\niPhone\n");
        let marked = glossary.mark("Ordinateur, ORDINATEUR, ordinateur, IPHONE");
        assert_eq!(marked.text(), "Computer, COMPUTER, computer, iPhone");
        assert_eq!(marked.places()[2].first, "Computer");
        assert_eq!(marked.places()[3].first, "iPhone");
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        assert!(matches!(
            Glossary::parse("a\tb\tc"),
            Err(GlossaryError::Columns {
                number: 1,
                columns: 3
            })
        ));
        assert_eq!(
            Glossary::parse("# terms\n\n \tb"),
            Ok(glossary("b")),
            "a line is trimmed first"
        );
        let twice = Glossary::parse("chat\tcat\nChat\tfeline").unwrap_err();
        assert!(
            twice.to_string().contains("'cat' and as 'feline'"),
            "{twice}"
        );
        assert_eq!(glossary("chat\tcat\nchat\tcat").entries().len(), 2);
    }
}
