//! Which committed words were spoken, when, and whether the others were accounted for.

use interpret_proto::v1::NoticeKind;
use serde::{Deserialize, Serialize};

use super::{
    latency::Weighted, listener::Clause, log::Log, quality::plain_words, transcript::TimedWord,
};
use crate::session::Event;

/// A committed word that was spoken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SpokenWord {
    /// Its place among the committed words.
    pub index: usize,
    /// When it starts to play, in wall ms: clauses tell no word times, so that a clause's length is
    /// laid on its words in proportion to their characters.
    pub start_ms: f64,
}

/// How the words that were spoken lie in the committed text.
#[derive(Debug, Clone, Default)]
pub struct Spoken {
    /// In the order of speech.
    pub words: Vec<SpokenWord>,
    /// Words that were spoken without having been committed; 0 by contract.
    pub never_committed: usize,
}

impl Spoken {
    /// Finds the words of the clauses in the committed text, where each clause stands after the one
    /// before it. Words between that no clause holds were skipped. Case and punctuation do not count.
    #[must_use]
    pub fn find(clauses: &[Clause], committed: &[TimedWord]) -> Self {
        let mut spoken = Self::default();
        let letters: Vec<String> = committed.iter().map(|word| plain(&word.text)).collect();
        let mut from = 0;
        for clause in clauses {
            // A clause belongs to one sentence; one more is searched, and no clause is found far away.
            let last = match clause.sentence_id {
                0 => committed.len(),
                id => committed.partition_point(|word| word.sentence_id <= id + 1),
            };
            let near = letters.get(..last).unwrap_or(&letters);
            let words: Vec<&str> = clause.text.split_whitespace().collect();
            let compared: Vec<String> = words.iter().map(|word| plain(word)).collect();
            let whole = whole_clause(&compared, near, from);
            let characters = clause.text.chars().count().max(1);
            let mut said = 0;
            for (word, letters) in words.iter().zip(&compared) {
                let share = said as f64 / characters as f64;
                said += word.chars().count() + 1;
                let found = match whole {
                    Some(start) => Some(start.max(from)),
                    None => next(letters, near, from, words.len()),
                };
                match found {
                    Some(index) => {
                        let length = clause.end_ms.saturating_sub(clause.start_ms) as f64;
                        spoken.words.push(SpokenWord {
                            index,
                            start_ms: clause.start_ms as f64 + share * length,
                        });
                        from = index + 1;
                    }
                    None => spoken.never_committed += 1,
                }
            }
        }
        spoken
    }

    /// Ear-voice span of each word whose source time the log tells: when the word itself starts to
    /// play, minus the end of the source words that it renders.
    #[must_use]
    pub fn spans(&self, committed: &[TimedWord]) -> Vec<Weighted> {
        let span = |word: &SpokenWord| {
            let (_, end) = committed.get(word.index)?.source_ms?;
            Some(((word.start_ms - end as f64).round() as i64, 1))
        };
        self.words.iter().filter_map(span).collect()
    }
}

/// A word as it is compared: a sign that is no word is itself.
fn plain(word: &str) -> String {
    let letters = plain_words(word).concat();
    if letters.is_empty() {
        word.to_owned()
    } else {
        letters
    }
}

/// The first place, from `from` on, where all of `words` stand one after another.
fn whole_clause(words: &[String], committed: &[String], from: usize) -> Option<usize> {
    let rest = committed.get(from..)?;
    let at = rest
        .windows(words.len().max(1))
        .position(|window| window == words)?;
    (!words.is_empty()).then_some(from + at)
}

/// The next place, from `from` on and not far, where `word` stands.
fn next(word: &str, committed: &[String], from: usize, within: usize) -> Option<usize> {
    let near = committed.iter().enumerate().skip(from).take(2 * within + 2);
    let mut found = near.filter(|(_, committed)| *committed == word);
    found.next().map(|(index, _)| index)
}

/// What became of the committed words of one language. By contract
/// `committed = spoken + skipped_told`, and the other two are 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Account {
    /// Words of committed translation.
    pub committed: usize,
    /// Of these, spoken.
    pub spoken: usize,
    /// Of these, not spoken, but within the source time of a `SPEECH_SKIPPED` notice.
    pub skipped_told: usize,
    /// Of these, neither spoken nor told.
    pub unaccounted: usize,
    /// Words spoken that were never committed.
    pub never_committed: usize,
}

