//! When translated audio is heard.
//!
//! A listener plays pieces one after another: each starts when the one before has ended, or when
//! it is there, whichever is later. The WAV file and the ear-voice span both follow this model.

use crate::audio::Pace;

/// The playback of one target language, in frames (samples of all channels) of its own rate.
#[derive(Debug, Clone)]
pub struct Timeline {
    rate_hz: u32,
    end: u64,
}

/// Where one piece lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placement {
    /// Frames of silence before it, since the end of the piece before.
    pub silence: u64,
    /// Its first frame, counted from the first sample of source audio.
    pub start: u64,
}

impl Timeline {
    /// An empty timeline. A `rate_hz` of 0 counts as 1.
    #[must_use]
    pub fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz: rate_hz.max(1),
            end: 0,
        }
    }

    /// Lays a piece of `frames` that can be heard from `ready_ms` on.
    pub fn place(&mut self, ready_ms: u64, frames: u64) -> Placement {
        let ready = ready_ms.saturating_mul(u64::from(self.rate_hz)) / 1000;
        let start = self.end.max(ready);
        let silence = start - self.end;
        // A log may claim any length.
        self.end = start.saturating_add(frames);
        Placement { silence, start }
    }

    /// Milliseconds from the first sample of source audio to frame `frame`.
    #[must_use]
    pub fn ms(&self, frame: u64) -> u64 {
        frame.saturating_mul(1000) / u64::from(self.rate_hz)
    }
}

/// From when on a piece can be heard: in real time when it arrived; in fast mode, where arrival
/// means nothing, when the source it renders has been spoken.
#[must_use]
pub fn ready_ms(pace: Pace, received_at_ms: i64, source_end_ms: u64) -> u64 {
    match pace {
        Pace::RealTime | Pace::Device => u64::try_from(received_at_ms).unwrap_or(0),
        Pace::Fast => source_end_ms,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_piece_waits_for_the_one_before_and_for_its_own_arrival() {
        let mut timeline = Timeline::new(1000);
        let placed = [(500, 300), (600, 100), (2000, 50)]
            .map(|(ready, frames)| timeline.place(ready, frames));
        let expected = [(500, 500), (0, 800), (1100, 2000)]
            .map(|(silence, start)| Placement { silence, start });
        assert_eq!(placed, expected);
    }

    proptest! {
        #[test]
        fn pieces_never_overlap_and_never_start_early(
            pieces in prop::collection::vec((0_u64..100_000, 0_u64..50_000), 1..50),
        ) {
            let mut timeline = Timeline::new(24_000);
            let mut end = 0;
            for (ready, frames) in pieces {
                let placed = timeline.place(ready, frames);
                prop_assert_eq!(placed.start, end + placed.silence);
                prop_assert!(placed.start >= ready * 24);
                end = placed.start + frames;
            }
        }
    }
}
