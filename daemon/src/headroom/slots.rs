//! Places of sessions, of which there are `sessions.max`.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// All places. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Slots {
    free: Arc<Semaphore>,
    taken: Arc<AtomicUsize>,
    all: usize,
}

/// Places that a session or call has, until it is dropped.
#[derive(Debug)]
pub(crate) struct Slot {
    _permit: OwnedSemaphorePermit,
    taken: Arc<AtomicUsize>,
    count: usize,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.taken.fetch_sub(self.count, Ordering::AcqRel);
    }
}

impl Slots {
    pub(crate) fn new(all: usize) -> Self {
        Self {
            free: Arc::new(Semaphore::new(all)),
            taken: Arc::default(),
            all,
        }
    }

    /// Places that are taken.
    pub(crate) fn taken(&self) -> usize {
        self.taken.load(Ordering::Acquire)
    }

    /// So many places together; none: there are not so many left.
    pub(crate) fn take(&self, count: u32) -> Option<Slot> {
        let permit = Arc::clone(&self.free).try_acquire_many_owned(count).ok()?;
        let count = count as usize;
        self.taken.fetch_add(count, Ordering::AcqRel);
        Some(Slot {
            _permit: permit,
            taken: Arc::clone(&self.taken),
            count,
        })
    }

    /// Waits until no place is taken; none can be taken afterwards. May be given up and asked for again.
    pub(crate) async fn close(&self) {
        let all = u32::try_from(self.all).unwrap_or(u32::MAX);
        // Fails when it is closed already, which comes to the same.
        let _all_free = self.free.acquire_many(all).await;
        self.free.close();
    }
}
