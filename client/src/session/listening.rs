//! Listening to somebody else's session.

use interpret_proto::v1::{InterpretResponse, ListenRequest, SessionStarted};
use tokio::time::Instant;
use tonic::Streaming;

use super::{Event, Received, heard::Heard, millis_between, next_event};
use crate::{connect::Connection, error::ClientError};

/// A seat in a room. Dropping it leaves.
#[derive(Debug)]
pub struct Listening {
    responses: Streaming<InterpretResponse>,
    started: SessionStarted,
    first: Option<Received>,
    heard: Heard,
    joined: Instant,
}

impl Listening {
    /// Joins `room` in `language` (an ISO 639-1 code; empty: the floor, as it is spoken).
    ///
    /// # Errors
    ///
    /// Where nobody speaks there, or not in that language, or the daemon cannot be reached.
    pub async fn join(
        connection: Connection,
        room: &str,
        language: &str,
        captions_only: bool,
    ) -> Result<Self, ClientError> {
        let request = ListenRequest {
            room: room.to_owned(),
            language: language.to_owned(),
            captions_only,
        };
        let mut responses = connection.interpreter().listen(request).await?.into_inner();
        let Some(Event::SessionStarted(mut started)) = next_event(&mut responses).await? else {
            return Err(ClientError::Protocol(
                "no SessionStarted came first".to_owned(),
            ));
        };
        let heard = Heard::new(&mut started)?;
        Ok(Self {
            responses,
            first: Some(Received {
                at_ms: 0,
                event: Event::SessionStarted(started.clone()),
            }),
            started,
            heard,
            joined: Instant::now(),
        })
    }

    /// How the room is served.
    #[must_use]
    pub fn started(&self) -> &SessionStarted {
        &self.started
    }

    /// The next event; its time counts from when one joined. `None` when the session is over.
    ///
    /// # Errors
    ///
    /// Where the connection is lost.
    pub async fn next(&mut self) -> Result<Option<Received>, ClientError> {
        if let Some(first) = self.first.take() {
            return Ok(Some(first));
        }
        let Some(event) = next_event(&mut self.responses).await? else {
            return Ok(None);
        };
        Ok(Some(Received {
            at_ms: millis_between(self.joined, Instant::now()),
            event: self.heard.decoded(event)?,
        }))
    }
}
