//! Why a session is refused or ended, as gRPC statuses that programs and people can read.

use tonic::{Code, Status, metadata::MetadataValue};

/// Metadata key under which a status carries its machine-readable reason.
pub const REASON_KEY: &str = "interpret-reason";

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
            | Self::NoRoom(m) => m,
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
        }
    }
}

impl From<Refusal> for Status {
    fn from(refusal: Refusal) -> Self {
        let (code, reason) = refusal.code();
        let mut status = Self::new(code, refusal.message());
        status
            .metadata_mut()
            .insert(REASON_KEY, MetadataValue::from_static(reason));
        status
    }
}
