//! What a fetch tells whoever watches it.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// Sees a fetch go on. Called from several threads; must return at once.
pub trait Observer: Send + Sync {
    /// Something happened.
    fn on(&self, event: Event);
}

/// Nobody watches.
impl Observer for () {
    fn on(&self, _: Event) {}
}

/// Something that happened during a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A sentence for the person.
    Note(String),
    /// A piece of work began.
    Began {
        /// Names this piece of work.
        task: u64,
        /// Such as "downloading whisper-base/ggml-base.bin".
        what: String,
        /// What its position counts.
        unit: Unit,
        /// Where it will end, if known.
        total: Option<u64>,
    },
    /// It got on.
    At {
        /// The piece of work.
        task: u64,
        /// How far it is.
        position: u64,
    },
    /// It ended, well or not.
    Ended {
        /// The piece of work.
        task: u64,
    },
    /// All files of a model are in place.
    Installed {
        /// The model's name.
        model: String,
    },
}

/// What the position of a piece of work counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Bytes.
    Bytes,
    /// Per cent of the work.
    Percent,
}

/// A piece of work that is being watched; ends when dropped.
pub(crate) struct Task {
    observer: Arc<dyn Observer>,
    task: u64,
}

impl Task {
    pub(crate) fn begin(
        observer: &Arc<dyn Observer>,
        what: String,
        unit: Unit,
        total: Option<u64>,
    ) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let task = NEXT.fetch_add(1, Ordering::Relaxed);
        observer.on(Event::Began {
            task,
            what,
            unit,
            total,
        });
        Self {
            observer: Arc::clone(observer),
            task,
        }
    }

    pub(crate) fn at(&self, position: u64) {
        self.observer.on(Event::At {
            task: self.task,
            position,
        });
    }

    /// Takes a fraction from 0 to 1.
    pub(crate) fn at_fraction(&self, fraction: f32) {
        // A whole number from 0 to 100: nothing is lost.
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        self.at((fraction.clamp(0.0, 1.0) * 100.0) as u64);
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        self.observer.on(Event::Ended { task: self.task });
    }
}
