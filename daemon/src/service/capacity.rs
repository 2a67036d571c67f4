//! How many sessions there may be, and whether there is room for one more.
//!
//! A live session is refused where the models would no longer keep up: what they do now, and what is
//! expected of the sessions that have just begun, leaves too little of the machine. So a session that
//! runs is never spoilt by one that comes, and who is refused is told at once and when to try again.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
    time::Instant,
};

use interpret_proto::v1;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{
    config::Sessions,
    engines::{Engines, LOAD_OVER, LoadMeter},
    session::Refusal,
};

/// Cores that a session takes, before any was measured.
const GUESS_CORES: f32 = 1.0;
/// Weight of a new measurement of what a session takes.
const SMOOTHING: f32 = 0.3;
/// A session that says nothing takes nothing, but may begin to: it is counted for this share of others.
const SILENT: f32 = 0.25;

/// The daemon's room for sessions and listeners. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Capacity {
    limits: Sessions,
    /// One permit a session.
    slots: Arc<Semaphore>,
    /// One permit a listener in a room.
    seats: Arc<Semaphore>,
    engines: Arc<OnceLock<Engines>>,
    running: Arc<AtomicUsize>,
    recent: Arc<Mutex<Recent>>,
}

/// What is known of the sessions' load.
#[derive(Debug)]
struct Recent {
    /// When the newest sessions began, as long as they are not wholly in the measured load.
    begun: VecDeque<Instant>,
    /// Share of the machine that a session takes, as learnt, and as guessed at first.
    each: f32,
    guess: f32,
    /// When it was learnt last.
    learnt: Instant,
}

impl Recent {
    /// The load that is to be expected with `more` sessions besides those that are `running` and need so
    /// much now.
    fn expected(&mut self, running: usize, more: u32, needed: f32) -> f32 {
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

/// Places that sessions have taken, until it is dropped.
#[derive(Debug)]
pub(super) struct Slots {
    _permit: OwnedSemaphorePermit,
    running: Arc<AtomicUsize>,
    count: usize,
}

impl Drop for Slots {
    fn drop(&mut self) {
        self.running.fetch_sub(self.count, Ordering::AcqRel);
    }
}

impl Capacity {
    pub(super) fn new(limits: &Sessions, engines: Arc<OnceLock<Engines>>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from) as f32;
        let guess = (GUESS_CORES / cores).min(0.5);
        Self {
            slots: Arc::new(Semaphore::new(limits.max)),
            seats: Arc::new(Semaphore::new(limits.listeners)),
            limits: limits.clone(),
            engines,
            running: Arc::default(),
            recent: Arc::new(Mutex::new(Recent {
                begun: VecDeque::new(),
                each: guess,
                guess,
                learnt: Instant::now(),
            })),
        }
    }

    /// Sessions that run now.
    pub(super) fn sessions(&self) -> usize {
        self.running.load(Ordering::Acquire)
    }

    /// Waits until no session runs; none can begin afterwards.
    pub(super) async fn idle(&self) {
        let all = u32::try_from(self.limits.max).unwrap_or(u32::MAX);
        // Never fails: the semaphore is not closed.
        if let Ok(permits) = self.slots.acquire_many(all).await {
            permits.forget();
        }
    }

    /// A seat for a listener.
    pub(super) fn seat(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        Arc::clone(&self.seats).try_acquire_owned().map_err(|_| {
            Refusal::Full(format!(
                "all {} listeners' seats are taken; try again later, or raise sessions.listeners",
                self.limits.listeners
            ))
        })
    }

    /// Room for `sessions` that run together.
    pub(super) fn admit(&self, sessions: u32) -> Result<Slots, Refusal> {
        let permit = Arc::clone(&self.slots).try_acquire_many_owned(sessions);
        let permit = permit.map_err(|_| {
            Refusal::Full(format!(
                "all {} session slots are taken; try again when one has ended, or raise sessions.max",
                self.limits.max
            ))
        })?;
        let count = sessions as usize;
        self.running.fetch_add(count, Ordering::AcqRel);
        Ok(Slots {
            _permit: permit,
            running: Arc::clone(&self.running),
            count,
        })
    }

    /// Checks that `sessions` more, besides those that run, would still be in time. To be asked last, when
    /// nothing else can keep them from beginning.
    pub(super) fn check_load(&self, sessions: u32) -> Result<(), Refusal> {
        let running = self.sessions().saturating_sub(sessions as usize);
        let needed = self.load(LoadMeter::needed);
        let mut recent = self.recent();
        let expected = recent.expected(running, sessions, needed);
        if running > 0 && expected > self.limits.pressure_limit {
            return Err(Refusal::Full(format!(
                "the machine would not keep up with one more session ({running} run now, and need \
                 {:.0} % of the models' time); try again in ten seconds, use a smaller model, or \
                 raise sessions.pressure_limit",
                needed * 100.0
            )));
        }
        for _ in 0..sessions {
            recent.begun.push_back(Instant::now());
        }
        Ok(())
    }

    fn recent(&self) -> MutexGuard<'_, Recent> {
        // Nothing panics while it is held.
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn pressure(&self) -> f32 {
        self.load(LoadMeter::pressure)
    }

    fn load(&self, measure: impl Fn(&LoadMeter) -> f32) -> f32 {
        self.engines
            .get()
            .map_or(0.0, |engines| measure(engines.load()))
    }

    /// How much room there is, as the protocol writes it.
    pub(super) fn report(&self) -> v1::GetCapacityResponse {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let sessions = self.sessions();
        let room = sessions < self.limits.max
            && (sessions == 0
                || self
                    .recent()
                    .expected(sessions, 1, self.load(LoadMeter::needed))
                    <= self.limits.pressure_limit);
        let accepting = self.engines.get().is_some() && room;
        let refusal = match self.engines.get() {
            None => Refusal::Loading(String::new()),
            Some(_) => Refusal::Full(String::new()),
        };
        v1::GetCapacityResponse {
            sessions: count(sessions),
            sessions_max: count(self.limits.max),
            listeners: count(self.limits.listeners - self.seats.available_permits()),
            listeners_max: count(self.limits.listeners),
            pressure: self.pressure(),
            accepting,
            retry_after_ms: match accepting {
                true => 0,
                false => refusal.retry_after_ms().unwrap_or(0),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recent(each: f32) -> Recent {
        Recent {
            begun: VecDeque::new(),
            each,
            guess: 0.5,
            learnt: Instant::now(),
        }
    }

    #[test]
    fn a_session_that_has_just_begun_counts_in_full_and_one_that_ended_not_at_all() {
        let mut recent = recent(0.4);
        assert!((recent.expected(0, 1, 0.0) - 0.4).abs() < 0.01);
        recent.begun.push_back(Instant::now());
        assert!((recent.expected(1, 1, 0.0) - 0.8).abs() < 0.01);
        assert!((recent.expected(0, 1, 0.0) - 0.4).abs() < 0.01);
        assert!(recent.begun.is_empty());
    }

    #[test]
    fn silence_and_those_who_ask_teach_nothing() {
        let mut recent = recent(0.5);
        let before = recent.expected(2, 1, 0.0);
        for _ in 0..1_000 {
            recent.expected(2, 1, 0.0);
        }
        assert!((recent.expected(2, 1, 0.0) - before).abs() < 0.01);
        assert!(before > 0.5);
    }
}
