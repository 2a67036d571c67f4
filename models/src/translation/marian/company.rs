//! Keeps the other threads of rayon's pool awake while one translates.
//!
//! A decoder step is some forty products, each of which two threads finish in the time that it takes to
//! wake one. So during a sentence the others look for work all the time instead of falling asleep.

use std::sync::atomic::{AtomicBool, Ordering};

/// More threads than this do not help: memory is what a step waits for.
const MOST_THREADS: usize = 4;

/// Runs `work` on a thread of the pool, the others awake.
pub(super) fn in_company<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = AtomicBool::new(false);
    rayon::scope(|scope| {
        // Also when `work` panics: the scope waits for the others before it passes the panic on.
        let _end = SetOnDrop(&done);
        for _ in 1..rayon::current_num_threads().min(MOST_THREADS) {
            scope.spawn(|_| {
                while !done.load(Ordering::Relaxed) {
                    if rayon::yield_now() == Some(rayon::Yield::Idle) {
                        std::hint::spin_loop();
                    }
                }
            });
        }
        work()
    })
}

struct SetOnDrop<'a>(&'a AtomicBool);

impl Drop for SetOnDrop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_ends_with_the_work_also_when_that_panics() {
        assert_eq!(in_company(|| 7), 7);
        let panicked = std::panic::catch_unwind(|| in_company(|| panic!("work")));
        assert!(panicked.is_err());
        assert_eq!(in_company(|| rayon::join(|| 1, || 2)), (1, 2));
    }
}