impl Account {
    /// Settles the account of the language. A notice tells a stretch of source time (`source_ms` and
    /// `amount_ms` from there on); a skipped word is told where what it renders touches such a stretch.
    #[must_use]
    pub fn settle(log: &Log, language: &str, committed: &[TimedWord], spoken: &Spoken) -> Self {
        let mut account = Self {
            committed: committed.len(),
            spoken: spoken.words.len(),
            never_committed: spoken.never_committed,
            ..Self::default()
        };
        let told = skipped_stretches(log, language);
        let mut said = vec![false; committed.len()];
        for word in &spoken.words {
            said[word.index] = true;
        }
        for (word, _) in committed.iter().zip(said).filter(|(_, said)| !said) {
            let range = word
                .source_ms
                .or_else(|| sentence(log, language, word.sentence_id));
            let touches =
                |&(from, to): &(u64, u64)| range.is_some_and(|(a, b)| a <= to && from <= b);
            if told.iter().any(touches) {
                account.skipped_told += 1;
            } else {
                account.unaccounted += 1;
            }
        }
        account
    }
}

impl std::ops::Add for Account {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            committed: self.committed + other.committed,
            spoken: self.spoken + other.spoken,
            skipped_told: self.skipped_told + other.skipped_told,
            unaccounted: self.unaccounted + other.unaccounted,
            never_committed: self.never_committed + other.never_committed,
        }
    }
}

fn skipped_stretches(log: &Log, language: &str) -> Vec<(u64, u64)> {
    let stretch = |event: &Event| match event {
        Event::Notice(notice)
            if notice.kind() == NoticeKind::SpeechSkipped
                && (notice.language == language || notice.language.is_empty()) =>
        {
            Some((notice.source_ms, notice.source_ms + notice.amount_ms))
        }
        _ => None,
    };
    let events = log.events.iter();
    events.filter_map(|logged| stretch(&logged.event)).collect()
}

/// The source time of a sentence.
fn sentence(log: &Log, language: &str, id: u64) -> Option<(u64, u64)> {
    let times = log.events.iter().filter_map(|logged| match &logged.event {
        Event::TranslatedText(text) if text.language == language && text.sentence_id == id => {
            Some((text.source_start_ms, text.source_end_ms))
        }
        _ => None,
    });
    times.reduce(|(a, b), (c, d)| (a.min(c), b.max(d)))
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::Notice;

    use super::*;
    use crate::evaluation::log::Logged;

    fn committed(text: &str) -> Vec<TimedWord> {
        let words = text.split(' ').zip(1..);
        words
            .map(|(text, n)| TimedWord {
                text: text.to_owned(),
                source_ms: Some((n * 100 - 100, n * 100)),
                ..TimedWord::default()
            })
            .collect()
    }

    fn clause(text: &str, start_ms: u64, end_ms: u64) -> Clause {
        Clause {
            text: text.to_owned(),
            start_ms,
            end_ms,
            ..Clause::default()
        }
    }

    #[test]
    fn words_start_in_proportion_to_characters() {
        let committed = committed("one three five six");
        // "one three" has 9 characters, a space among them; "three" begins at the fifth.
        let clauses = [clause("One three", 1000, 1900), clause("six.", 3000, 3300)];
        let spoken = Spoken::find(&clauses, &committed);
        let starts: Vec<_> = spoken.words.iter().map(|w| (w.index, w.start_ms)).collect();
        assert_eq!(starts, [(0, 1000.0), (1, 1400.0), (3, 3000.0)]);
        assert_eq!(spoken.spans(&committed), [(900, 1), (1200, 1), (2600, 1)]);
    }

    #[test]
    fn every_committed_word_is_spoken_or_told() {
        let committed = committed("a b c d e f");
        let clauses = [clause("a b", 0, 10), clause("x f", 20, 30)];
        let spoken = Spoken::find(&clauses, &committed);
        let notice = |language: &str, source_ms| Logged {
            at_ms: 0,
            samples: 0,
            event: Event::Notice(Notice {
                kind: NoticeKind::SpeechSkipped.into(),
                language: language.to_owned(),
                source_ms,
                amount_ms: 120,
                ..Notice::default()
            }),
        };
        // The notice of another language tells nothing.
        let log = Log {
            events: vec![notice("en", 250), notice("pt", 400)],
        };
        let expected = Account {
            committed: 6,
            spoken: 3,
            skipped_told: 2,
            unaccounted: 1,
            never_committed: 1,
        };
        assert_eq!(Account::settle(&log, "en", &committed, &spoken), expected);
    }

    #[test]
    fn a_word_that_comes_again_is_not_taken_for_the_next_one() {
        let committed = committed("the end the end of it");
        let clauses = [clause("the end of it", 0, 10)];
        let found: Vec<_> = Spoken::find(&clauses, &committed)
            .words
            .iter()
            .map(|w| w.index)
            .collect();
        assert_eq!(found, [2, 3, 4, 5]);
    }
}
