//! Standard error, which keeps what is written while a full screen is shown.
//!
//! A line of the log in the midst of a full screen would destroy it. It waits here and is printed
//! when the screen is gone.

use std::{
    io::{self, Write},
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Most bytes that wait; what is beyond is lost, as it would be off a real screen.
const MOST_HELD: usize = 1 << 20;

/// What waits; none while nothing is held back.
static HELD: Mutex<Option<Vec<u8>>> = Mutex::new(None);

fn held() -> MutexGuard<'static, Option<Vec<u8>>> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Holds back from now on, or prints what waited and holds back no more.
pub(crate) fn hold(hold: bool) {
    if hold {
        held().get_or_insert_default();
        return;
    }
    // Not under the lock: who reads standard error may be slow.
    let text = held().take();
    if let Some(text) = text {
        // Nobody is left to tell if standard error is gone.
        let _ = io::stderr().lock().write_all(&text);
    }
}

/// Writes to standard error, sooner or later.
#[derive(Debug)]
pub(crate) struct Stderr;

impl Write for Stderr {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut *held() {
            Some(text) => {
                let room = MOST_HELD.saturating_sub(text.len());
                text.extend_from_slice(&bytes[..bytes.len().min(room)]);
                Ok(bytes.len())
            }
            None => io::stderr().write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}
