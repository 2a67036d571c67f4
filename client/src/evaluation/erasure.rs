//! How much text was taken back.

use serde::{Deserialize, Serialize};

use super::log::Log;
use crate::session::Event;

/// Normalised erasure (Arivazhagan and others 2020, iwslt-1.27): words deleted by all updates
/// together, per word of the final text. An update deletes the words after the longest beginning it
/// has in common with the text before it.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Erasure {
    /// Of committed text. 0 by contract: committed text is only appended to. A message that continues
    /// a word which was committed before counts, for it changes that word; one that begins with a comma
    /// does not.
    pub committed: f64,
    /// Of what is displayed: committed and tentative text. Tentative text may change; this tells how
    /// restless it looks.
    pub displayed: f64,
}

impl Erasure {
    /// Replays the translation into `language`, or, where that is `None`, the source text. `None`
    /// where nothing was committed.
    #[must_use]
    pub fn of(log: &Log, language: Option<&str>) -> Option<Self> {
        let mut text = String::new();
        let (mut committed, mut displayed) = (Replay::default(), Replay::default());
        for logged in &log.events {
            let (new, tentative) = match (&logged.event, language) {
                (Event::SourceText(t), None) => (&t.committed, &t.tentative),
                (Event::TranslatedText(t), Some(of)) if t.language == of => {
                    (&t.committed, &t.tentative)
                }
                _ => continue,
            };
            text.push_str(new);
            committed.show(&text);
            displayed.show(&format!("{text}{tentative}"));
        }
        // What is left tentative at the end was never said to be final.
        let words = text.split_whitespace().count() as f64;
        (words > 0.0).then(|| Self {
            committed: committed.deleted as f64 / words,
            displayed: displayed.deleted as f64 / words,
        })
    }
}

/// Counts deleted words. Only words from the first that changes on are kept and compared, so that
/// hours of text do not take hours.
#[derive(Default)]
struct Replay {
    text: String,
    deleted: usize,
}

impl Replay {
    fn show(&mut self, text: &str) {
        if !text.starts_with(&self.text) || continues_a_word(&self.text, text) {
            let before: Vec<&str> = self.text.split_whitespace().collect();
            let kept = before.iter().zip(text.split_whitespace());
            let kept = kept
                .take_while(|(before, after)| **before == *after)
                .count();
            self.deleted += before.len() - kept;
        }
        text.clone_into(&mut self.text);
    }
}

/// Whether `text`, which begins with `before`, goes on in the middle of its last word. Punctuation
/// after a word is a token of its own, as for sacrebleu: it leaves the word as it was.
fn continues_a_word(before: &str, text: &str) -> bool {
    let more = text[before.len()..].split(char::is_whitespace).next();
    let goes_on = more.is_some_and(|more| more.contains(char::is_alphanumeric));
    goes_on && before.ends_with(|c: char| !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::TranslatedText;

    use super::*;
    use crate::evaluation::log::Logged;

    fn erasure(messages: &[(&str, &str)]) -> Option<Erasure> {
        let events = messages.iter().map(|(committed, tentative)| Logged {
            at_ms: 0,
            samples: 0,
            event: Event::TranslatedText(TranslatedText {
                language: "en".to_owned(),
                committed: (*committed).to_owned(),
                tentative: (*tentative).to_owned(),
                ..TranslatedText::default()
            }),
        });
        let log = Log {
            events: events.collect(),
        };
        Erasure::of(&log, Some("en"))
    }

    #[test]
    fn tentative_text_may_change_and_is_counted_apart() {
        let found = erasure(&[
            ("", " the cat"),
            (" The", " cat sat"),
            (" cat", " sat on"),
            (" sat", ""),
        ]);
        // "the cat" goes (2), then "on" (1), of three words.
        let expected = Erasure {
            committed: 0.0,
            displayed: 1.0,
        };
        assert_eq!(found, Some(expected));
    }

    #[test]
    fn punctuation_after_a_committed_word_leaves_it_as_it_was() {
        let of = |messages: &[(&str, &str)]| erasure(messages).map(|e| e.committed);
        assert_eq!(of(&[(" Good bye", ""), (", all.", "")]), Some(0.0));
        // A number would be another one.
        assert_eq!(of(&[(" It costs 3", ""), (".50", "")]), Some(1.0 / 3.0));
    }

    #[test]
    fn a_committed_word_that_is_continued_was_changed() {
        let found = erasure(&[(" Good by", ""), ("e all", ""), (" now.", "")]).unwrap();
        assert!((found.committed - 0.25).abs() < 1e-9);
        assert_eq!(erasure(&[("", " nothing final")]), None);
    }
}
