//! Is this text really what was said? Whisper loops, and writes text where nobody speaks.
//!
//! The limit on log probability is that of Whisper's paper (section 4.5). Its no-speech probability
//! cannot be used: whisper.cpp reads it from the first row of the logits, but computes only the last,
//! so it tells of the window before. Repetition is judged on tokens instead of on compressed text,
//! which also works on short windows.

/// Average log probability below which a text is doubtful.
const MIN_AVERAGE_LOG_PROBABILITY: f32 = -1.0;
/// Doubtful texts of at most so many tokens are dropped: what Whisper writes where nobody speaks.
const SCRAP_TOKENS: usize = 4;
/// A run of tokens that is repeated this often on end is a loop, if it is long enough in all.
const LOOP_REPEATS: usize = 4;
/// Tokens that the repetitions must have together: "non, non, non, non" is still speech.
const LOOP_TOKENS: usize = 12;
/// On the way two copies are a loop, if they have this many tokens together: over the first second of
/// an utterance Whisper likes to complete the sentence, and then writes it again. If somebody really
/// says it twice, the utterance's later runs tell.
const PROVISIONAL_LOOP_TOKENS: usize = 8;
/// Longest run looked for.
const LOOP_PERIOD: usize = 24;

/// Why a text is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// The same words again and again.
    Repetition,
    /// More tokens than anyone can speak in that time.
    TooFast,
    /// No word at all, or a scrap of text that the model is unsure of.
    NoSpeech,
    /// The model is unsure of the text.
    Unsure,
}

/// What a decoding gave, as far as the guards care.
#[derive(Debug, Clone, Copy)]
pub(super) struct Evidence<'a> {
    /// Text tokens.
    pub(super) tokens: &'a [i32],
    /// Whether there will be another run over the same sound.
    pub(super) provisional: bool,
    /// How many of them, at the beginning, were forced: they are not judged.
    pub(super) forced: usize,
    /// Whether the decoder was stopped at the most tokens allowed.
    pub(super) exhausted: bool,
    /// Whether the text has a letter or digit.
    pub(super) has_words: bool,
    pub(super) average_log_probability: f32,
}

/// The most serious doubt about a decoding, if there is one.
pub(super) fn doubt(evidence: &Evidence<'_>) -> Option<Doubt> {
    let free = evidence.tokens.len() - evidence.forced;
    let unsure = evidence.average_log_probability < MIN_AVERAGE_LOG_PROBABILITY;
    if repeats(evidence.tokens, evidence.provisional) {
        Some(Doubt::Repetition)
    } else if evidence.exhausted {
        Some(Doubt::TooFast)
    } else if !evidence.has_words && evidence.forced == 0 || unsure && free <= SCRAP_TOKENS {
        Some(Doubt::NoSpeech)
    } else if unsure {
        Some(Doubt::Unsure)
    } else {
        None
    }
}

/// Most text tokens that `seconds` of speech may hold. French and English take up to seven a second,
/// scripts that the vocabulary spells out in bytes three times that.
pub(super) fn most_tokens(seconds: f32) -> usize {
    24 + (seconds.max(0.0) * 20.0) as usize
}

/// Whether the tokens of a run, which may be provisional, repeat themselves.
pub(super) fn repeats(tokens: &[i32], provisional: bool) -> bool {
    loop_at(tokens).is_some() || provisional && copied_at(tokens).is_some()
}

/// The first place where a run is repeated on end: its begin and its period.
pub(super) fn loop_at(tokens: &[i32]) -> Option<(usize, usize)> {
    repeated_at(tokens, LOOP_REPEATS, LOOP_TOKENS)
}

/// The same, where twice is enough.
fn copied_at(tokens: &[i32]) -> Option<(usize, usize)> {
    repeated_at(tokens, 2, PROVISIONAL_LOOP_TOKENS)
}

