//! How much sound lies between two runs of the recogniser.

use std::time::Duration;

/// Part of the time that the recogniser may run at most: the other stages need the cores too.
const SHARE: f64 = 0.6;
/// Weight of the newest run in the average.
const WEIGHT: f64 = 0.3;
/// Longest step: beyond it a listener would wait for too long.
const LONGEST_MS: u32 = 2_400;
/// A step is changed when it is off by this part.
const TOLERANCE: f64 = 0.2;

/// The first thing the lag governor does: steps as long as the machine is slow.
#[derive(Debug, Clone)]
pub(super) struct StepLength {
    shortest_ms: u32,
    current_ms: u32,
    average_ms: f64,
}

impl StepLength {
    /// Steps of `shortest_ms`, for a start and at least.
    pub(super) fn new(shortest_ms: u32) -> Self {
        Self {
            shortest_ms,
            current_ms: shortest_ms,
            average_ms: f64::from(shortest_ms) * SHARE / 2.0,
        }
    }

    /// Takes how long a run took, with its wait for the engine. Gives the new length in
    /// milliseconds, if it changes.
    pub(super) fn took(&mut self, run: Duration) -> Option<u32> {
        let run_ms = run.as_secs_f64() * 1_000.0;
        self.average_ms += WEIGHT * (run_ms - self.average_ms);
        let wanted = (self.average_ms / SHARE).clamp(
            f64::from(self.shortest_ms),
            f64::from(LONGEST_MS.max(self.shortest_ms)),
        );
        let current = f64::from(self.current_ms);
        let back = wanted <= f64::from(self.shortest_ms) && self.current_ms > self.shortest_ms;
        if (wanted - current).abs() < TOLERANCE * current && !back {
            return None;
        }
        // Clamped to the range of u32 above.
        self.current_ms = wanted.round() as u32;
        Some(self.current_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_grow_with_slow_runs_and_come_back() {
        let mut step = StepLength::new(480);
        for _ in 0..10 {
            assert_eq!(step.took(Duration::from_millis(150)), None);
        }
        let grown: Vec<u32> = (0..30)
            .filter_map(|_| step.took(Duration::from_millis(900)))
            .collect();
        assert!(
            grown.is_sorted() && *grown.last().unwrap() > 1_200,
            "{grown:?}"
        );
        for _ in 0..30 {
            step.took(Duration::from_secs(9));
        }
        assert_eq!(step.current_ms, LONGEST_MS);
        for _ in 0..40 {
            step.took(Duration::from_millis(150));
        }
        assert_eq!(step.current_ms, 480);
    }
}
