//! Which recognised words are certain enough to be committed.

use interpret_models::recognition::RecognizedWord;

/// When recognised words are committed while their utterance still goes on. At its end all are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitPolicy {
    /// Only at the end of an utterance, recognised once, as a whole.
    AtEnd,
    /// A word that was over `hold_ms` before the window's end, by the recogniser's own attention:
    /// AlignAtt (Papi, Turchi, Negri: "AlignAtt", Interspeech 2023), which looks at attention to the
    /// last frames, in the form that dynamic time warping over attention weights allows.
    AlignAtt {
        /// Milliseconds of sound after a word from which it is certain.
        hold_ms: u32,
    },
    /// A word that two runs in a row agree on: LocalAgreement-2 (Liu, Spanakis, Niehues:
    /// "Low-Latency Sequence-to-Sequence Speech Recognition", Interspeech 2020).
    LocalAgreement,
}

/// Applies a [`CommitPolicy`] to the runs over one window.
#[derive(Debug, Clone)]
pub(super) struct Judge {
    policy: CommitPolicy,
    /// What the run before said after the words that were committed then.
    before: Vec<String>,
}

impl Judge {
    pub(super) fn new(policy: CommitPolicy) -> Self {
        Self {
            policy,
            before: Vec::new(),
        }
    }

    /// How many of `words` (all that are not committed yet) are certain. `window_ms` is the
    /// window's length. The last word is not: its punctuation depends on what follows.
    pub(super) fn certain(&mut self, words: &[RecognizedWord], window_ms: u32) -> usize {
        let count = match self.policy {
            CommitPolicy::AtEnd => 0,
            CommitPolicy::AlignAtt { hold_ms } => words
                .iter()
                .take_while(|word| word.end_ms.saturating_add(hold_ms) <= window_ms)
                .count(),
            CommitPolicy::LocalAgreement => std::iter::zip(words, &self.before)
                .take_while(|(word, before)| word.text == **before)
                .count(),
        };
        let count = count.min(words.len().saturating_sub(1));
        self.before = words[count..]
            .iter()
            .map(|word| word.text.clone())
            .collect();
        count
    }

    /// Forgets the runs before: a new window.
    pub(super) fn restart(&mut self) {
        self.before.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[(&str, u32)]) -> Vec<RecognizedWord> {
        let word = |(text, end_ms): &(&str, u32)| RecognizedWord {
            text: (*text).to_owned(),
            start_ms: 0,
            end_ms: *end_ms,
            probability: 0.9,
            tokens: vec![1],
        };
        words.iter().map(word).collect()
    }

    #[test]
    fn align_att_holds_the_words_at_the_end_of_the_window() {
        let mut judge = Judge::new(CommitPolicy::AlignAtt { hold_ms: 400 });
        let said = words(&[(" one", 300), (" two", 700), (" three", 1_000)]);
        assert_eq!(judge.certain(&said, 1_050), 1);
        assert_eq!(judge.certain(&said, 1_100), 2);
        assert_eq!(judge.certain(&said, 9_000), 2, "never the last");
        assert_eq!(judge.certain(&[], 9_000), 0);
    }

    #[test]
    fn agreement_takes_two_runs_and_counts_from_what_is_committed() {
        let mut judge = Judge::new(CommitPolicy::LocalAgreement);
        assert_eq!(judge.certain(&words(&[(" a", 0), (" b", 0)]), 0), 0);
        let second = words(&[(" a", 0), (" b", 0), (" c", 0)]);
        assert_eq!(judge.certain(&second, 0), 2);
        assert_eq!(judge.certain(&words(&[(" c", 0), (" d", 0)]), 0), 1);
        assert_eq!(judge.certain(&words(&[(" x", 0), (" d", 0)]), 0), 0);
        judge.restart();
        assert_eq!(judge.certain(&words(&[(" x", 0), (" d", 0)]), 0), 0);
    }

    #[test]
    fn nothing_is_certain_before_the_end_where_whole_utterances_are_wanted() {
        let mut judge = Judge::new(CommitPolicy::AtEnd);
        assert_eq!(judge.certain(&words(&[(" a", 0), (" b", 0)]), 9_000), 0);
    }
}
