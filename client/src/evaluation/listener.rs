//! What a listener of one target language hears, and when.

use interpret_proto::v1::TranslatedAudio;

use super::latency::{Distribution, Weighted, percentile};
use crate::{
    audio::Pace,
    playback::{Timeline, ready_ms},
};

/// A clause as it is heard. Times named `source_..` are source time, the others wall time, all in ms
/// since the first source sample.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clause {
    /// What is said.
    pub text: String,
    /// The sentence it belongs to.
    pub sentence_id: u64,
    /// Begin of the source that it renders.
    pub source_start_ms: u64,
    /// End of the source that it renders.
    pub source_end_ms: u64,
    /// When its first piece arrived.
    pub arrived_ms: i64,
    /// When it starts to play.
    pub start_ms: u64,
    /// When it has been played.
    pub end_ms: u64,
    /// How long it sounds, gaps within it left out.
    pub sounds_ms: u64,
}

impl Clause {
    /// Words in it, parted by white space.
    #[must_use]
    pub fn words(&self) -> usize {
        self.text.split_whitespace().count()
    }

    /// Ear-voice span of its words: when it starts to play, minus the source time at which the words
    /// it renders ended.
    #[must_use]
    pub fn span_ms(&self) -> i64 {
        let start = i64::try_from(self.start_ms).unwrap_or(i64::MAX);
        start.saturating_sub_unsigned(self.source_end_ms)
    }
}

/// Silences between pieces of speech, where the next was not there when the one before had ended;
/// `SimulEval`'s `DiscontinuityNum`, `Sum`, `Ave`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Gaps {
    /// How many.
    pub count: usize,
    /// All of them together, in ms.
    pub sum_ms: u64,
    /// Those within a clause, where a listener hears a word broken off.
    pub within_clauses: usize,
}

/// Plays pieces as they arrive, by the model of [`crate::playback`].
#[derive(Debug, Clone)]
pub struct Listener {
    pace: Pace,
    timeline: Timeline,
    rate_hz: u32,
    clauses: Vec<Clause>,
    within_clause: bool,
    heard: bool,
    gap_frames: u64,
    gaps: Gaps,
}

impl Listener {
    /// A listener to speech of `rate_hz` samples a second.
    #[must_use]
    pub fn new(pace: Pace, rate_hz: u32) -> Self {
        Self {
            pace,
            timeline: Timeline::new(rate_hz),
            rate_hz: rate_hz.max(1),
            clauses: Vec::new(),
            within_clause: false,
            heard: false,
            gap_frames: 0,
            gaps: Gaps::default(),
        }
    }

    /// Hears a piece of `frames` samples in each channel that arrived at `at_ms`.
    pub fn hear(&mut self, audio: &TranslatedAudio, frames: u64, at_ms: i64) {
        let ready = ready_ms(self.pace, at_ms, audio.source_end_ms);
        let placed = self.timeline.place(ready, frames);
        let starts = !audio.text.is_empty() || !self.within_clause;
        if placed.silence > 0 && self.heard {
            self.gaps.count += 1;
            self.gaps.within_clauses += usize::from(!starts);
            self.gap_frames = self.gap_frames.saturating_add(placed.silence);
        }
        self.heard = true;
        let start_ms = self.timeline.ms(placed.start);
        if starts {
            self.clauses.push(Clause {
                text: audio.text.trim().to_owned(),
                sentence_id: audio.sentence_id,
                source_start_ms: audio.source_start_ms,
                source_end_ms: audio.source_end_ms,
                arrived_ms: at_ms,
                start_ms,
                ..Clause::default()
            });
        }
        if let Some(clause) = self.clauses.last_mut() {
            clause.end_ms = self.timeline.ms(placed.start.saturating_add(frames));
            let sounds_ms = frames.saturating_mul(1000) / u64::from(self.rate_hz);
            clause.sounds_ms = clause.sounds_ms.saturating_add(sounds_ms);
        }
        self.within_clause = !audio.clause_complete;
    }

    /// The clauses so far.
    #[must_use]
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// When the first speech is heard, in ms.
    #[must_use]
    pub fn first_ms(&self) -> Option<u64> {
        self.clauses.first().map(|clause| clause.start_ms)
    }

    /// When the last speech has been heard, in ms.
    #[must_use]
    pub fn last_ms(&self) -> Option<u64> {
        self.clauses.last().map(|clause| clause.end_ms)
    }

    /// Silences between pieces so far.
    #[must_use]
    pub fn gaps(&self) -> Gaps {
        Gaps {
            sum_ms: self.timeline.ms(self.gap_frames),
            ..self.gaps
        }
    }

    /// The ear-voice span of each clause, weighted by its words.
    #[must_use]
    pub fn spans(&self) -> Vec<Weighted> {
        let clauses = self.clauses.iter();
        clauses.map(|c| (c.span_ms(), c.words())).collect()
    }

    /// Median and 95th percentile of the ear-voice span, in ms.
    #[must_use]
    pub fn median_and_p95(&self) -> Option<(i64, i64)> {
        let spans = self.spans();
        Some((percentile(&spans, 50)?, percentile(&spans, 95)?))
    }

    /// How the ear-voice span is spread.
    #[must_use]
    pub fn distribution(&self) -> Option<Distribution> {
        Distribution::of(&self.spans())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn piece(text: &str, source_end_ms: u64, clause_complete: bool) -> TranslatedAudio {
        TranslatedAudio {
            text: text.to_owned(),
            source_end_ms,
            clause_complete,
            ..TranslatedAudio::default()
        }
    }

    #[test]
    fn clauses_wait_for_one_another_and_gaps_are_counted() {
        let mut listener = Listener::new(Pace::RealTime, 1000);
        listener.hear(&piece(" One two. ", 1000, false), 400, 3000);
        listener.hear(&piece("", 1000, true), 100, 3500);
        listener.hear(&piece("Three.", 2000, true), 200, 3550);
        listener.hear(&piece("Four.", 4000, true), 100, 5000);
        let found: Vec<_> = listener
            .clauses()
            .iter()
            .map(|c| {
                (
                    c.text.as_str(),
                    c.start_ms,
                    c.end_ms,
                    c.sounds_ms,
                    c.span_ms(),
                )
            })
            .collect();
        let expected = [
            // The second piece came 100 ms too late.
            ("One two.", 3000, 3600, 500, 2000),
            ("Three.", 3600, 3800, 200, 1600),
            ("Four.", 5000, 5100, 100, 1000),
        ];
        assert_eq!(found, expected);
        let gaps = Gaps {
            count: 2,
            sum_ms: 100 + 1200,
            within_clauses: 1,
        };
        assert_eq!(listener.gaps(), gaps);
        assert_eq!(listener.spans(), [(2000, 2), (1600, 1), (1000, 1)]);
        assert_eq!(listener.median_and_p95(), Some((1600, 2000)));
        assert_eq!(
            (listener.first_ms(), listener.last_ms()),
            (Some(3000), Some(5100))
        );
    }
}
