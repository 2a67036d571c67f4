//! How much sound lies between two runs of the recogniser.

use std::time::Duration;

/// Part of the time that the recogniser may run at most: the other stages need the cores too.
const SHARE: f64 = 0.6;
/// The same with its waiting for them: more, and it would be late at each step.
const SHARE_WITH_WAITING: f64 = 0.95;
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
    /// Of a run.
    average_ms: f64,
    /// Of a run and the wait before it.
    average_with_waiting_ms: f64,
}

impl StepLength {
    /// Steps of `shortest_ms`, for a start and at least.
    pub(super) fn new(shortest_ms: u32) -> Self {
        Self {
            shortest_ms,
            current_ms: shortest_ms,
            average_ms: f64::from(shortest_ms) * SHARE / 2.0,
            average_with_waiting_ms: f64::from(shortest_ms) * SHARE_WITH_WAITING / 2.0,
        }
    }

    /// The length in force.
    pub(super) fn ms(&self) -> u32 {
        self.current_ms
    }

    /// Takes how long a run took, and waited for the engine before. Gives the new length in
    /// milliseconds, if it changes.
    pub(super) fn took(&mut self, run: Duration, waited: Duration) -> Option<u32> {
        let average = |average: &mut f64, newest: Duration| {
            *average += WEIGHT * (newest.as_secs_f64() * 1_000.0 - *average);
        };
        average(&mut self.average_ms, run);
        average(&mut self.average_with_waiting_ms, run + waited);
        let alone = self.average_ms / SHARE;
        let wanted = alone.max(self.average_with_waiting_ms / SHARE_WITH_WAITING);
        let wanted = wanted.clamp(
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
        let took = |step: &mut StepLength, ms| step.took(Duration::from_millis(ms), Duration::ZERO);
        for _ in 0..10 {
            assert_eq!(took(&mut step, 150), None);
        }
        let grown: Vec<u32> = (0..30).filter_map(|_| took(&mut step, 900)).collect();
        assert!(
            grown.is_sorted() && *grown.last().unwrap() > 1_200,
            "{grown:?}"
        );
        for _ in 0..30 {
            took(&mut step, 9_000);
        }
        assert_eq!(step.current_ms, LONGEST_MS);
        for _ in 0..40 {
            took(&mut step, 150);
        }
        assert_eq!(step.current_ms, 480);
    }

    #[test]
    fn waiting_counts_once_it_makes_steps_late() {
        let run = Duration::from_millis(150);
        let mut step = StepLength::new(480);
        for _ in 0..30 {
            assert_eq!(step.took(run, Duration::from_millis(250)), None);
        }
        let grown = (0..30).filter_map(|_| step.took(run, Duration::from_millis(600)));
        assert!(grown.last().is_some_and(|step| step > 700));
    }
}
