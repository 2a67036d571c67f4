//! A source in which the terms of a glossary are put in the target's language.

use std::ops::Range;

use super::{GlossaryEntry, is_capitals};

/// A source and the terms in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Marked {
    text: String,
    places: Vec<Place>,
}

/// A term in a source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    /// Bytes of the source.
    pub(crate) source: Range<usize>,
    /// Bytes of the marked text.
    pub(crate) marked: Range<usize>,
    /// How it is to be rendered.
    pub(crate) rendering: String,
    /// The same at the beginning of a sentence.
    pub(crate) first: String,
    /// Whether it has a capital in the source because it begins a sentence.
    capital: bool,
}

impl Place {
    /// The place of `entry`, which is `found` in the source at byte `at`.
    pub(super) fn new(entry: &GlossaryEntry, found: &str, at: usize) -> Self {
        let shouted = is_capitals(found) && !entry.is_abbreviation() && !entry.is_kept();
        let rendering = if shouted {
            entry.target.to_uppercase()
        } else {
            entry.target.clone()
        };
        let first = if entry.is_kept() {
            rendering.clone()
        } else {
            capitalised(&rendering)
        };
        let begins = |text: &str| text.chars().next().is_some_and(char::is_uppercase);
        Self {
            source: at..at + found.len(),
            marked: 0..0,
            capital: begins(found) && !begins(&entry.source),
            rendering,
            first,
        }
    }

    fn text(&self) -> &str {
        if self.capital {
            &self.first
        } else {
            &self.rendering
        }
    }
}

/// With a capital at its beginning, unless its first word has capitals of its own ("iPhone").
fn capitalised(text: &str) -> String {
    let word = text.split_whitespace().next().unwrap_or_default();
    let mut characters = text.chars();
    match characters.next() {
        Some(first) if !word.chars().any(char::is_uppercase) => {
            first.to_uppercase().chain(characters).collect()
        }
        _ => text.to_owned(),
    }
}

impl Marked {
    /// A source without terms.
    pub(crate) fn plain(source: &str) -> Self {
        Self {
            text: source.to_owned(),
            places: Vec::new(),
        }
    }

    /// `places` are in the order of the source, and do not overlap.
    pub(super) fn new(source: &str, mut places: Vec<Place>) -> Self {
        let mut text = String::with_capacity(source.len());
        let mut past = 0;
        for place in &mut places {
            text.push_str(&source[past..place.source.start]);
            let begin = text.len();
            text.push_str(place.text());
            place.marked = begin..text.len();
            past = place.source.end;
        }
        text.push_str(&source[past..]);
        Self { text, places }
    }

    /// The source, its terms rendered.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Its terms, in order.
    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }

    /// Where bytes of the marked text come from; a part of a term from all of it.
    pub(crate) fn in_source(&self, marked: &Range<usize>) -> Range<usize> {
        let start = self.position(marked.start, |term| term.start);
        let end = self.position(marked.end, |term| term.end);
        start..end.max(start)
    }

    fn position(&self, at: usize, of_term: impl Fn(&Range<usize>) -> usize) -> usize {
        let before = self.places.iter().rfind(|place| place.marked.start <= at);
        match before {
            None => at,
            Some(place) if at < place.marked.end && at > place.marked.start => {
                of_term(&place.source)
            }
            Some(place) if at == place.marked.start => place.source.start,
            Some(place) => at - place.marked.end + place.source.end,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Glossary;

    #[test]
    fn places_in_the_marked_text_lead_back_to_the_source() {
        let glossary = Glossary::parse("chien\tSaint Bernard\nos\tb\n").unwrap();
        let source = "Un chien, un os.";
        let marked = glossary.mark(source);
        assert_eq!(marked.text(), "Un Saint Bernard, un b.");
        let said = |text: &str| {
            let at = marked.text().find(text).unwrap();
            &source[marked.in_source(&(at..at + text.len()))]
        };
        assert_eq!(said("Un"), "Un");
        assert_eq!(said("Saint"), "chien");
        assert_eq!(said("Bernard,"), "chien,");
        assert_eq!(said("un"), "un");
        assert_eq!(said("b."), "os.");
        let end = marked.text().len();
        assert_eq!(marked.in_source(&(end..end)), source.len()..source.len());
    }
}
