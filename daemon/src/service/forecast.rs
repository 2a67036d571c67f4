//! What the load will be with one more session: what the models do now, and what is expected of sessions
//! that have just begun.

use std::{collections::VecDeque, time::Instant};

use crate::engines::LOAD_OVER;

/// Cores that a session takes, before any was measured.
const GUESS_CORES: f32 = 1.0;
/// Weight of a new measurement of what a session takes.
const SMOOTHING: f32 = 0.3;
/// A session that says nothing takes nothing, but may begin to: it is counted for this share of others.
const SILENT: f32 = 0.25;

/// What is known of the sessions' load.
#[derive(Debug)]
pub(super) struct Forecast {
    /// When the newest sessions began, as long as they are not wholly in the measured load.
    begun: VecDeque<Instant>,
    /// Share of the machine that a session takes, as learnt, and as guessed at first.
    each: f32,
    guess: f32,
    /// When it was learnt last.
    learnt: Instant,
}

impl Forecast {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f32;
        let guess = (GUESS_CORES / cores).min(0.5);
        Self {
            begun: VecDeque::new(),
            each: guess,
            guess,
            learnt: Instant::now(),
        }
    }

    /// So many sessions begin.
    pub(super) fn begin(&mut self, sessions: u32) {
        for _ in 0..sessions {
            self.begun.push_back(Instant::now());
        }
    }

    /// The load that is to be expected with `more` sessions besides those that are `running` and need so
    /// much now.
    pub(super) fn expected(&mut self, running: usize, more: u32, needed: f32) -> f32 {
        let old = |at: &Instant| at.elapsed() > LOAD_OVER;
        // Some may have ended already.
        while self.begun.len() > running || self.begun.front().is_some_and(old) {
            self.begun.pop_front();
        }
        let settled = running - self.begun.len();
        if self.begun.is_empty() && settled > 0 && self.learnt.elapsed() > LOAD_OVER {
            self.learnt = Instant::now();
            let measured = (needed / settled as f32).max(self.guess * SILENT);
            self.each += SMOOTHING * (measured - self.each);
        }
        // Of a session that has just begun, a part is in the measured load.
        let part = |at: &Instant| at.elapsed().as_secs_f32() / LOAD_OVER.as_secs_f32();
        let missing = self.begun.iter().map(|at| 1.0 - part(at).min(1.0));
        let coming: f32 = missing.sum::<f32>() + more as f32;
        needed.max(settled as f32 * self.each * SILENT) + coming * self.each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn forecast(each: f32) -> Forecast {
        Forecast {
            begun: VecDeque::new(),
            each,
            guess: 0.5,
            learnt: Instant::now(),
        }
    }

    #[test]
    fn a_session_that_has_just_begun_counts_in_full_and_one_that_ended_not_at_all() {
        let mut forecast = forecast(0.4);
        assert!((forecast.expected(0, 1, 0.0) - 0.4).abs() < 0.01);
        forecast.begun.push_back(Instant::now());
        assert!((forecast.expected(1, 1, 0.0) - 0.8).abs() < 0.01);
        assert!((forecast.expected(0, 1, 0.0) - 0.4).abs() < 0.01);
        assert!(forecast.begun.is_empty());
    }

    #[test]
    fn silence_and_those_who_ask_teach_nothing() {
        let mut forecast = forecast(0.5);
        let before = forecast.expected(2, 1, 0.0);
        for _ in 0..1_000 {
            forecast.expected(2, 1, 0.0);
        }
        assert!((forecast.expected(2, 1, 0.0) - before).abs() < 0.01);
        assert!(before > 0.5);
    }
}
