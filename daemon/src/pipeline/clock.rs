//! How far behind the speaker something is.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Longest silence on the line that counts as lag: a speaker who sends nothing is not waited for.
const LONGEST_STALL: Duration = Duration::from_secs(1);

/// Source time against the wall: when was the newest audio received? Cheap to clone; one stage
/// writes it, any may read it.
///
/// Events never carry wall time (contract 1 in docs/design.md). This serves the lag governor only.
#[derive(Debug, Clone, Default)]
pub struct SourceClock(Arc<Mutex<Option<Newest>>>);

#[derive(Debug, Clone, Copy)]
struct Newest {
    source_ms: u64,
    at: Instant,
}

impl SourceClock {
    /// Says that audio up to `source_ms` is there now.
    pub(super) fn heard(&self, source_ms: u64) {
        let at = Instant::now();
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Newest { source_ms, at });
    }

    /// How long ago, at `now`, the audio of `source_ms` was spoken.
    pub(super) fn lag(&self, source_ms: u64, now: Instant) -> Duration {
        let newest = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(newest) = newest else {
            return Duration::ZERO;
        };
        let since = now.saturating_duration_since(newest.at).min(LONGEST_STALL);
        Duration::from_millis(newest.source_ms.saturating_sub(source_ms)) + since
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lag_is_what_came_since_and_a_silent_line_is_no_lag() {
        let clock = SourceClock::default();
        assert_eq!(clock.lag(0, Instant::now()), Duration::ZERO);
        clock.heard(5_000);
        let now = Instant::now();
        let lag = clock.lag(3_000, now).as_millis();
        assert!((2_000..2_100).contains(&lag), "{lag}");
        let later = clock.lag(5_000, now + Duration::from_secs(60));
        assert_eq!(later, LONGEST_STALL);
    }
}
