//! What a session receives, over one connection after another.

use std::{fmt, pin::Pin, time::Duration};

use interpret_proto::v1::{
    Acknowledge, Control, InterpretRequest, InterpretResponse, Resume, Resumed, control,
    interpret_request::Request,
};
use tokio::{
    sync::{mpsc, watch},
    time::{Instant, timeout},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming};

use super::{Event, REQUESTS_QUEUED, link::Link, uplink::News};
use crate::{connect::Connection, error::ClientError};

/// How long a lost connection is tried again: as long as a daemon waits.
const WITHIN: Duration = Duration::from_secs(30);
/// A try that hangs is given up after so long: something between may answer while the daemon does not.
const ONE_TRY: Duration = Duration::from_secs(10);
/// How often it is tried.
const EVERY: Duration = Duration::from_millis(500);
/// Responses after which the daemon is told that they came.
const ACKNOWLEDGE: u64 = 50;

/// The responses of a session.
pub(super) struct Downlink {
    responses: Streaming<InterpretResponse>,
    /// None: the session ends with its connection.
    resumable: Option<Resumable>,
    /// A new connection on its way.
    coming: Option<Coming>,
    link: watch::Sender<Link>,
}

type Coming = Pin<Box<dyn Future<Output = Result<Resumption, ClientError>> + Send>>;

/// What it takes to go on over another connection.
#[derive(Debug, Clone)]
pub(super) struct Resumable {
    pub(super) connection: Connection,
    pub(super) token: String,
    /// Number of the last response that came.
    pub(super) last: u64,
    /// Number of the last response that the daemon knows to have come.
    pub(super) acknowledged: u64,
    /// Tells the uplink.
    pub(super) news: mpsc::Sender<News>,
    /// Where acknowledgements go.
    pub(super) controls: mpsc::WeakSender<InterpretRequest>,
}

/// A connection over which the session goes on.
struct Resumption {
    responses: Streaming<InterpretResponse>,
    resumed: Resumed,
}

impl Downlink {
    pub(super) fn new(responses: Streaming<InterpretResponse>) -> Self {
        Self {
            responses,
            resumable: None,
            coming: None,
            link: watch::Sender::new(Link::Up),
        }
    }

    /// Goes on over another connection when one is lost.
    pub(super) fn set_resumable(&mut self, resumable: Resumable) {
        self.resumable = Some(resumable);
    }

    /// Whether it goes on over another connection when one is lost.
    pub(super) fn is_resumable(&self) -> bool {
        self.resumable.is_some()
    }

    /// Tells how the connection is.
    pub(super) fn link(&self) -> watch::Receiver<Link> {
        self.link.subscribe()
    }

    /// The next event that this client knows; newer kinds are passed over. Safe to cancel.
    pub(super) async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        loop {
            if let Some(coming) = &mut self.coming {
                let outcome = coming.as_mut().await;
                self.coming = None;
                let Resumption { responses, resumed } = outcome?;
                self.responses = responses;
                self.link.send_replace(Link::Up);
                return Ok(Some(Event::Resumed(resumed)));
            }
            let message = match self.responses.message().await {
                Ok(message) => message,
                Err(status) => {
                    let error = ClientError::from(status);
                    match &self.resumable {
                        Some(resumable) if error.is_connection_loss() => {
                            tracing::info!(%error, "the connection is lost: trying to go on");
                            self.link.send_replace(Link::Lost(error.to_string()));
                            self.coming = Some(Box::pin(resumable.clone().resume(error)));
                            continue;
                        }
                        _ => return Err(error),
                    }
                }
            };
            let Some(message) = message else {
                return Ok(None);
            };
            if let Some(resumable) = &mut self.resumable {
                resumable.took(&message);
            }
            match message.response {
                Some(event) => return Ok(Some(event)),
                None => tracing::debug!("a response of a kind newer than this client"),
            }
        }
    }
}

impl Resumable {
    fn took(&mut self, message: &InterpretResponse) {
        self.last = self.last.max(message.number);
        if let Some(Event::Heartbeat(heartbeat)) = &message.response {
            // Told again a second later where the uplink is busy.
            let _ = self
                .news
                .try_send(News::Heard(heartbeat.next_audio_sequence));
        }
        if self.last >= self.acknowledged + ACKNOWLEDGE {
            let last_response = self.last;
            let acknowledge = control::Control::Acknowledge(Acknowledge { last_response });
            let request = InterpretRequest {
                request: Some(Request::Control(Control {
                    control: Some(acknowledge),
                })),
            };
            // Where the queue is full, a later one says as much.
            if let Some(controls) = self.controls.upgrade()
                && controls.try_send(request).is_ok()
            {
                self.acknowledged = last_response;
            }
        }
    }

    /// Opens a connection on which the session goes on; gives the error that made it necessary where
    /// that cannot be done.
    async fn resume(self, lost: ClientError) -> Result<Resumption, ClientError> {
        let until = Instant::now() + WITHIN;
        // Fails when the session is gone: nobody is there to be told.
        let _ = self.news.send(News::Lost).await;
        loop {
            let hangs = |_| Err(ClientError::from(Status::unavailable("no answer")));
            match timeout(ONE_TRY, self.try_once())
                .await
                .unwrap_or_else(hangs)
            {
                Ok(resumption) => return Ok(resumption),
                Err(error) if error.is_connection_loss() && Instant::now() < until => {
                    tokio::time::sleep(EVERY).await;
                }
                Err(error) => {
                    tracing::info!(%error, "the session cannot go on");
                    return Err(lost);
                }
            }
        }
    }

    async fn try_once(&self) -> Result<Resumption, ClientError> {
        let (out, waiting) = mpsc::channel(REQUESTS_QUEUED);
        let resume = Resume {
            token: self.token.clone(),
            last_response: self.last,
        };
        let opening = InterpretRequest {
            request: Some(Request::Resume(resume)),
        };
        // The queue is new and empty: this cannot wait.
        let _ = out.send(opening).await;
        let mut client = self.connection.interpreter();
        let responses = client.interpret(ReceiverStream::new(waiting)).await?;
        let mut responses = responses.into_inner();
        let first = responses
            .message()
            .await?
            .and_then(|message| message.response);
        let Some(Event::Resumed(resumed)) = first else {
            return Err(ClientError::Protocol("no Resumed came first".to_owned()));
        };
        let news = News::Connected(out, resumed.next_audio_sequence);
        // Fails when the session is gone: nobody is there to be told.
        let _ = self.news.send(news).await;
        Ok(Resumption { responses, resumed })
    }
}

impl fmt::Debug for Downlink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Downlink")
            .field("resumable", &self.resumable.is_some())
            .field("coming", &self.coming.is_some())
            .finish_non_exhaustive()
    }
}
