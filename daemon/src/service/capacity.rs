//! How many sessions there may be, and whether there is room for one more. Who is refused is told at once,
//! and when to try again.

use std::sync::{
    Arc, OnceLock,
    atomic::{AtomicUsize, Ordering},
};

use interpret_proto::v1;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::{config::Sessions, engines::Engines, headroom::Headroom, session::Refusal};

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
    headroom: Headroom,
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
            headroom: Headroom::new(limits.pressure_limit, Arc::clone(&engines)),
            engines,
            running: Arc::default(),
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

    /// What the models have room for. To be asked last, when nothing else can keep a session from
    /// beginning.
    pub(super) fn headroom(&self) -> &Headroom {
        &self.headroom
    }

    /// How much room there is, as the protocol writes it.
    pub(super) fn report(&self) -> v1::GetCapacityResponse {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        let sessions = self.sessions();
        let room = sessions < self.limits.max && self.headroom.is_there();
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
            pressure: self.headroom.pressure(),
            accepting,
            retry_after_ms: match accepting {
                true => 0,
                false => refusal.retry_after_ms().unwrap_or(0),
            },
        }
    }
}
