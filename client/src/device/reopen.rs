//! A device that is opened, lost, looked for, and opened again.

use std::time::{Duration, Instant};

use cpal::{Device, Host};
use tokio::sync::mpsc;

use super::{
    Choice, DeviceError, DeviceEvent, Direction,
    choose::{find, is_there, names},
};

/// How often a lost device is looked for, and an open one is looked after.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// The place of one device.
pub(super) struct Slot {
    direction: Direction,
    choice: Choice,
    /// Whether the system's default will do while the chosen one is gone.
    fallback: bool,
    events: mpsc::Sender<DeviceEvent>,
    host: Host,
    open: Option<Open>,
    look_at: Instant,
}

struct Open {
    name: String,
    id: Option<String>,
    /// Whether it stands in for the chosen one.
    stand_in: bool,
}

impl Slot {
    pub(super) fn new(
        direction: Direction,
        choice: Choice,
        fallback: bool,
        events: mpsc::Sender<DeviceEvent>,
    ) -> Self {
        Self {
            direction,
            choice,
            fallback,
            events,
            host: cpal::default_host(),
            open: None,
            look_at: Instant::now(),
        }
    }

    /// Finds the device and lets `start` open it.
    pub(super) fn open<T>(
        &mut self,
        start: impl FnOnce(&Device, &str) -> Result<T, DeviceError>,
    ) -> Result<T, DeviceError> {
        self.look_at = Instant::now() + LOOK_EVERY;
        let (found, stand_in) = match find(&self.host, self.direction, &self.choice) {
            Err(DeviceError::NotFound { .. }) if self.fallback => {
                (find(&self.host, self.direction, &Choice::Default), true)
            }
            found => (found, false),
        };
        let (device, name) = found?;
        let started = start(&device, &name)?;
        self.open = Some(Open {
            id: names(&device).map(|(_, id)| id),
            name: name.clone(),
            stand_in,
        });
        self.tell(DeviceEvent::Opened {
            direction: self.direction,
            name,
        });
        Ok(started)
    }

    /// Whether to look for the lost device now. The sound system itself may have been started
    /// again: it is connected afresh.
    pub(super) fn try_again(&mut self) -> bool {
        let due = Instant::now() >= self.look_at;
        if due {
            self.host = cpal::default_host();
            self.look_at = Instant::now() + LOOK_EVERY;
        }
        due
    }

    /// Says that the device is gone.
    pub(super) fn lost(&mut self, reason: String) {
        if let Some(open) = self.open.take() {
            self.tell(DeviceEvent::Lost {
                direction: self.direction,
                name: open.name,
                reason,
            });
        }
        self.look_at = Instant::now();
    }

    /// Looks after an open device, once a second: a sound server may quietly move a stream to
    /// another device when its own goes, which nobody has chosen. Returns why it is to be given up.
    pub(super) fn look(&mut self) -> Option<String> {
        let open = self.open.as_ref()?;
        if Instant::now() < self.look_at || !moves_streams(&self.host) {
            return None;
        }
        self.look_at = Instant::now() + LOOK_EVERY;
        let there = |id: &str| is_there(&self.host, self.direction, id);
        if open.stand_in {
            let back = find(&self.host, self.direction, &self.choice).is_ok();
            return back.then(|| "the chosen one is back".to_owned());
        }
        match &open.id {
            Some(id) if !there(id) => Some("it was unplugged".to_owned()),
            _ => None,
        }
    }

    fn tell(&self, event: DeviceEvent) {
        tracing::debug!(%event, "device");
        if self.events.try_send(event).is_err() {
            tracing::debug!("nobody listens to device events");
        }
    }
}

/// Whether the sound system is a server that moves streams between devices. It is cheap to ask;
/// others report a lost device by an error.
#[cfg(target_os = "linux")]
fn moves_streams(host: &Host) -> bool {
    host.id() == cpal::HostId::PulseAudio
}

/// Elsewhere the system tells of a lost device.
#[cfg(not(target_os = "linux"))]
fn moves_streams(_host: &Host) -> bool {
    false
}
