//! Cuts committed translation into phrases to be spoken one after the other.
//!
//! A phrase that ends where a reader would pause sounds best; but the listener waits for it. So a
//! phrase is cut earlier only where the voice would fall silent, and then not after a word that
//! leans on the next one ("the", "of").

use std::collections::VecDeque;

use interpret_models::{Language, synthesis::clauses::SHORTEST_CLAUSE};

use super::ToSpeak;
use crate::pipeline::{SourceRange, TimedWord};

/// What to speak in one go.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Phrase {
    /// As committed, with its leading space.
    pub(super) text: String,
    pub(super) sentence: u64,
    /// When its source was said.
    pub(super) range: SourceRange,
    pub(super) end: PhraseEnd,
}

/// How many words a phrase has that ends where a reader would not pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::pipeline) struct PhraseLengths {
    /// At least, so that its melody makes sense.
    pub(in crate::pipeline) least: usize,
    /// A longer phrase is cut: nothing of it is heard before all of it is made.
    pub(in crate::pipeline) most: usize,
}

/// What a phrase ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PhraseEnd {
    /// The end of a sentence.
    Sentence,
    /// A comma or the like.
    Clause,
    /// Nothing: the clause goes on.
    Within,
}

/// Committed translation that is not spoken yet.
#[derive(Debug)]
pub(super) struct Phrasing {
    leaning: &'static [&'static str],
    words: VecDeque<(TimedWord, u64)>,
    /// The last sentence that is complete.
    complete: u64,
}

impl Phrasing {
    /// For text in `language`.
    pub(super) fn new(language: Language) -> Self {
        Self {
            leaning: leaning_words(language.code()),
            words: VecDeque::new(),
            complete: 0,
        }
    }

    pub(super) fn push(&mut self, text: ToSpeak) {
        let sentence = text.sentence;
        self.words
            .extend(text.words.into_iter().map(|word| (word, sentence)));
        if text.complete {
            self.complete = self.complete.max(sentence);
        }
    }

    /// Says that nothing follows.
    pub(super) fn end(&mut self) {
        self.complete = u64::MAX;
    }

    /// Words not yet spoken.
    pub(super) fn len(&self) -> usize {
        self.words.len()
    }

    /// The next phrase that ends where a reader would pause, or as much of it as `most` words allow.
    pub(super) fn whole(&mut self, most: usize) -> Option<Phrase> {
        let (_, sentence) = *self.words.front()?;
        let length = self
            .words
            .iter()
            .take_while(|(_, of)| *of == sentence)
            .count();
        let ended = sentence <= self.complete || length < self.words.len();
        let enough = |words: usize| words >= SHORTEST_CLAUSE;
        let clause = (1..length).find(|&at| {
            // What is left must be long enough too, as far as it is known.
            enough(at) && ends_clause(&self.words[at - 1].0.text) && (!ended || enough(length - at))
        });
        let (at, end) = match clause {
            Some(at) => (at, PhraseEnd::Clause),
            None if ended => (length, PhraseEnd::Sentence),
            None if length >= SHORTEST_CLAUSE && ends_clause(&self.words[length - 1].0.text) => {
                (length, PhraseEnd::Clause)
            }
            None => return None,
        };
        if at > most {
            // In parts of about the same length: what is left over is not to be a stub.
            let even = at.div_ceil(at.div_ceil(most));
            let place = self.place(even.div_ceil(2)..=even).unwrap_or(even);
            return Some(self.cut(place, PhraseEnd::Within));
        }
        Some(self.cut(at, end))
    }

    /// The last of these lengths after whose last word a voice may stop.
    fn place(&self, lengths: std::ops::RangeInclusive<usize>) -> Option<usize> {
        lengths
            .rev()
            .find(|&at| !self.leans(&self.words[at - 1].0.text))
    }

    /// The next phrase of such a length, cut where it must be: for a listener who would hear nothing
    /// otherwise.
    pub(super) fn part(&mut self, lengths: PhraseLengths) -> Option<Phrase> {
        if let Some(phrase) = self.whole(lengths.most) {
            return Some(phrase);
        }
        let (_, sentence) = *self.words.front()?;
        let length = self
            .words
            .iter()
            .take_while(|(_, of)| *of == sentence)
            .count();
        let at = self.place(lengths.least.max(1)..=length.min(lengths.most.max(lengths.least)))?;
        Some(self.cut(at, PhraseEnd::Within))
    }

    fn cut(&mut self, at: usize, end: PhraseEnd) -> Phrase {
        let sentence = self.words.front().map_or(0, |(_, sentence)| *sentence);
        let words: Vec<TimedWord> = self.words.drain(..at).map(|(word, _)| word).collect();
        let range = words
            .iter()
            .map(|word| word.range)
            .reduce(SourceRange::join);
        Phrase {
            text: words.iter().map(|word| word.text.as_str()).collect(),
            sentence,
            range: range.unwrap_or_default(),
            end,
        }
    }

    fn leans(&self, word: &str) -> bool {
        let word = word.trim().to_lowercase();
        self.leaning.contains(&word.as_str()) || word.ends_with(['\'', '’', '-', '(', '«'])
    }
}

fn ends_clause(word: &str) -> bool {
    word.trim_end_matches(['"', '”', '»', ')'])
        .ends_with([',', ';', ':', '—', '–', '…', '!', '?', '.'])
}

