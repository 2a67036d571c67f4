//! Where a session's requests come from and its responses go to.

use std::{sync::Arc, time::Duration};

use interpret_proto::v1::{InterpretRequest, InterpretResponse};
use tokio::{sync::mpsc, time::timeout};
use tonic::{Status, Streaming};

use super::{Refusal, link::Link};

/// Requests of a session's client.
pub(crate) enum Requests {
    /// Of one connection, with which the session ends.
    Stream(Box<Streaming<InterpretRequest>>),
    /// Of whichever connection a [`Link`] has.
    Link(mpsc::Receiver<InterpretRequest>),
}

impl Requests {
    /// The next one. None: the client has closed its stream.
    pub(super) async fn next(&mut self) -> Result<Option<InterpretRequest>, Status> {
        match self {
            Self::Stream(stream) => stream.message().await,
            Self::Link(requests) => Ok(requests.recv().await),
        }
    }
}

/// Responses to a session's client.
#[derive(Debug, Clone)]
pub(crate) enum Responses {
    /// Over one connection, with which the session ends.
    Stream(mpsc::Sender<Result<InterpretResponse, Status>>),
    /// Over whichever connection a [`Link`] has.
    Link(Arc<Link>),
}

impl Responses {
    /// Whether the client may come back.
    pub(super) fn are_kept(&self) -> bool {
        matches!(self, Self::Link(_))
    }

    /// Waits for a client that reads slowly, but not for ever.
    pub(super) async fn send(
        &self,
        response: InterpretResponse,
        within: Duration,
    ) -> Result<(), Status> {
        let unread = || {
            let seconds = within.as_secs();
            Status::from(Refusal::Unread(format!(
                "the client has read nothing for {seconds} seconds"
            )))
        };
        match self {
            Self::Link(link) => link.send(response, within).await.map_err(|()| unread()),
            Self::Stream(stream) => match timeout(within, stream.send(Ok(response))).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(_)) => Err(Status::cancelled("the client is gone")),
                Err(_) => Err(unread()),
            },
        }
    }

    /// Waits until the client is gone for good.
    pub(super) async fn gone(&self) {
        match self {
            Self::Stream(stream) => stream.closed().await,
            Self::Link(link) => link.abandoned().await,
        }
    }

    /// Tells the client how the session ended.
    pub(crate) fn end(&self, outcome: Result<(), Status>) {
        match (self, outcome) {
            (Self::Link(link), outcome) => link.end(outcome),
            // Fails when the client is gone or reads nothing: then it cannot be told.
            (Self::Stream(stream), Err(status)) => drop(stream.try_send(Err(status))),
            (Self::Stream(_), Ok(())) => {}
        }
    }
}
