//! What goes wrong at a device, counted where nothing may wait.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};

/// Counters that a callback raises and anyone reads.
#[derive(Debug, Default)]
pub struct Health {
    overrun_frames: AtomicU64,
    underruns: AtomicU64,
    device_xruns: AtomicU64,
    last_request: AtomicU32,
    callbacks: AtomicU64,
}

/// The counters at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct HealthReport {
    /// Frames (samples of all channels) that found the ring full and were dropped.
    pub overrun_frames: u64,
    /// Times that the ring ran empty in the middle of speech.
    pub underruns: u64,
    /// Overruns and underruns that the sound system itself reported.
    pub device_xruns: u64,
    /// Frames that the last callback moved.
    pub last_request: u32,
    /// Callbacks so far.
    pub callbacks: u64,
}

impl Health {
    /// The counters now.
    #[must_use]
    pub fn report(&self) -> HealthReport {
        HealthReport {
            overrun_frames: self.overrun_frames.load(Relaxed),
            underruns: self.underruns.load(Relaxed),
            device_xruns: self.device_xruns.load(Relaxed),
            last_request: self.last_request.load(Relaxed),
            callbacks: self.callbacks.load(Relaxed),
        }
    }

    pub(super) fn called(&self, frames: usize) {
        self.callbacks.fetch_add(1, Relaxed);
        let frames = u32::try_from(frames).unwrap_or(u32::MAX);
        self.last_request.store(frames, Relaxed);
    }

    pub(super) fn overrun(&self, frames: usize) {
        self.overrun_frames.fetch_add(frames as u64, Relaxed);
    }

    pub(super) fn underrun(&self) {
        self.underruns.fetch_add(1, Relaxed);
    }

    pub(super) fn device_xrun(&self) {
        self.device_xruns.fetch_add(1, Relaxed);
    }
}

/// The loudest sample since somebody looked: the source of a level meter.
#[derive(Debug, Default)]
pub struct Level(AtomicU32);

impl Level {
    /// Takes a peak (0 to 1; more is clipped at the device).
    pub(super) fn raise(&self, peak: f32) {
        // The bits of floats that are not negative sort as the floats do.
        self.0.fetch_max(peak.max(0.0).to_bits(), Relaxed);
    }

    /// The peak since the last call, in dB below full scale (0 is full scale); -90 at least.
    #[must_use]
    pub fn take_db(&self) -> f32 {
        let peak = f32::from_bits(self.0.swap(0, Relaxed));
        (20.0 * peak.max(1e-6).log10()).max(-90.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_is_the_loudest_since_the_last_look() {
        let level = Level::default();
        for peak in [0.1, 0.5, 0.2] {
            level.raise(peak);
        }
        assert!((level.take_db() + 6.02).abs() < 0.01);
        assert_eq!(level.take_db(), -90.0);
    }
}
