//! On how many threads whisper.cpp runs, given what else the machine does.
//!
//! Its threads wait for each other several thousand times a run, spinning for a while before they
//! sleep. That is fastest where each has a core to itself. Where others want the cores too, every wait
//! lasts until the system gives the slower thread its turn; one thread alone is then only as slow as
//! its share of a core. So this looks at how long runs wait for a core.

use std::time::{Duration, Instant};

/// Part of a run spent waiting for a core from which one thread is better.
const CROWDED: f64 = 0.4;
/// Part below which a run was undisturbed.
const CALM: f64 = 0.1;
/// Undisturbed runs after which all threads are tried again.
const CALM_RUNS: u32 = 3;
/// A run on several threads is given up after so many times what such runs take ...
const PATIENCE: u32 = 4;
/// ... but not before this ...
const LEAST_PATIENCE: Duration = Duration::from_secs(2);
/// ... and, as long as none has finished, after this.
const FIRST_PATIENCE: Duration = Duration::from_secs(8);

/// Chooses the number of threads for each run.
#[derive(Debug, Clone)]
pub(super) struct Threads {
    most: u16,
    now: u16,
    calm: u32,
    /// What a run on all threads takes, on average.
    takes: Option<Duration>,
}

impl Threads {
    /// At most `most` threads.
    pub(super) fn new(most: u16) -> Self {
        let most = most.max(1);
        Self {
            most,
            now: most,
            calm: 0,
            takes: None,
        }
    }

    /// Threads for the next run.
    pub(super) fn number(&self) -> u16 {
        self.now
    }

    /// When the next run is to be given up, and tried again on one thread.
    pub(super) fn give_up_at(&self) -> Option<Instant> {
        let patience = match self.takes {
            Some(takes) => (takes * PATIENCE).max(LEAST_PATIENCE),
            None => FIRST_PATIENCE,
        };
        (self.now > 1).then(|| Instant::now() + patience)
    }

    /// Says that a run was given up.
    pub(super) fn gave_up(&mut self) {
        self.now = 1;
        self.calm = 0;
    }

    /// Takes how long a run took, and for how long of that its thread waited for a core.
    pub(super) fn ran(&mut self, took: Duration, waited: Duration) {
        let part = waited.as_secs_f64() / took.as_secs_f64().max(1e-3);
        if self.now > 1 {
            self.takes = Some(self.takes.map_or(took, |takes| (takes * 7 + took) / 8));
            if part > CROWDED {
                tracing::debug!(
                    part,
                    "one thread from now on: other programs want the cores"
                );
                self.gave_up();
            }
            return;
        }
        self.calm = if part < CALM { self.calm + 1 } else { 0 };
        if self.calm >= CALM_RUNS {
            self.now = self.most;
            self.calm = 0;
        }
    }
}

/// How long this thread has waited for a core since it began (Linux; elsewhere not known).
pub(super) fn waited_for_core() -> Duration {
    let nanos = std::fs::read_to_string("/proc/thread-self/schedstat")
        .ok()
        .and_then(|stat| stat.split_whitespace().nth(1)?.parse().ok());
    Duration::from_nanos(nanos.unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUN: Duration = Duration::from_millis(400);

    #[test]
    fn a_crowded_machine_gets_one_thread_until_it_is_calm_again() {
        let mut threads = Threads::new(2);
        threads.ran(RUN, Duration::ZERO);
        assert_eq!(threads.number(), 2);
        threads.ran(RUN, RUN / 2);
        assert_eq!((threads.number(), threads.give_up_at()), (1, None));
        for _ in 0..CALM_RUNS - 1 {
            threads.ran(RUN, Duration::ZERO);
        }
        threads.ran(RUN, RUN / 5);
        assert_eq!(threads.number(), 1, "not calm for long enough");
        for _ in 0..CALM_RUNS {
            threads.ran(RUN, Duration::ZERO);
        }
        assert_eq!(threads.number(), 2);
    }

    #[test]
    fn one_core_has_nothing_to_choose() {
        let mut threads = Threads::new(0);
        threads.ran(RUN, RUN);
        assert_eq!((threads.number(), threads.give_up_at()), (1, None));
    }
}
