//! What can be wrong with an audio file.

use std::{io, path::PathBuf, time::Duration};

/// Why a file cannot be heard, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum AudioError {
    /// The file cannot be opened or read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// No known audio format.
    #[error("{} is not an audio file: {reason}", path.display())]
    NotAudio {
        /// The file.
        path: PathBuf,
        /// What was found in place of audio.
        reason: String,
    },
    /// A media file without sound.
    #[error("{} has no audio track ({format} file)", path.display())]
    NoAudioTrack {
        /// The file.
        path: PathBuf,
        /// The container.
        format: String,
    },
    /// Sound in a codec that this build cannot decode.
    #[error("{} holds {codec} audio, which this build cannot decode", path.display())]
    UnsupportedCodec {
        /// The file.
        path: PathBuf,
        /// The codec, or what the decoder says.
        codec: String,
    },
    /// Audio of no length.
    #[error("{} holds no sound: 0 samples", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file ends before its sound does.
    #[error(
        "{} is cut short: it holds {}{}",
        path.display(),
        seconds(*had),
        promised.map_or_else(String::new, |d| format!(" of the {} its header promises", seconds(d)))
    )]
    Truncated {
        /// The file.
        path: PathBuf,
        /// Sound that was there.
        had: Duration,
        /// Sound that the header promises, where it tells.
        promised: Option<Duration>,
    },
    /// The file is damaged at one place and cannot be read on.
    #[error("{} is damaged after {}: {reason}", path.display(), seconds(*had))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// Sound before the damage.
        had: Duration,
        /// What the decoder says.
        reason: String,
    },
}

/// "12.3 s".
fn seconds(duration: Duration) -> String {
    format!("{:.1} s", duration.as_secs_f64())
}