/// Articles, prepositions, pronouns and the like: a voice does not stop after them.
fn leaning_words(language: &str) -> &'static [&'static str] {
    match language {
        "en" => &[
            "a", "an", "the", "of", "to", "in", "on", "at", "by", "for", "from", "with", "and",
            "or", "but", "that", "which", "who", "is", "are", "was", "were", "be", "been", "has",
            "have", "had", "will", "would", "can", "could", "may", "must", "should", "not", "no",
            "this", "these", "those", "its", "his", "her", "their", "our", "your", "my", "i", "he",
            "she", "it", "we", "you", "they", "as", "if", "than", "into", "very", "so", "one's",
            "each", "every", "any", "some", "two", "when", "where", "how", "also", "more", "most",
        ],
        "fr" => &[
            "le", "la", "les", "un", "une", "des", "du", "de", "d", "à", "au", "aux", "en", "dans",
            "sur", "sous", "par", "pour", "avec", "et", "ou", "mais", "que", "qui", "dont", "est",
            "sont", "était", "a", "ont", "sera", "ne", "pas", "ce", "cet", "cette", "ces", "son",
            "sa", "ses", "leur", "leurs", "notre", "nos", "votre", "vos", "mon", "ma", "mes", "je",
            "tu", "il", "elle", "on", "nous", "vous", "ils", "elles", "se", "si", "comme", "plus",
            "très", "deux", "chaque", "être", "avoir", "peut", "peuvent", "doit", "doivent",
        ],
        "es" | "pt" | "it" => &[
            "el", "la", "los", "las", "un", "una", "de", "del", "a", "al", "en", "con", "por",
            "para", "y", "o", "que", "se", "no", "su", "sus", "es", "son", "os", "as", "um", "uma",
            "do", "da", "dos", "das", "em", "no", "na", "nos", "nas", "com", "e", "ou", "não",
            "seu", "sua", "é", "são", "il", "lo", "gli", "le", "di", "del", "della", "che", "per",
        ],
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn text(text: &str, sentence: u64, complete: bool) -> ToSpeak {
        let words = text
            .split_whitespace()
            .zip(0..)
            .map(|(word, at)| TimedWord {
                text: format!(" {word}"),
                range: SourceRange {
                    start_ms: at * 100,
                    end_ms: at * 100 + 100,
                },
                probability: 1.0,
            });
        ToSpeak {
            words: words.collect(),
            sentence,
            complete,
        }
    }

    fn lengths(least: usize, most: usize) -> PhraseLengths {
        PhraseLengths { least, most }
    }

    fn phrasing(texts: &[(&str, u64, bool)]) -> Phrasing {
        let mut phrasing = Phrasing::new("en".parse().unwrap());
        for (words, sentence, complete) in texts {
            phrasing.push(text(words, *sentence, *complete));
        }
        phrasing
    }

    #[test]
    fn waits_for_a_clause_and_cuts_at_it() {
        let mut some = phrasing(&[("When the rain", 1, false)]);
        assert_eq!(some.whole(9), None);
        some.push(text("stopped, we", 1, false));
        let first = some.whole(9).unwrap();
        assert_eq!(
            (&*first.text, first.end),
            (" When the rain stopped,", PhraseEnd::Clause)
        );
        assert_eq!(some.whole(9), None);
        some.push(text("left.", 1, true));
        let last = some.whole(9).unwrap();
        assert_eq!((&*last.text, last.end), (" we left.", PhraseEnd::Sentence));
    }

    #[test]
    fn a_phrase_that_must_be_cut_does_not_end_in_a_word_that_leans_on_the_next() {
        let mut some = phrasing(&[("The content of the", 1, false)]);
        let first = some.part(lengths(2, 9)).unwrap();
        assert_eq!(
            (&*first.text, first.end),
            (" The content", PhraseEnd::Within)
        );
        assert_eq!(some.part(lengths(2, 9)), None, "of the …");
        some.push(text("data", 1, false));
        assert_eq!(some.part(lengths(2, 9)).unwrap().text, " of the data");
        assert_eq!(some.part(lengths(1, 9)), None);
    }

    #[test]
    fn a_long_phrase_is_cut_into_even_parts() {
        let mut some = phrasing(&[("a b c d e f g h i j k.", 1, true)]);
        let mut cut = || {
            some.whole(5)
                .map(|phrase| (phrase.text.len() / 2, phrase.end))
        };
        let within = PhraseEnd::Within;
        let parts = [cut(), cut(), cut(), cut()];
        // "a" and "i" lean on what follows.
        let expected = [
            Some((4, within)),
            Some((4, within)),
            Some((3, PhraseEnd::Sentence)),
            None,
        ];
        assert_eq!(parts, expected);
    }

    #[test]
    fn sentences_are_not_mixed() {
        let mut some = phrasing(&[("One two three four", 1, false), ("five six", 2, false)]);
        let first = some.whole(9).unwrap();
        assert_eq!((first.sentence, first.end), (1, PhraseEnd::Sentence));
        assert_eq!(some.whole(9), None);
        assert_eq!(some.part(lengths(1, 9)).unwrap().sentence, 2);
    }

    proptest! {
        #[test]
        fn every_word_is_spoken_once_in_order(
            pieces in prop::collection::vec((prop::collection::vec("[a-c]{1,2}[,.]?", 0..6), any::<bool>(), any::<bool>()), 0..12),
        ) {
            let mut phrasing = Phrasing::new("en".parse().unwrap());
            let (mut given, mut spoken, mut sentence) = (String::new(), String::new(), 1);
            for (words, complete, urgent) in pieces {
                let words = words.join(" ");
                let piece = text(&words, sentence, complete);
                given.extend(piece.words.iter().map(|word| word.text.clone()));
                phrasing.push(piece);
                sentence += u64::from(complete);
                while let Some(phrase) = if urgent { phrasing.part(lengths(2, 4)) } else { phrasing.whole(4) } {
                    spoken.push_str(&phrase.text);
                }
            }
            phrasing.push(text("", sentence, true));
            while let Some(phrase) = phrasing.whole(4) {
                spoken.push_str(&phrase.text);
            }
            prop_assert_eq!(spoken, given);
        }
    }
}
