//! Committed sentences become caption cues.

use interpret_proto::v1::TranslatedText;
use textwrap::{Options, WrapAlgorithm};
use unicode_width::UnicodeWidthStr;

/// Columns in a line of captions, as broadcasters use.
const LINE_COLUMNS: usize = 42;
/// Lines in a cue.
const CUE_LINES: usize = 2;
/// A cue stays this long where the next one allows it.
const LEAST_MS: u64 = 1000;
/// A cue that would be squeezed to nothing gets at least this.
const SQUEEZED_MS: u64 = 200;

/// Text on the screen for a while.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cue {
    /// When it appears, in source time.
    pub start_ms: u64,
    /// When it disappears, in source time; after `start_ms`.
    pub end_ms: u64,
    /// One or two lines, none of them empty.
    pub lines: Vec<String>,
}

/// Makes cues of the translated text of one language. Cues follow one another without overlap and
/// none is empty; each lies where its sentence was spoken, unless the sentence before is still
/// there. The last cue is held back until the next one is known.
#[derive(Debug, Default)]
pub struct CueBuilder {
    sentence: Option<Sentence>,
    held: Option<Cue>,
}

#[derive(Debug)]
struct Sentence {
    id: u64,
    text: String,
    start_ms: u64,
    end_ms: u64,
}

impl CueBuilder {
    /// Takes a message; returns the cues that are final now.
    pub fn take(&mut self, message: &TranslatedText) -> Vec<Cue> {
        let mut done = Vec::new();
        if self
            .sentence
            .as_ref()
            .is_some_and(|open| open.id != message.sentence_id)
        {
            self.close(&mut done);
        }
        let open = self.sentence.get_or_insert_with(|| Sentence {
            id: message.sentence_id,
            text: String::new(),
            start_ms: message.source_start_ms,
            end_ms: message.source_end_ms,
        });
        open.text.push_str(&message.committed);
        open.start_ms = open.start_ms.min(message.source_start_ms);
        open.end_ms = open.end_ms.max(message.source_end_ms);
        if message.sentence_complete {
            self.close(&mut done);
        }
        done
    }

    /// Ends the text; returns what was held back.
    pub fn finish(mut self) -> Vec<Cue> {
        let mut done = Vec::new();
        self.close(&mut done);
        done.extend(self.held.take());
        done
    }

    fn close(&mut self, done: &mut Vec<Cue>) {
        let Some(sentence) = self.sentence.take() else {
            return;
        };
        for mut cue in split(&sentence) {
            if let Some(mut before) = self.held.take() {
                cue.start_ms = cue.start_ms.max(before.end_ms);
                let wanted = before.end_ms.max(before.start_ms + LEAST_MS);
                before.end_ms = wanted.min(cue.start_ms).max(before.end_ms);
                done.push(before);
            }
            cue.end_ms = cue.end_ms.max(cue.start_ms + SQUEEZED_MS);
            self.held = Some(cue);
        }
    }
}

/// One cue for every two lines, with time in proportion to text.
fn split(sentence: &Sentence) -> Vec<Cue> {
    let text = sentence
        .text
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    if text.is_empty() {
        return Vec::new();
    }
    let options = Options::new(LINE_COLUMNS).wrap_algorithm(WrapAlgorithm::new_optimal_fit());
    let lines: Vec<String> = textwrap::wrap(&text, options)
        .into_iter()
        .map(|line| line.trim().to_owned())
        .filter(|line| !line.is_empty())
        .collect();
    let width = |lines: &[String]| lines.iter().map(|line| line.width().max(1) as u64).sum();
    let total: u64 = width(&lines);
    let duration = sentence.end_ms.saturating_sub(sentence.start_ms);
    let mut before = 0;
    lines
        .chunks(CUE_LINES)
        .map(|lines| {
            let after: u64 = before + width(lines);
            let cue = Cue {
                start_ms: sentence.start_ms + duration * before / total,
                end_ms: sentence.start_ms + duration * after / total,
                lines: lines.to_vec(),
            };
            before = after;
            cue
        })
        .collect()
}

#[cfg(test)]
pub(super) mod tests {
    use proptest::prelude::*;

    use super::*;

    pub(in crate::output) fn message(id: u64, text: &str, start: u64, end: u64) -> TranslatedText {
        TranslatedText {
            language: "en".to_owned(),
            committed: text.to_owned(),
            sentence_id: id,
            source_start_ms: start,
            source_end_ms: end,
            sentence_complete: true,
            ..TranslatedText::default()
        }
    }

    pub(in crate::output) fn cues(messages: &[TranslatedText]) -> Vec<Cue> {
        let mut builder = CueBuilder::default();
        let mut cues: Vec<Cue> = messages.iter().flat_map(|m| builder.take(m)).collect();
        cues.extend(builder.finish());
        cues
    }

    #[test]
    fn a_sentence_in_pieces_is_one_cue_over_its_whole_time() {
        let mut first = message(1, "Good", 1000, 1500);
        first.sentence_complete = false;
        let cues = cues(&[first, message(1, " morning.", 1000, 2500)]);
        let expected = Cue {
            start_ms: 1000,
            end_ms: 2500,
            lines: vec!["Good morning.".to_owned()],
        };
        assert_eq!(cues, [expected]);
    }

    #[test]
    fn a_long_sentence_is_split_in_time_and_lines() {
        let text = "This sentence is so long that no caption could hold all of it at once, which \
                    is why it comes in parts that follow the speaker through his thought.";
        let cues = cues(&[message(1, text, 0, 10_000)]);
        assert_eq!(cues.len(), 2, "{cues:?}");
        assert_eq!((cues[0].start_ms, cues[1].end_ms), (0, 10_000));
        assert_eq!(cues[0].end_ms, cues[1].start_ms);
        let joined: Vec<_> = cues.iter().flat_map(|cue| cue.lines.clone()).collect();
        assert_eq!(joined.join(" "), text);
    }

    #[test]
    fn a_short_cue_stays_a_second_where_there_is_room() {
        let cues = cues(&[message(1, "Yes.", 0, 300), message(2, "No.", 5000, 5300)]);
        assert_eq!(cues[0].end_ms, 1000);
    }

    proptest! {
        #[test]
        fn cues_never_overlap_go_back_or_lose_a_word(
            sentences in prop::collection::vec(
                ("[a-zéß]{1,60}( [a-z<&>\u{4e2d}-]{1,20}){0,30}", 0_u64..20_000, 0_u64..9_000),
                1..12,
            ),
        ) {
            let messages: Vec<_> = sentences
                .iter()
                .enumerate()
                .map(|(id, (text, start, length))| message(id as u64, text, *start, start + length))
                .collect();
            let cues = cues(&messages);
            let mut end = 0;
            for cue in &cues {
                prop_assert!(cue.start_ms >= end && cue.end_ms > cue.start_ms, "{:?}", cues);
                prop_assert!((1..=CUE_LINES).contains(&cue.lines.len()));
                for line in &cue.lines {
                    prop_assert!(line.width() <= LINE_COLUMNS && !line.is_empty(), "{line}");
                }
                end = cue.end_ms;
            }
            let squeeze = |text: String| text.split_whitespace().collect::<String>();
            let shown = cues.iter().flat_map(|cue| cue.lines.clone()).collect::<String>();
            let said = sentences.iter().map(|(text, ..)| text.as_str()).collect::<String>();
            prop_assert_eq!(squeeze(shown), squeeze(said));
        }
    }
}
