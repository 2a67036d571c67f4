//! Sound from files: decoded, mixed to mono, resampled to 16 kHz, and paced.
//!
//! [`AudioFile`] is an iterator of small chunks, so that hours of audio never lie in memory.
//! [`Pace`] says how fast they are sent.

mod decode;
mod error;
mod file;
mod mixdown;
mod pace;
mod resample;

pub use error::AudioError;
pub use file::AudioFile;
pub use pace::{Pace, Pacer};
pub use resample::{ResampleFailed, Resampler};

/// Samples in one chunk from [`AudioFile`]: 40 ms at 16 kHz.
pub const CHUNK_SAMPLES: usize = 640;

/// Milliseconds that `samples` at 16 kHz last, rounded down.
#[must_use]
pub fn source_ms(samples: u64) -> u64 {
    samples * 1000 / u64::from(interpret_models::SOURCE_SAMPLE_RATE)
}
