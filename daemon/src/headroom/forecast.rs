//! What the load will be with more work: what the models need now, and what is expected of work that has
//! just begun.

use std::{
    collections::{BTreeMap, VecDeque},
    time::Instant,
};

use super::Work;
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
    /// What each session takes, by number.
    running: BTreeMap<u64, f32>,
    next: u64,
    /// What has begun lately, as long as it is not wholly in the measured load.
    begun: VecDeque<Begun>,
    /// Share of the machine that a session with one voice takes, as learnt, and as guessed at first.
    each: f32,
    guess: f32,
    /// When it was learnt last.
    learnt: Instant,
}

#[derive(Debug)]
struct Begun {
    at: Instant,
    id: u64,
    work: f32,
}

impl Forecast {
    pub(super) fn new() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f32;
        let guess = (GUESS_CORES / cores).min(0.5);
        Self {
            running: BTreeMap::new(),
            next: 0,
            begun: VecDeque::new(),
            each: guess,
            guess,
            learnt: Instant::now(),
        }
    }

    /// Sessions that run.
    pub(super) fn sessions(&self) -> usize {
        self.running.len()
    }

    /// A session begins; gives its number.
    pub(super) fn begin(&mut self, work: Work) -> u64 {
        let id = self.next;
        self.next += 1;
        self.grow(id, work);
        id
    }

    /// A session takes more.
    pub(super) fn grow(&mut self, id: u64, Work(work): Work) {
        *self.running.entry(id).or_default() += work;
        if work > 0.0 {
            self.settle();
            let at = Instant::now();
            self.begun.push_back(Begun { at, id, work });
        }
    }

    /// A session takes less.
    pub(super) fn shrink(&mut self, id: u64, Work(work): Work) {
        if let Some(running) = self.running.get_mut(&id) {
            *running = (*running - work).max(0.0);
        }
        // What has just begun goes first.
        let mut left = work;
        for begun in self.begun.iter_mut().rev().filter(|begun| begun.id == id) {
            let less = begun.work.min(left);
            begun.work -= less;
            left -= less;
        }
        self.begun.retain(|begun| begun.work > 0.0);
    }

    /// What began long ago is in the measured load.
    fn settle(&mut self) {
        self.begun.retain(|begun| begun.at.elapsed() <= LOAD_OVER);
    }

    /// A session has ended.
    pub(super) fn end(&mut self, id: u64) {
        self.running.remove(&id);
        self.begun.retain(|begun| begun.id != id);
    }

    /// The load that is to be expected with `more` besides what runs and needs so much now.
    pub(super) fn expected(&mut self, Work(more): Work, needed: f32) -> f32 {
        self.settle();
        let begun: f32 = self.begun.iter().map(|begun| begun.work).sum();
        let settled = (self.running.values().sum::<f32>() - begun).max(0.0);
        if self.begun.is_empty() && settled > 0.0 && self.learnt.elapsed() > LOAD_OVER {
            self.learnt = Instant::now();
            let measured = (needed / settled).max(self.guess * SILENT);
            self.each += SMOOTHING * (measured - self.each);
        }
        // Of what has just begun, a part is in the measured load.
        let measured = |begun: &Begun| begun.at.elapsed().as_secs_f32() / LOAD_OVER.as_secs_f32();
        let missing = |begun: &Begun| begun.work * (1.0 - measured(begun).min(1.0));
        let coming: f32 = self.begun.iter().map(missing).sum::<f32>() + more;
        needed.max(settled * self.each * SILENT) + coming * self.each
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: Work = Work(1.0);

    fn forecast(each: f32) -> Forecast {
        Forecast {
            each,
            guess: 0.5,
            ..Forecast::new()
        }
    }

    fn assert_near(value: f32, expected: f32) {
        assert!((value - expected).abs() < 0.01, "{value}, not {expected}");
    }

    #[test]
    fn a_session_that_has_just_begun_counts_in_full_and_one_that_ended_not_at_all() {
        let mut forecast = forecast(0.4);
        assert_near(forecast.expected(ONE, 0.0), 0.4);
        let id = forecast.begin(ONE);
        assert_near(forecast.expected(ONE, 0.0), 0.8);
        forecast.grow(id, Work::voices(1));
        assert_near(forecast.expected(ONE, 0.0), 1.0);
        // Voices that come and go leave nothing.
        for _ in 0..3 {
            forecast.grow(id, Work::voices(1));
            forecast.shrink(id, Work::voices(1));
        }
        assert_near(forecast.expected(ONE, 0.0), 1.0);
        assert_eq!(forecast.begun.len(), 2);
        forecast.end(id);
        assert_near(forecast.expected(ONE, 0.0), 0.4);
        assert_eq!(forecast.sessions(), 0);
    }

    #[test]
    fn silence_and_those_who_ask_teach_nothing() {
        let mut forecast = forecast(0.5);
        forecast.begin(ONE);
        forecast.begin(ONE);
        forecast.begun.clear();
        let before = forecast.expected(ONE, 0.0);
        for _ in 0..1_000 {
            forecast.expected(ONE, 0.0);
        }
        assert_near(forecast.expected(ONE, 0.0), before);
        assert!(before > 0.5);
    }

    #[test]
    fn what_a_session_takes_is_learnt_by_its_voices() {
        let mut forecast = forecast(0.5);
        let id = forecast.begin(Work::session(3));
        forecast.begun.clear();
        forecast.learnt = Instant::now()
            .checked_sub(LOAD_OVER * 2)
            .unwrap_or_else(Instant::now);
        // Two sessions' worth need .8 of the machine: one needs .4, and .3 of the way there is learnt.
        assert_near(forecast.expected(Work(0.0), 0.8), 0.8);
        assert_near(forecast.each, 0.47);
        forecast.shrink(id, Work::voices(1));
        assert_near(forecast.running[&id], 1.5);
    }
}
