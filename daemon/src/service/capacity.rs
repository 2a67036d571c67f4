//! How many sessions there may be, and whether there is room for one more.
//!
//! A live session is refused where the models would no longer keep up: what they do now, and what is
//! expected of the sessions that have just begun, leaves too little of the machine. So a session that
//! runs is never spoilt by one that comes, and who is refused is told at once and when to try again.

use std::sync::{
    Arc, Mutex, MutexGuard, OnceLock, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use interpret_proto::v1;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::forecast::Forecast;
use crate::{
    config::Sessions,
    engines::{Engines, LoadMeter},
    session::Refusal,
};

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
    forecast: Arc<Mutex<Forecast>>,
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
        Self {
            slots: Arc::new(Semaphore::new(limits.max)),
            seats: Arc::new(Semaphore::new(limits.listeners)),
            limits: limits.clone(),
            engines,
            running: Arc::default(),
            forecast: Arc::new(Mutex::new(Forecast::new())),
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
        let mut forecast = self.forecast();
        let expected = forecast.expected(running, sessions, needed);
        if running > 0 && expected > self.limits.pressure_limit {
            return Err(Refusal::Full(format!(
                "the machine would not keep up with one more session ({running} run now, and need \
                 {:.0} % of the models' time); try again in ten seconds, use a smaller model, or \
                 raise sessions.pressure_limit",
                needed * 100.0
            )));
        }
        forecast.begin(sessions);
        Ok(())
    }

    fn forecast(&self) -> MutexGuard<'_, Forecast> {
        // Nothing panics while it is held.
        self.forecast.lock().unwrap_or_else(PoisonError::into_inner)
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
                    .forecast()
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
