//! Microphones and loudspeakers.
//!
//! ```text
//! device callback ─▶ ring ─▶ worker: 16 kHz, echo guard ─▶ session      Microphone
//! session ─▶ queue ─▶ worker: device rate ─▶ ring ─▶ device callback    Loudspeaker
//!                                                └─▶ ring ─▶ echo guard  what is being played
//! ```
//!
//! A callback runs on the sound system's own thread and must never wait: it copies samples between
//! the device and a lock-free ring and counts what went wrong, and does nothing else (no
//! allocation, lock, log or system call; `tests/callbacks.rs` proves it). All other work is done
//! by one worker thread for each device, which also opens the device, notices when it is lost, and
//! opens it again when it is back.

mod callback;
mod choose;
mod drift;
mod echo;
mod error;
mod health;
mod live_resampler;
mod loudspeaker;
mod microphone;
mod open;
mod queue;
mod reopen;
mod thread;

pub use callback::{CaptureCallback, Pick, PlaybackCallback};
pub use choose::{Choice, DeviceInfo, Direction, devices};
pub use drift::{DriftControl, Follower};
pub use echo::{EchoGuard, EchoMode, FRAME as ECHO_FRAME};
pub use error::DeviceError;
pub use health::{Health, HealthReport, Level};
pub use live_resampler::LiveResampler;
pub use loudspeaker::{Loudspeaker, LoudspeakerOptions};
pub use microphone::{Microphone, MicrophoneOptions, MicrophoneStream};

/// Something that happened to a device, for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DeviceEvent {
    /// The device is there and works.
    Opened {
        /// Which way the sound goes.
        direction: Direction,
        /// Its name.
        name: String,
    },
    /// It is gone; the rest goes on.
    Lost {
        /// Which way the sound goes.
        direction: Direction,
        /// Its name.
        name: String,
        /// What the sound system says.
        reason: String,
    },
}

impl std::fmt::Display for DeviceEvent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Opened { direction, name } => write!(f, "{direction}: {name}"),
            Self::Lost {
                direction: Direction::Input,
                name,
                reason,
            } => write!(
                f,
                "the microphone '{name}' is gone ({reason}); waiting for it to come back"
            ),
            Self::Lost {
                direction: Direction::Output,
                name,
                reason,
            } => write!(
                f,
                "the loudspeaker '{name}' is gone ({reason}); captions go on, speech is heard \
                 again when it comes back"
            ),
        }
    }
}
