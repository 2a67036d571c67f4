//! Why a session is refused or ended, as gRPC statuses that programs and people can read.

use tonic::{Code, Status, metadata::MetadataValue};

use crate::{
    engines::{LoadError, LoadFailure},
    pipeline::StageFailed,
};

/// Metadata key under which a status carries its machine-readable reason.
pub const REASON_KEY: &str = "interpret-reason";
/// Metadata key under which a status says after how many milliseconds to try again (gRFC A6).
pub const RETRY_KEY: &str = "grpc-retry-pushback-ms";
/// When a daemon that is full may have room again: the time over which its load is measured.
const FULL_RETRY_MS: u32 = 10_000;
/// When a daemon that loads its models, or starts anew, may be ready.
const LOADING_RETRY_MS: u32 = 2_000;

/// Why a session is refused or ended.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", self.message())]
pub enum Refusal {
    /// A language code that nobody knows.
    UnknownLanguage(String),
    /// No model is known for a pair.
    NoModel(String),
    /// A model is known, but not fetched.
    ModelMissing(String),
    /// A model's files are damaged.
    ModelCorrupt(String),
    /// A configuration that makes no sense.
    BadConfig(String),
    /// Audio that is not in the format it was said to be in.
    BadAudio(String),
    /// All session slots are taken.
    Full(String),
    /// The models are not loaded yet.
    Loading(String),
    /// The daemon is shutting down.
    ShuttingDown(String),
    /// An engine failed.
    EngineFailed(String),
    /// The client does not read.
    Unread(String),
    /// Another session speaks in the room.
    RoomTaken(String),
    /// Nobody speaks in the room.
    NoRoom(String),
    /// No token was shown, or a bad one.
    Unauthenticated(String),
    /// What a token allows is used up.
    Quota(String),
    /// A token is not for this.
    NotAllowed(String),
    /// There is no session to go on with.
    NoSession(String),
}

impl Refusal {
    /// The sentence for people.
    #[must_use]
    pub fn message(&self) -> &str {
        match self {
            Self::UnknownLanguage(m)
            | Self::NoModel(m)
            | Self::ModelMissing(m)
            | Self::ModelCorrupt(m)
            | Self::BadConfig(m)
            | Self::BadAudio(m)
            | Self::Full(m)
            | Self::Loading(m)
            | Self::ShuttingDown(m)
            | Self::EngineFailed(m)
            | Self::Unread(m)
            | Self::RoomTaken(m)
            | Self::NoRoom(m)
            | Self::Unauthenticated(m)
            | Self::Quota(m)
            | Self::NotAllowed(m)
            | Self::NoSession(m) => m,
        }
    }

    /// What a model that cannot be loaded means.
    pub(crate) fn of_load(error: &LoadError) -> Self {
        let message = error.to_string();
        match error.failure() {
            LoadFailure::Unknown => Self::NoModel(message),
            LoadFailure::Missing => Self::ModelMissing(message),
            LoadFailure::Corrupt => Self::ModelCorrupt(message),
            LoadFailure::Internal => Self::EngineFailed(message),
        }
    }

    /// After how many milliseconds it is worth trying again; none: not before something is done.
    #[must_use]
    pub fn retry_after_ms(&self) -> Option<u32> {
        match self {
            Self::Full(_) => Some(FULL_RETRY_MS),
            Self::Loading(_) | Self::ShuttingDown(_) => Some(LOADING_RETRY_MS),
            _ => None,
        }
    }

    /// The gRPC code and the value of [`REASON_KEY`].
    #[must_use]
    pub fn code(&self) -> (Code, &'static str) {
        match self {
            Self::UnknownLanguage(_) => (Code::InvalidArgument, "unknown-language"),
            Self::NoModel(_) => (Code::NotFound, "no-model"),
            Self::ModelMissing(_) => (Code::NotFound, "model-missing"),
            Self::ModelCorrupt(_) => (Code::FailedPrecondition, "model-corrupt"),
            Self::BadConfig(_) => (Code::InvalidArgument, "bad-config"),
            Self::BadAudio(_) => (Code::InvalidArgument, "bad-audio"),
            Self::Full(_) => (Code::ResourceExhausted, "full"),
            Self::Loading(_) => (Code::Unavailable, "loading"),
            Self::ShuttingDown(_) => (Code::Unavailable, "shutting-down"),
            Self::EngineFailed(_) => (Code::Internal, "engine-failed"),
            Self::Unread(_) => (Code::DeadlineExceeded, "unread"),
            Self::RoomTaken(_) => (Code::AlreadyExists, "room-taken"),
            Self::NoRoom(_) => (Code::NotFound, "no-room"),
            Self::Unauthenticated(_) => (Code::Unauthenticated, "unauthenticated"),
            Self::Quota(_) => (Code::ResourceExhausted, "quota"),
            Self::NotAllowed(_) => (Code::PermissionDenied, "not-allowed"),
            Self::NoSession(_) => (Code::NotFound, "no-session"),
        }
    }
}

impl From<StageFailed> for Refusal {
    fn from(failed: StageFailed) -> Self {
        Self::EngineFailed(failed.to_string())
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let (code, reason) = refusal.code();
        let mut status = Self::new(code, refusal.message());
        let metadata = status.metadata_mut();
        metadata.insert(REASON_KEY, MetadataValue::from_static(reason));
        if let Some(ms) = refusal.retry_after_ms() {
            metadata.insert(RETRY_KEY, MetadataValue::from(ms));
        }
        status
    }
}
