//! How many sessions there may be, and whether there is room for one more. Who is refused is told at once,
//! and when to try again.

use std::sync::{Arc, OnceLock};

use interpret_proto::v1;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio_util::task::TaskTracker;

use crate::{
    config::Sessions,
    engines::Engines,
    headroom::{Headroom, Slot, Slots},
    session::Refusal,
};

/// The daemon's room for sessions and listeners. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Capacity {
    limits: Sessions,
    slots: Slots,
    /// Sessions and calls, until their ends are told, or kept for clients that may come back: after their slots are free.
    tasks: TaskTracker,
    /// One permit a listener in a room.
    seats: Arc<Semaphore>,
    engines: Arc<OnceLock<Engines>>,
    headroom: Headroom,
}

impl Capacity {
    pub(super) fn new(limits: &Sessions, engines: Arc<OnceLock<Engines>>) -> Self {
        Self {
            slots: Slots::new(limits.max),
            tasks: TaskTracker::new(),
            seats: Arc::new(Semaphore::new(limits.listeners)),
            limits: limits.clone(),
            headroom: Headroom::new(limits.pressure_limit, Arc::clone(&engines)),
            engines,
        }
    }

    /// Sessions that run now.
    pub(super) fn sessions(&self) -> usize {
        self.slots.taken()
    }

    /// Runs a session or call that has been admitted.
    pub(super) fn run(&self, session: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(session);
    }

    /// Waits until no session runs and each has told its end; none can begin afterwards.
    pub(super) async fn idle(&self) {
        self.slots.close().await;
        self.tasks.close();
        self.tasks.wait().await;
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
    pub(super) fn admit(&self, sessions: u32) -> Result<Slot, Refusal> {
        self.slots.take(sessions).ok_or_else(|| {
            Refusal::Full(format!(
                "all {} session slots are taken; try again when one has ended, or raise sessions.max",
                self.limits.max
            ))
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::{Instant, sleep, timeout};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn idle_is_who_has_told_the_end_and_can_be_asked_for_again() {
        let capacity = Capacity::new(&Sessions::default(), Arc::default());
        let slot = capacity.admit(2).unwrap();
        assert_eq!(capacity.sessions(), 2);
        let begun = Instant::now();
        capacity.run(async move {
            sleep(Duration::from_secs(1)).await;
            drop(slot);
            // Its end is told to a client that reads slowly.
            sleep(Duration::from_secs(2)).await;
        });
        for _ in 0..2 {
            let within = Duration::from_secs(1) + Duration::from_millis(100);
            assert!(timeout(within, capacity.idle()).await.is_err());
        }
        assert_eq!(capacity.sessions(), 0);
        assert!(capacity.admit(1).is_err(), "it is closed");
        capacity.idle().await;
        assert_eq!(begun.elapsed().as_secs(), 3);
    }
}
