//! The sentences a translation is scored by.

use interpret_models::{Language, translation::sentences::SentenceSplitter};

use super::{assign, pair};
use crate::evaluation::transcript::TimedWord;

/// A sentence of the reference (or a few, where they cannot be told apart), and what belongs to it.
#[derive(Debug, Clone, PartialEq)]
pub struct Segment {
    /// What a person translated it to.
    pub reference: String,
    /// When the sentence was said: begin and end in source time, ms. `None` where none of its words
    /// was recognised, or the log tells no word times.
    pub source_ms: Option<(u64, u64)>,
    /// The words of the translation that belong to it: a range of the committed words.
    pub words: std::ops::Range<usize>,
}

impl Segment {
    /// The words that belong to it, as text.
    #[must_use]
    pub fn text(&self, committed: &[TimedWord]) -> String {
        let words = committed.get(self.words.clone()).unwrap_or_default();
        let words: Vec<&str> = words.iter().map(|word| word.text.as_str()).collect();
        words.join(" ")
    }
}

/// Cuts a text into sentences, by the rules by which the daemon does.
#[must_use]
pub fn split(text: &str, language: Language) -> Vec<String> {
    let mut splitter = SentenceSplitter::new(language);
    let mut sentences = splitter.push(text);
    sentences.extend(splitter.pause());
    sentences
        .into_iter()
        .map(|sentence| sentence.text)
        .collect()
}

/// Cuts the reference into sentences, and finds out for each when it was said and what words of the
/// translation belong to it.
///
/// The reference tells no times. They are found in three steps: the transcript's sentences are paired
/// with the reference's by length ([`pair`]); the recognised words, which have times, are laid on the
/// transcript's sentences by edit distance ([`assign`]); a sentence lasts from its first such word to
/// its last. The translation is cut where the reference is, by edit distance as well.
#[must_use]
pub fn segments(
    (transcript, source): (&str, Language),
    (reference, target): (&str, Language),
    heard: &[TimedWord],
    translated: &[TimedWord],
) -> Vec<Segment> {
    let (said, references) = (split(transcript, source), split(reference, target));
    let times = sentence_times(&said, heard);
    let mut segments = Vec::new();
    let length = |sentence: &String| sentence.chars().count();
    let lengths = |sentences: &[String]| sentences.iter().map(length).collect::<Vec<_>>();
    let beads = pair(&lengths(&said), &lengths(&references));
    if beads.is_empty() && !references.is_empty() {
        // No transcript: the reference is scored, but nothing is known of times.
        segments.extend(references.iter().map(|sentence| (sentence.clone(), None)));
    }
    for bead in beads {
        let times = times[bead.source].iter().flatten().copied();
        let whole = times.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)));
        segments.push((references[bead.reference].join(" "), whole));
    }
    let cut: Vec<Vec<&str>> = segments
        .iter()
        .map(|(reference, _)| reference.split_whitespace().collect())
        .collect();
    let words: Vec<&str> = translated.iter().map(|word| word.text.as_str()).collect();
    let assigned = assign(&words, &cut);
    let first_of = |segment: usize| assigned.partition_point(|of| *of < segment);
    segments
        .iter()
        .enumerate()
        .map(|(index, (reference, source_ms))| Segment {
            reference: reference.clone(),
            source_ms: *source_ms,
            words: first_of(index)..first_of(index + 1),
        })
        .collect()
}

/// When each sentence of the transcript was said, by the recognised words that belong to it.
fn sentence_times(sentences: &[String], heard: &[TimedWord]) -> Vec<Option<(u64, u64)>> {
    let cut: Vec<Vec<&str>> = sentences
        .iter()
        .map(|s| s.split_whitespace().collect())
        .collect();
    let words: Vec<&str> = heard.iter().map(|word| word.text.as_str()).collect();
    let mut times = vec![None; sentences.len()];
    for (word, sentence) in heard.iter().zip(assign(&words, &cut)) {
        let (Some((start, end)), Some(time)) = (word.source_ms, times.get_mut(sentence)) else {
            continue;
        };
        *time = match *time {
            None => Some((start, end)),
            Some((first, last)) => Some((start.min(first), end.max(last))),
        };
    }
    times
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timed(text: &str) -> Vec<TimedWord> {
        let words = text.split_whitespace().zip(1..);
        words
            .map(|(text, n)| TimedWord {
                text: text.to_owned(),
                source_ms: Some((n * 100 - 100, n * 100)),
                ..TimedWord::default()
            })
            .collect()
    }

    #[test]
    fn sentences_get_times_and_words() {
        let (french, english) = ("fr".parse().unwrap(), "en".parse().unwrap());
        let heard = timed("Bonjour à toutes. Il fait beau ici");
        let translated = timed("Hello everyone it is fine here");
        let found = segments(
            ("Bonjour à tous. Il fait beau ici.", french),
            ("Hello to all. The weather is fine here.", english),
            &heard,
            &translated,
        );
        let expected = [
            Segment {
                reference: "Hello to all.".to_owned(),
                source_ms: Some((0, 300)),
                words: 0..2,
            },
            Segment {
                reference: "The weather is fine here.".to_owned(),
                source_ms: Some((300, 700)),
                words: 2..6,
            },
        ];
        assert_eq!(found, expected);
        assert_eq!(found[0].text(&translated), "Hello everyone");
    }

    #[test]
    fn without_a_transcript_there_are_no_times() {
        let english = "en".parse().unwrap();
        let found = segments(
            ("", english),
            ("One. Two.", english),
            &timed("x"),
            &timed("One. Two."),
        );
        assert_eq!(found.len(), 2);
        assert!(found.iter().all(|segment| segment.source_ms.is_none()));
        assert_eq!(found[1].words, 1..2);
    }
}
