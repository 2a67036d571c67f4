//! How many sessions there may be, and whether there is room for one more.
//!
//! A live session is refused where the models would no longer keep up: what they do now, and what is
//! expected of the sessions that have just begun, leaves too little of the machine. So a session that
//! runs is never spoilt by one that comes, and who is refused is told at once and when to try again.

use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex, OnceLock, PoisonError,
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
    /// Share of the machine that a session takes.
    each: f32,
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
        Self {
            slots: Arc::new(Semaphore::new(limits.max)),
            seats: Arc::new(Semaphore::new(limits.listeners)),
            limits: limits.clone(),
            engines,
            running: Arc::default(),
            recent: Arc::new(Mutex::new(Recent {
                begun: VecDeque::new(),
                each: (GUESS_CORES / cores).min(0.5),
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

    /// Checks that `sessions` more, besides those that run, would still be in time.
    pub(super) fn check_load(&self, sessions: u32) -> Result<(), Refusal> {
        let running = self.sessions().saturating_sub(sessions as usize);
        let expected = self.expected(running, sessions);
        if running > 0 && expected > self.limits.pressure_limit {
            return Err(Refusal::Full(format!(
                "the machine would not keep up with one more session ({running} run now, and need \
                 {:.0} % of the models' time); try again in ten seconds, use a smaller model, or \
                 raise sessions.pressure_limit",
                self.load(LoadMeter::needed) * 100.0
            )));
        }
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        for _ in 0..sessions {
            recent.begun.push_back(Instant::now());
        }
        Ok(())
    }

    fn pressure(&self) -> f32 {
        self.load(LoadMeter::pressure)
    }

    fn load(&self, measure: impl Fn(&LoadMeter) -> f32) -> f32 {
        self.engines
            .get()
            .map_or(0.0, |engines| measure(engines.load()))
    }

    /// The load that is to be expected with `more` sessions besides those that are `running`.
    fn expected(&self, running: usize, more: u32) -> f32 {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        while recent
            .begun
            .front()
            .is_some_and(|at| at.elapsed() > LOAD_OVER)
        {
            recent.begun.pop_front();
        }
        let pressure = self.load(LoadMeter::needed);
        let settled = running.saturating_sub(recent.begun.len());
        if recent.begun.is_empty() && settled > 0 {
            let measured = (pressure / settled as f32).max(recent.each * SILENT);
            recent.each += SMOOTHING * (measured - recent.each);
        }
        // Of a session that has just begun, a part is in the measured load.
        let missing = recent
            .begun
            .iter()
            .map(|at| 1.0 - (at.elapsed().as_secs_f32() / LOAD_OVER.as_secs_f32()).min(1.0));
        let coming: f32 = missing.sum::<f32>() + more as f32;
        pressure.max(settled as f32 * recent.each * SILENT) + coming * recent.each
    }

    /// How much room there is, as the protocol writes it.
    pub(super) fn report(&self) -> v1::GetCapacityResponse {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let sessions = self.sessions();
        let room = sessions < self.limits.max
            && (sessions == 0 || self.expected(sessions, 1) <= self.limits.pressure_limit);
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