/// The first place where a run stands `repeats` times on end and has `least` tokens with its
/// repetitions: its begin and its period.
fn repeated_at(tokens: &[i32], repeats: usize, least: usize) -> Option<(usize, usize)> {
    (1..=LOOP_PERIOD.min(tokens.len() / repeats))
        .filter_map(|period| {
            let needed = (repeats * period).max(least) - period;
            let mut same = 0;
            for at in period..tokens.len() {
                same = if tokens[at] == tokens[at - period] {
                    same + 1
                } else {
                    0
                };
                if same == needed {
                    return Some((at + 1 - needed - period, period));
                }
            }
            None
        })
        .min()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn evidence(tokens: &[i32]) -> Evidence<'_> {
        Evidence {
            tokens,
            provisional: false,
            forced: 0,
            exhausted: false,
            has_words: true,
            average_log_probability: -0.3,
        }
    }

    #[test]
    fn a_sentence_written_twice_is_doubted_on_the_way_only() {
        let twice = [7, 8, 9, 10, 11, 7, 8, 9, 10, 11, 7];
        let provisional = |tokens| {
            doubt(&Evidence {
                provisional: true,
                ..evidence(tokens)
            })
        };
        assert_eq!(provisional(&twice), Some(Doubt::Repetition));
        assert_eq!(doubt(&evidence(&twice)), None);
        assert_eq!(provisional(&twice[..9]), None, "not yet twice");
        assert_eq!(provisional(&[5, 6, 5, 6, 9]), None, "too short");
    }

    #[test]
    fn plain_text_raises_no_doubt() {
        let tokens: Vec<i32> = (0..80).map(|i| i * 7 % 41).collect();
        assert_eq!(doubt(&evidence(&tokens)), None);
        assert_eq!(doubt(&evidence(&[])), None);
    }

    #[test]
    fn a_word_said_four_times_is_speech_and_a_dozen_times_a_loop() {
        assert_eq!(doubt(&evidence(&[5, 9, 5, 9, 5, 9, 5, 9])), None);
        let many = [5, 9].repeat(6);
        assert_eq!(doubt(&evidence(&many)), Some(Doubt::Repetition));
    }

    #[test]
    fn a_sentence_said_four_times_is_a_loop_even_after_good_text() {
        let mut tokens: Vec<i32> = (100..130).collect();
        tokens.extend((0..10).collect::<Vec<_>>().repeat(4));
        assert_eq!(loop_at(&tokens), Some((30, 10)));
        assert_eq!(doubt(&evidence(&tokens)), Some(Doubt::Repetition));
    }

    #[test]
    fn scraps_that_the_model_is_unsure_of_are_no_speech() {
        let judge = |tokens, average_log_probability| {
            doubt(&Evidence {
                average_log_probability,
                ..evidence(tokens)
            })
        };
        assert_eq!(judge(&[1, 2, 3], -0.4), None);
        assert_eq!(judge(&[1, 2, 3], -1.2), Some(Doubt::NoSpeech));
        assert_eq!(judge(&[1, 2, 3, 4, 5], -1.2), Some(Doubt::Unsure));
    }

    #[test]
    fn dots_and_notes_are_no_speech_however_sure_the_model_is() {
        let dots = Evidence {
            has_words: false,
            ..evidence(&[1])
        };
        assert_eq!(doubt(&dots), Some(Doubt::NoSpeech));
    }

    #[test]
    fn the_most_tokens_grow_with_the_window() {
        assert_eq!(most_tokens(0.0), 24);
        assert_eq!(most_tokens(9.0), 204);
    }

    proptest! {
        #[test]
        fn any_long_enough_repetition_is_found(
            before in prop::collection::vec(1000i32..2000, 0..30),
            run in prop::collection::vec(0i32..1000, 3..24),
            repeats in 4usize..9,
        ) {
            let mut tokens = before.clone();
            tokens.extend(run.repeat(repeats));
            let found = loop_at(&tokens);
            prop_assert!(found.is_some_and(|(at, period)| at + period * LOOP_REPEATS <= tokens.len()));
        }

        #[test]
        fn distinct_tokens_are_never_a_loop(tokens in prop::collection::hash_set(any::<i32>(), 0..200)) {
            let tokens: Vec<i32> = tokens.into_iter().collect();
            prop_assert_eq!(loop_at(&tokens), None);
        }
    }
}
