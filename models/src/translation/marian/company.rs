//! Keeps another thread of rayon's pool awake while one translates.
//!
//! A decoder step is some forty products, each of which two threads finish in the time that it takes to
//! wake one. So during a sentence another one looks for work all the time instead of falling asleep.
//!
//! Of two sentences translated at once in one pool, one may wait for the other's end: a thread that waits
//! for its share may take up the other's watch. The daemon translates one at a time.

use std::sync::atomic::{AtomicBool, Ordering};

/// Two threads read about as much memory as there is to read, and most products make two tasks. Others
/// would only take cores from the models that run at the same time.
const THREADS: usize = 2;
/// After so many looks in vain a thread lets other programs have its core, if they want it.
const PATIENCE: u32 = 200;

/// Runs `work` on a thread of the pool, another one awake.
pub(super) fn in_company<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = AtomicBool::new(false);
    rayon::scope(|scope| {
        // Also when `work` panics: the scope waits for the others before it passes the panic on.
        let _end = SetOnDrop(&done);
        for _ in 1..rayon::current_num_threads().min(THREADS) {
            scope.spawn(|_| {
                let mut idle = 0_u32;
                while !done.load(Ordering::Relaxed) {
                    if rayon::yield_now() == Some(rayon::Yield::Executed) {
                        idle = 0;
                    } else if idle < PATIENCE {
                        idle += 1;
                        std::hint::spin_loop();
                    } else {
                        std::thread::yield_now();
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
