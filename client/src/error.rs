//! What can go wrong for a client, and what each means for the exit code and the person.

use std::{io, path::PathBuf};

use interpret_models::{ModelError, language::UnknownLanguage};
use interpretd::engines::{LoadError, LoadFailure};
use tonic::{Code, Status};

use crate::{
    audio::AudioError,
    device::DeviceError,
    evaluation::{LogError, ManifestError},
    exit_status::ExitStatus,
};

/// Metadata key under which the daemon says, for programs, why it refuses.
pub const REASON_KEY: &str = "interpret-reason";

/// Why a client's work failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The input.
    #[error(transparent)]
    Audio(#[from] AudioError),
    /// A microphone or loudspeaker.
    #[error(transparent)]
    Device(#[from] DeviceError),
    /// A language that is none.
    #[error(transparent)]
    UnknownLanguage(#[from] UnknownLanguage),
    /// The list of recordings to evaluate.
    #[error(transparent)]
    Manifest(#[from] ManifestError),
    /// An event log to score.
    #[error(transparent)]
    Log(#[from] LogError),
    /// A model that is not there or cannot be used.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// A model failed to run in this process.
    #[error("a model failed: {0}")]
    Engine(String),
    /// The command line contradicts itself or names something impossible.
    #[error("{0}")]
    Usage(String),
    /// Nobody answers.
    #[error("cannot reach interpretd at {address}")]
    Unreachable {
        /// Where.
        address: String,
        /// What the transport says.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The daemon refuses, or gives up, and says why.
    #[error("{message}")]
    Refused {
        /// Why, for programs.
        reason: Reason,
        /// Why, for people; from the daemon.
        message: String,
    },
    /// The daemon within this process cannot load its models.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The connection was lost, or the call failed without a reason.
    #[error("the session broke in the middle: {message}")]
    Broken {
        /// What the transport says.
        message: String,
        /// The whole status.
        source: Box<Status>,
    },
    /// The daemon broke the protocol.
    #[error("the daemon broke the protocol: {0}")]
    Protocol(String),
    /// The daemon shut down before the input was finished.
    #[error("the daemon shut down in the middle of the session")]
    ShutDown,
    /// A file cannot be written.
    #[error("cannot write {}", path.display())]
    Output {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The terminal or pipe cannot be written.
    #[error("cannot write to standard output")]
    Stdout(#[source] io::Error),
    /// The person pressed Ctrl-C.
    #[error("interrupted")]
    Interrupted,
}

/// Why the daemon refuses: the values of [`REASON_KEY`], or, where it is absent, what the status
/// code implies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// `unknown-language`
    UnknownLanguage,
    /// `no-model`
    NoModel,
    /// `model-missing`
    ModelMissing,
    /// `model-corrupt`
    ModelCorrupt,
    /// `bad-config`
    BadConfig,
    /// `bad-audio`
    BadAudio,
    /// `full`
    Full,
    /// `loading`
    Loading,
    /// `shutting-down`
    ShuttingDown,
    /// `engine-failed`
    EngineFailed,
    /// `room-taken`
    RoomTaken,
    /// `no-room`
    NoRoom,
    /// `unauthenticated`
    Unauthenticated,
    /// `quota`
    Quota,
    /// `not-allowed`
    NotAllowed,
    /// `no-session`
    NoSession,
}

impl Reason {
    fn of(status: &Status) -> Option<Self> {
        let said = status
            .metadata()
            .get(REASON_KEY)
            .and_then(|v| v.to_str().ok());
        match said {
            Some("unknown-language") => return Some(Self::UnknownLanguage),
            Some("no-model") => return Some(Self::NoModel),
            Some("model-missing") => return Some(Self::ModelMissing),
            Some("model-corrupt") => return Some(Self::ModelCorrupt),
            Some("bad-config") => return Some(Self::BadConfig),
            Some("bad-audio") => return Some(Self::BadAudio),
            Some("loading") => return Some(Self::Loading),
            Some("full") => return Some(Self::Full),
            Some("shutting-down") => return Some(Self::ShuttingDown),
            Some("engine-failed") => return Some(Self::EngineFailed),
            Some("room-taken") => return Some(Self::RoomTaken),
            Some("no-room") => return Some(Self::NoRoom),
            Some("unauthenticated") => return Some(Self::Unauthenticated),
            Some("quota") => return Some(Self::Quota),
            Some("not-allowed") => return Some(Self::NotAllowed),
            Some("no-session") => return Some(Self::NoSession),
            Some(other) => tracing::debug!(other, "a reason newer than this client"),
            None => {}
        }
        match status.code() {
            Code::InvalidArgument => Some(Self::BadConfig),
            Code::NotFound => Some(Self::NoModel),
            Code::ResourceExhausted => Some(Self::Full),
            Code::Unauthenticated => Some(Self::Unauthenticated),
            Code::PermissionDenied => Some(Self::NotAllowed),
            _ => None,
        }
    }
}

impl From<Status> for ClientError {
    fn from(status: Status) -> Self {
        match Reason::of(&status) {
            Some(reason) => Self::Refused {
                reason,
                message: status.message().to_owned(),
            },
            None => Self::Broken {
                message: described(&status),
                source: Box::new(status),
            },
        }
    }
}

/// A status without a message still has a code.
fn described(status: &Status) -> String {
    if status.message().is_empty() {
        status.code().description().to_owned()
    } else {
        status.message().to_owned()
    }
}

/// The exit code of a daemon within this process that cannot load its models.
fn load_status(error: &LoadError) -> ExitStatus {
    match error {
        LoadError::Model(error) => model_status(error),
        _ if error.failure() == LoadFailure::Corrupt => ExitStatus::ModelCorrupt,
        _ => ExitStatus::Unexpected,
    }
}

/// The exit code of a failure between a model's name and its files.
#[must_use]
pub fn model_status(error: &ModelError) -> ExitStatus {
    match error {
        ModelError::UnknownModel { .. } => ExitStatus::Usage,
        ModelError::NoSuchModel { .. } => ExitStatus::NoModelForPair,
        ModelError::NotInstalled { .. } => ExitStatus::ModelMissing,
        ModelError::Corrupt { .. } => ExitStatus::ModelCorrupt,
        ModelError::Unreachable { .. } | ModelError::HashMismatch { .. } => {
            ExitStatus::DownloadFailed
        }
        ModelError::DiskFull { .. } => ExitStatus::OutputFailed,
        ModelError::Interrupted => ExitStatus::Interrupted,
        ModelError::Catalogue { .. } | ModelError::Import { .. } | ModelError::NoCacheFolder => {
            ExitStatus::Usage
        }
        ModelError::Io { .. } => ExitStatus::Unexpected,
        ModelError::Several(errors) => errors.first().map_or(ExitStatus::Unexpected, model_status),
    }
}

impl ClientError {
    /// The exit code that says it.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        match self {
            Self::Audio(error) => match error {
                AudioError::Read { .. } => ExitStatus::InputUnreadable,
                AudioError::NotAudio { .. }
                | AudioError::NoAudioTrack { .. }
                | AudioError::UnsupportedCodec { .. } => ExitStatus::InputNotAudio,
                AudioError::Empty { .. } => ExitStatus::InputEmpty,
                AudioError::Truncated { .. } | AudioError::Damaged { .. } => {
                    ExitStatus::InputTruncated
                }
            },
            Self::Device(_) => ExitStatus::DeviceFailed,
            Self::UnknownLanguage(_) => ExitStatus::UnknownLanguage,
            Self::Manifest(error) => match error {
                ManifestError::Read { .. } => ExitStatus::InputUnreadable,
                ManifestError::Language { .. } => ExitStatus::UnknownLanguage,
                ManifestError::NoColumn { .. }
                | ManifestError::Empty { .. }
                | ManifestError::NoAudio { .. } => ExitStatus::Usage,
            },
            Self::Log(_) => ExitStatus::InputUnreadable,
            Self::Model(error) => model_status(error),
            Self::Engine(_) => ExitStatus::Unexpected,
            Self::Usage(_) => ExitStatus::Usage,
            Self::Unreachable { .. } => ExitStatus::ServerUnreachable,
            Self::Refused { reason, .. } => match reason {
                Reason::UnknownLanguage => ExitStatus::UnknownLanguage,
                Reason::NoModel => ExitStatus::NoModelForPair,
                Reason::ModelMissing => ExitStatus::ModelMissing,
                Reason::ModelCorrupt => ExitStatus::ModelCorrupt,
                Reason::BadConfig => ExitStatus::Usage,
                Reason::Full
                | Reason::Loading
                | Reason::ShuttingDown
                | Reason::RoomTaken
                | Reason::NoRoom
                | Reason::Unauthenticated
                | Reason::Quota
                | Reason::NotAllowed
                | Reason::NoSession => ExitStatus::ServerRefused,
                Reason::BadAudio | Reason::EngineFailed => ExitStatus::SessionFailed,
            },
            Self::Load(error) => load_status(error),
            Self::Broken { .. } | Self::Protocol(_) | Self::ShutDown => ExitStatus::SessionFailed,
            Self::Output { .. } => ExitStatus::OutputFailed,
            Self::Stdout(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitStatus::Ok,
            Self::Stdout(_) => ExitStatus::OutputFailed,
            Self::Interrupted => ExitStatus::Interrupted,
        }
    }

    /// Whether the network failed, and may be back soon.
    #[must_use]
    pub fn is_connection_loss(&self) -> bool {
        match self {
            Self::Unreachable { .. } => true,
            Self::Broken { source, .. } => {
                matches!(
                    source.code(),
                    Code::Unavailable | Code::Unknown | Code::Cancelled
                )
            }
            _ => false,
        }
    }

    /// What the person can do about it.
    #[must_use]
    pub fn advice(&self) -> Option<String> {
        let advice = match self {
            Self::Audio(error) => match error {
                AudioError::Read { .. } => "check that the path is right and that you may read it",
                AudioError::NotAudio { .. } | AudioError::NoAudioTrack { .. } => {
                    "give a WAV, FLAC, MP3, Ogg Vorbis or M4A file"
                }
                AudioError::UnsupportedCodec { .. } => {
                    "convert it first, for example: ffmpeg -i INPUT OUTPUT.flac"
                }
                AudioError::Empty { .. } => "record it again; the file has no samples",
                AudioError::Truncated { .. } | AudioError::Damaged { .. } => {
                    "copy or download the file again; what it holds was used as far as it goes"
                }
            },
            Self::Device(error) => return Some(error.advice()),
            Self::UnknownLanguage(_) => "`interpret languages` lists what is ready to use",
            Self::Manifest(ManifestError::Language { .. }) => {
                "write languages as ISO 639-1 codes, such as fr"
            }
            Self::Manifest(_) => {
                "give a table with tabs between its columns and, in its first line, their names: \
                 audio, language, transcript, target_language, reference"
            }
            Self::Log(_) => "give the folder that a run with --report has written",
            Self::Engine(_) => "`interpret models verify` finds damaged files",
            Self::Unreachable { .. } => {
                "start `interpretd`, or leave --server out to interpret within this process"
            }
            Self::Refused { reason, .. } => match reason {
                Reason::UnknownLanguage | Reason::NoModel => {
                    "`interpret languages` lists what is ready, `interpret models list` what can \
                     be fetched"
                }
                Reason::ModelMissing => "`interpret models fetch` fetches the default models",
                Reason::ModelCorrupt => {
                    "`interpret models verify` finds the damaged file, `interpret models fetch` \
                     replaces it"
                }
                Reason::BadConfig => "`interpret voices` lists voices, --help the choices",
                Reason::Loading => "wait until the daemon has loaded its models",
                Reason::Full => "wait until a session ends, or use another daemon",
                Reason::ShuttingDown => "wait until the daemon is up again",
                Reason::BadAudio | Reason::EngineFailed => "the daemon's log says more",
                Reason::RoomTaken => "choose another name, or wait until that session ends",
                Reason::Unauthenticated => "give the daemon's token with --token-file",
                Reason::Quota => "wait, or ask whoever runs the daemon for a larger quota",
                Reason::NotAllowed => "use another room, or ask whoever runs the daemon",
                Reason::NoSession => "open a new session",
                Reason::NoRoom => "wait until somebody speaks there, and check the name",
            },
            // Their messages say what to run.
            Self::Load(_) | Self::Model(_) => return None,
            Self::Broken { .. } | Self::Protocol(_) => "the daemon's log says more",
            Self::Output { source, .. } if source.kind() == io::ErrorKind::StorageFull => {
                "free some space on that disk; the other outputs are complete"
            }
            Self::Output { .. } => "check that the folder is there and that you may write in it",
            Self::Usage(_) | Self::ShutDown | Self::Stdout(_) | Self::Interrupted => return None,
        };
        Some(advice.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_daemons_word_goes_before_the_status_code() {
        let mut status = Status::not_found("checksum of opus-mt-fr-en differs");
        status
            .metadata_mut()
            .insert(REASON_KEY, "model-corrupt".parse().unwrap());
        assert_eq!(
            ClientError::from(status).exit_status(),
            ExitStatus::ModelCorrupt
        );
    }

    #[test]
    fn without_a_reason_the_status_code_decides() {
        for (status, exit) in [
            (Status::invalid_argument("x"), ExitStatus::Usage),
            (Status::not_found("x"), ExitStatus::NoModelForPair),
            (Status::resource_exhausted("x"), ExitStatus::ServerRefused),
            (Status::unavailable("x"), ExitStatus::SessionFailed),
            (Status::internal("x"), ExitStatus::SessionFailed),
        ] {
            let code = status.code();
            assert_eq!(ClientError::from(status).exit_status(), exit, "{code:?}");
        }
    }
}
