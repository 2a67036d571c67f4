//! A session that goes on where another ended.

use super::{Event, Received};

/// Puts the times and numbers of a later session after those of the earlier ones, so that together
/// they are as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Shift {
    /// Source time at which the later session begins.
    pub source_ms: u64,
    /// Wall time from the first sample of the first session to that of the later one.
    pub wall_ms: i64,
    /// Utterances of the earlier ones.
    pub utterances: u64,
    /// Sentences of the earlier ones.
    pub sentences: u64,
}

impl Shift {
    /// Shifts what was received.
    pub fn apply(&self, received: &mut Received) {
        received.at_ms += self.wall_ms;
        let by = self.source_ms;
        match &mut received.event {
            Event::Speech(speech) => {
                speech.utterance_id += self.utterances;
                speech.source_ms += by;
            }
            Event::SourceText(text) => {
                text.utterance_id += self.utterances;
                for word in &mut text.words {
                    word.source_start_ms += by;
                    word.source_end_ms += by;
                }
            }
            Event::TranslatedText(text) => {
                text.sentence_id += self.sentences;
                text.source_start_ms += by;
                text.source_end_ms += by;
                for word in &mut text.words {
                    word.source_start_ms += by;
                    word.source_end_ms += by;
                }
            }
            Event::TranslatedAudio(audio) => {
                audio.sentence_id += self.sentences;
                audio.source_start_ms += by;
                audio.source_end_ms += by;
            }
            Event::Notice(notice) => notice.source_ms += by,
            Event::Pace(pace) => pace.source_ms += by,
            Event::Heartbeat(heartbeat) => heartbeat.source_ms += by,
            Event::SessionEnded(ended) => ended.source_ms += by,
            Event::SessionChanged(changed) => changed.source_ms += by,
            Event::SessionStarted(_) | Event::Resumed(_) => {}
        }
    }

    /// Remembers the numbers of what was received, shifted already, for the session after.
    pub fn count(&mut self, received: &Received) {
        match &received.event {
            Event::Speech(speech) => self.utterances = self.utterances.max(speech.utterance_id),
            Event::SourceText(text) => self.utterances = self.utterances.max(text.utterance_id),
            Event::TranslatedText(text) => self.sentences = self.sentences.max(text.sentence_id),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::{TranslatedText, Word};

    use super::*;

    fn text(sentence_id: u64, source_ms: u64) -> Received {
        let word = Word {
            source_start_ms: source_ms,
            source_end_ms: source_ms + 5,
            ..Word::default()
        };
        Received {
            at_ms: 2000,
            event: Event::TranslatedText(TranslatedText {
                sentence_id,
                source_start_ms: source_ms,
                source_end_ms: source_ms + 5,
                words: vec![word],
                ..TranslatedText::default()
            }),
        }
    }

    #[test]
    fn two_sessions_are_as_one() {
        let mut next = Shift::default();
        next.count(&text(7, 100));
        next.source_ms = 60_000;
        next.wall_ms = 60_400;
        let mut later = text(1, 100);
        next.apply(&mut later);
        let mut expected = text(8, 60_100);
        expected.at_ms = 62_400;
        assert_eq!(later, expected);
    }
}
