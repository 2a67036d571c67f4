//! The line to the daemon: sessions one after the other, from one microphone.

use std::time::Duration;

use interpret_models::Language;
use interpret_proto::v1::{ListLanguagesRequest, Mode};

use crate::{
    audio::Pace,
    connect::{Connection, Endpoint, connect},
    device::MicrophoneStream,
    error::{ClientError, Reason},
    session::{Config, Session, Shift},
};

/// A network that is away longer than this is not waited for. The microphone's queue holds a minute.
const RECONNECT_WITHIN: Duration = Duration::from_secs(30);
/// How often a daemon that is away is tried.
const TRY_EVERY: Duration = Duration::from_secs(1);

/// How often a session is asked for while the one before still ends.
const MOST_TRIES: u32 = 10;

/// Whether the daemon refuses only because of a session that is about to end: after a lost
/// connection it may hold our own for a while.
fn is_taken(error: &ClientError) -> bool {
    matches!(
        error,
        ClientError::Refused {
            reason: Reason::Full | Reason::RoomTaken | Reason::ShuttingDown,
            ..
        }
    )
}

/// Where sessions come from, and what the next one is to be.
#[derive(Debug)]
pub(in crate::commands) struct Line {
    endpoint: Endpoint,
    connection: Connection,
    config: Config,
    audio: MicrophoneStream,
    /// Languages that the one spoken can be interpreted into; none known where it is detected.
    reachable: Vec<Language>,
    began: Option<tokio::time::Instant>,
}

impl Line {
    pub(super) async fn connect(
        endpoint: Endpoint,
        config: Config,
        audio: MicrophoneStream,
    ) -> Result<Self, ClientError> {
        let connection = connect(&endpoint).await?;
        let pairs = connection
            .interpreter()
            .list_languages(ListLanguagesRequest {})
            .await?
            .into_inner()
            .pairs;
        let spoken = config.spoken().map(|language| language.to_string());
        let reachable = pairs
            .iter()
            .filter(|pair| spoken.as_ref() == Some(&pair.source))
            .filter_map(|pair| pair.target.parse().ok())
            .collect();
        Ok(Self {
            endpoint,
            connection,
            config,
            audio,
            reachable,
            began: None,
        })
    }

    /// Opens the next session; `shift` is what puts it after the ones before.
    pub(in crate::commands) async fn open(
        &mut self,
        shift: &mut Shift,
    ) -> Result<Session, ClientError> {
        let taken_ms = self.audio.taken_ms();
        let mut left = MOST_TRIES;
        let session = loop {
            let opened = Session::open(
                self.connection.clone(),
                self.config.clone(),
                self.audio.clone(),
                Pace::Device,
            );
            match opened.await {
                // The session before has ended for us, and is about to for the daemon.
                Err(error) if is_taken(&error) && self.began.is_some() && left > 0 => {
                    left -= 1;
                    tokio::time::sleep(TRY_EVERY / 5).await;
                }
                outcome => break outcome?,
            }
        };
        let began = *self.began.get_or_insert(session.zero());
        let since = session.zero().saturating_duration_since(began);
        shift.wall_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        shift.source_ms = taken_ms;
        Ok(session)
    }

    /// Connects again and opens a session, for as long as it is worth waiting.
    pub(in crate::commands) async fn reopen(
        &mut self,
        shift: &mut Shift,
    ) -> Result<Session, ClientError> {
        let until = tokio::time::Instant::now() + RECONNECT_WITHIN;
        loop {
            let opened = match connect(&self.endpoint).await {
                Ok(connection) => {
                    self.connection = connection;
                    self.open(shift).await
                }
                Err(error) => Err(error),
            };
            match opened {
                Err(error)
                    if (error.is_connection_loss() || is_taken(&error))
                        && tokio::time::Instant::now() < until =>
                {
                    tracing::debug!(%error, "not back yet");
                    tokio::time::sleep(TRY_EVERY).await;
                }
                outcome => return outcome,
            }
        }
    }

    /// Whether a connection that is lost can come back: a daemon in this process cannot.
    pub(in crate::commands) fn can_come_back(&self) -> bool {
        !matches!(self.endpoint, Endpoint::InProcess(_))
    }

    /// The next session takes the next mode; returns what to tell the person.
    pub(in crate::commands) fn next_mode(&mut self) -> String {
        let (mode, name) = match self.config.mode_asked() {
            Mode::LowLatency => (Mode::Balanced, "balanced"),
            Mode::Balanced | Mode::Unspecified => (Mode::Accurate, "accurate"),
            Mode::Accurate => (Mode::LowLatency, "low-latency"),
        };
        self.config = self.config.clone().mode(mode);
        format!("from the next words on: {name}")
    }

    /// The next session interprets into the next language; returns what to tell the person, or none
    /// if there is no other.
    pub(in crate::commands) fn next_target(&mut self) -> Option<String> {
        let targets: Vec<Language> = self.config.languages().collect();
        let [now] = targets[..] else {
            return None;
        };
        let at = self
            .reachable
            .iter()
            .position(|language| *language == now)?;
        let next = *self.reachable.get((at + 1) % self.reachable.len())?;
        if next == now {
            return None;
        }
        self.config = self.config.clone().retarget(next);
        Some(format!("from the next words on: {}", next.name()))
    }
}
