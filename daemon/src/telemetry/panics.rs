//! Panics in the log.

use std::{panic::PanicHookInfo, thread};

/// Logs where panics happen from now on, and not what they say: that may be what somebody said (a text that is cut
/// in the middle of a character is quoted).
pub(super) fn log() {
    std::panic::set_hook(Box::new(tell));
}

fn tell(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string);
    let thread = thread::current();
    let thread = thread.name().unwrap_or("without a name");
    tracing::error!(place, thread, "panicked");
}

#[cfg(test)]
mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::fmt;

    use super::*;

    /// Where the log of a test goes.
    #[derive(Debug, Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_panic_is_told_by_its_place_and_not_by_what_it_says() {
        let lines = Lines::default();
        let writer = lines.clone();
        let log = fmt().with_writer(move || writer.clone()).finish();
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(tell));
        // The log of this thread only.
        let panicked = tracing::subscriber::with_default(log, || {
            std::panic::catch_unwind(|| panic!("what somebody said"))
        });
        std::panic::set_hook(before);
        assert!(panicked.is_err());
        let lines = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
        assert!(
            lines.contains("panicked") && lines.contains("panics.rs:"),
            "{lines}"
        );
        assert!(!lines.contains("somebody"), "{lines}");
    }
}
