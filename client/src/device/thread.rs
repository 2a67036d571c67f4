//! The thread of a device: it opens the device, says how that went, and then works.

use std::{sync::mpsc::sync_channel, thread};

use super::{DeviceError, Direction};

/// What a device's thread does.
pub(super) trait Worker {
    /// Opens the device for the first time.
    fn open(&mut self) -> Result<(), DeviceError>;

    /// Works until the device is no longer wanted.
    fn run(&mut self);
}

/// Starts a thread whose worker `make` makes on it: some sound systems insist that a stream is made,
/// used and dropped by one thread. Returns when the device is open.
pub(super) fn start<W: Worker>(
    direction: Direction,
    make: impl FnOnce() -> W + Send + 'static,
) -> Result<thread::JoinHandle<()>, DeviceError> {
    let (ready, opened) = sync_channel(1);
    let work = move || {
        let mut worker = make();
        let outcome = worker.open();
        let failed = outcome.is_err();
        // The opener waits for this.
        let _ = ready.send(outcome);
        if !failed {
            worker.run();
        }
    };
    let thread = thread::Builder::new()
        .name(direction.role().to_owned())
        .spawn(work)
        .map_err(|error| DeviceError::Failed {
            name: direction.role().to_owned(),
            source: cpal::Error::with_message(
                cpal::ErrorKind::ResourceExhausted,
                error.to_string(),
            ),
        })?;
    match opened.recv() {
        Ok(outcome) => outcome.map(|()| thread),
        Err(_) => Err(DeviceError::NoDevice { direction }),
    }
}
