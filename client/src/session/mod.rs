//! One speaker's session with a daemon, for any program.
//!
//! ```no_run
//! use interpret::{
//!     audio::{AudioFile, Pace},
//!     connect::connect,
//!     session::{Config, Event, Session, Source, Target},
//! };
//!
//! # async fn example() -> Result<(), interpret::ClientError> {
//! let connection = connect(&"localhost:50051".parse()?).await?;
//! let config = Config::new(Source::Language("fr".parse()?)).target(Target::new("en".parse()?));
//! let audio = AudioFile::open("talk.flac")?.into_stream();
//! let mut session = Session::open(connection, config, audio, Pace::RealTime).await?;
//! while let Some(received) = session.next().await? {
//!     if let Event::TranslatedText(text) = &received.event {
//!         print!("{}", text.committed);
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! Queues are bounded: audio that the daemon does not take makes the sender wait, and responses
//! that the program does not take make the daemon wait (HTTP/2 flow control, both ways).

mod config;
mod downlink;
mod heard;
mod link;
mod listening;
mod order;
mod send;
mod shift;
mod uplink;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use futures_util::{Stream, StreamExt as _, future::BoxFuture, stream::BoxStream};
use interpret_models::Language;
use interpret_proto::v1::{
    self, InterpretRequest, InterpretResponse, SessionStarted, control::Control,
    interpret_request::Request,
};
use interpretd::audio::{ChunkEncoder, Encoding};
use tokio::{sync::mpsc, task::JoinHandle, time::Instant};
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::{CancellationToken, DropGuard};
use tonic::Streaming;

pub use config::{Codec, Config, Source, Target};
pub use interpret_proto::v1::{Mode, interpret_response::Response as Event};
pub use link::{Link, LinkWatch};
pub use listening::Listening;
pub use send::Sent;
pub use shift::Shift;

use self::{
    downlink::{Downlink, Resumable},
    heard::Heard,
    order::Order,
    uplink::News,
};
use crate::{
    audio::{AudioError, Pace, Pacer, source_ms},
    connect::Connection,
    error::ClientError,
};

/// Requests between the pacing task and the connection. Full: the pacing task waits.
const REQUESTS_QUEUED: usize = 8;

/// Between the end of what is sent and that of the connection: more than the time in which a daemon takes
/// both together for a loss (.25 s).
const GOODBYE: std::time::Duration = std::time::Duration::from_millis(400);

/// An event and when it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Received {
    /// Wall milliseconds since the instant of the first sample of source audio. Minus a source
    /// time, this is latency. `SessionStarted` comes before that instant: it is 0 or negative.
    pub at_ms: i64,
    /// What came.
    pub event: Event,
}

/// An open session. Dropping it cancels the call.
///
/// Opening and what comes are boxed: their code is made once, in this crate, and not again in each program that
/// awaits them.
#[derive(Debug)]
pub struct Session {
    responses: Downlink,
    started: SessionStarted,
    /// Decodes the audio that comes.
    heard: Heard,
    /// `SessionStarted`, until it has been given out.
    first: Option<Received>,
    zero: Instant,
    order: Order,
    finish: CancellationToken,
    /// Dropping the session stops its sender, which takes no more of the audio then.
    _stop: DropGuard,
    sent: Arc<AtomicU64>,
    sender: JoinHandle<Sent>,
    /// For what is asked in mid-session; gone when the sender has closed the stream.
    controls: mpsc::WeakSender<InterpretRequest>,
    compressed: bool,
    /// Dropping it ends the uplink.
    _uplink: mpsc::Sender<News>,
}

impl Session {
    /// Opens a session and starts sending `audio` (mono, 16 kHz, full scale +-1, pieces of any
    /// size) once the daemon is ready. When the audio ends, or yields an error, the request stream
    /// is half-closed and the daemon flushes.
    ///
    /// # Errors
    ///
    /// Where the daemon refuses the session or cannot be reached.
    pub async fn open<A>(
        connection: Connection,
        config: Config,
        audio: A,
        pace: Pace,
    ) -> Result<Self, ClientError>
    where
        A: Stream<Item = Result<Vec<f32>, AudioError>> + Send + 'static,
    {
        Self::open_boxed(connection, config, audio.boxed(), pace).await
    }

    fn open_boxed(
        connection: Connection,
        config: Config,
        audio: BoxStream<'static, Result<Vec<f32>, AudioError>>,
        pace: Pace,
    ) -> BoxFuture<'static, Result<Self, ClientError>> {
        Box::pin(async move {
            let (requests, queued) = mpsc::channel(REQUESTS_QUEUED);
            let controls = requests.downgrade();
            let compressed = config.is_compressed();
            let format = config.format();
            let length_ms = match format.encoding {
                Encoding::Opus => send::PACKET_MS,
                _ => send::CHUNK_MS,
            };
            let encoder = ChunkEncoder::new(format, length_ms)
                .map_err(|error| ClientError::Usage(error.to_string()))?;
            let resumable = config.is_resumable();
            let opening = InterpretRequest {
                request: Some(Request::Config(config.into_message(pace)?)),
            };
            let (out, waiting) = mpsc::channel(REQUESTS_QUEUED);
            // The queue is new and empty: this cannot wait.
            let _ = out.send(opening).await;
            let responses = connection
                .interpreter()
                .interpret(ReceiverStream::new(waiting))
                .await?
                .into_inner();

            let mut responses = Downlink::new(responses);
            let mut order = Order::default();
            let event = responses.next().await?;
            let arrived = Instant::now();
            order.check(event.as_ref())?;
            let Some(Event::SessionStarted(mut started)) = event else {
                return Err(ClientError::Protocol(
                    "no SessionStarted came first".to_owned(),
                ));
            };

            let (news, told) = mpsc::channel(1);
            // Cannot fail: the channel is new and empty.
            let _ = news.try_send(News::Connected(out, 0));
            let resumable = resumable && !started.resume_token.is_empty();
            tokio::spawn(uplink::run(queued, told, resumable));
            let kept_alive = news.clone();
            if resumable {
                responses.set_resumable(Resumable {
                    connection,
                    token: started.resume_token.clone(),
                    last: 1,
                    acknowledged: 0,
                    news,
                    controls: controls.clone(),
                });
            }
            let heard = Heard::new(&mut started)?;
            let pacer = Pacer::start(pace);
            let zero = pacer.started();
            let finish = CancellationToken::new();
            let sent = Arc::new(AtomicU64::new(0));
            let sender = tokio::spawn(send::send_audio(
                audio,
                pacer,
                encoder,
                requests,
                finish.clone(),
                Arc::clone(&sent),
            ));
            Ok(Self {
                responses,
                first: Some(Received {
                    at_ms: millis_between(zero, arrived),
                    event: Event::SessionStarted(started.clone()),
                }),
                started,
                heard,
                zero,
                order,
                _stop: finish.clone().drop_guard(),
                finish,
                sent,
                sender,
                controls,
                compressed,
                _uplink: kept_alive,
            })
        })
    }

    /// What the daemon serves: targets with voices and audio formats filled in.
    #[must_use]
    pub fn started(&self) -> &SessionStarted {
        &self.started
    }

    /// The next event; `None` after `SessionEnded`. Safe to cancel.
    ///
    /// # Errors
    ///
    /// Where the connection is lost and the session is not [resumable](Config::resumable), or cannot go
    /// on within 30 seconds; where the daemon ends the call with an error, or breaks the protocol. No
    /// further event comes after an error.
    pub async fn next(&mut self) -> Result<Option<Received>, ClientError> {
        self.next_boxed().await
    }

    fn next_boxed(&mut self) -> BoxFuture<'_, Result<Option<Received>, ClientError>> {
        Box::pin(async move {
            if let Some(first) = self.first.take() {
                return Ok(Some(first));
            }
            let event = match self.responses.next().await {
                Err(error) if self.order.has_ended() => {
                    tracing::debug!(%error, "the stream closed with an error after its proper end");
                    None
                }
                outcome => outcome?,
            };
            self.order.check(event.as_ref())?;
            let at_ms = millis_between(self.zero, Instant::now());
            let event = event.map(|event| self.heard.decoded(event)).transpose()?;
            Ok(event.map(|event| Received { at_ms, event }))
        })
    }

    /// Watches the connection: where the session is resumable, [`next`](Self::next) only waits while it is
    /// lost, which a person would want to know.
    #[must_use]
    pub fn link(&self) -> LinkWatch {
        LinkWatch::new(self.responses.link())
    }

    /// The instant of the first sample.
    #[must_use]
    pub fn zero(&self) -> Instant {
        self.zero
    }

    /// Wall milliseconds since the first sample, now.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        millis_between(self.zero, Instant::now())
    }

    /// Milliseconds of audio handed to the connection so far.
    #[must_use]
    pub fn sent_ms(&self) -> u64 {
        source_ms(self.sent.load(Ordering::Relaxed))
    }

    /// Asks to interpret into one more language from here on. A `SessionChanged` or a `Notice` says
    /// what became of it.
    pub async fn add_target(&self, target: Target) {
        let target = Some(target.into_message(self.compressed));
        self.control(Control::AddTarget(v1::AddTarget { target }))
            .await;
    }

    /// Asks to interpret into one language less; answered as [`add_target`](Self::add_target) is.
    pub async fn remove_target(&self, language: Language) {
        let language = language.to_string();
        self.control(Control::RemoveTarget(v1::RemoveTarget { language }))
            .await;
    }

    /// Replaces the glossary and the hot words; answered as [`add_target`](Self::add_target) is.
    pub async fn set_glossary(&self, glossary: Vec<v1::GlossaryTerm>, hot_words: Vec<String>) {
        self.control(Control::SetGlossary(v1::SetGlossary {
            glossary,
            hot_words,
        }))
        .await;
    }

    /// Ends the utterance now, as a long pause would.
    pub async fn end_utterance(&self) {
        self.control(Control::EndUtterance(v1::EndUtterance {}))
            .await;
    }

    async fn control(&self, control: Control) {
        // Once the stream is closed there is nothing more to change.
        if let Some(requests) = self.controls.upgrade() {
            let control = Some(control);
            let request = Some(Request::Control(v1::Control { control }));
            let _ = requests.send(InterpretRequest { request }).await;
        }
    }

    /// Sends no more audio: half-closes the request stream, so that the daemon flushes what it
    /// has heard. Events keep coming until `SessionEnded`.
    pub fn finish(&self) {
        self.finish.cancel();
    }

    /// Ends the session, cleanly or not, and tells what became of the audio.
    pub async fn close(self) -> Sent {
        self.finish.cancel();
        // A daemon keeps a resumable session whose connection breaks; one that was closed in order, it ends.
        let leaves = self.responses.is_resumable() && !self.order.has_ended();
        let connection = leaves.then_some(self.responses);
        let sent = self.sender.await.unwrap_or_else(|error| {
            tracing::error!(%error, "the sending task died");
            Sent::default()
        });
        if leaves {
            tokio::time::sleep(GOODBYE).await;
        }
        drop(connection);
        sent
    }
}

/// The next response that this client knows; newer kinds are passed over.
async fn next_event(
    responses: &mut Streaming<InterpretResponse>,
) -> Result<Option<Event>, ClientError> {
    while let Some(message) = responses.message().await? {
        match message.response {
            Some(event) => return Ok(Some(event)),
            None => tracing::debug!("a response of a kind newer than this client"),
        }
    }
    Ok(None)
}

fn millis_between(zero: Instant, now: Instant) -> i64 {
    let millis = |duration: std::time::Duration| i64::try_from(duration.as_millis());
    match now.checked_duration_since(zero) {
        Some(after) => millis(after).unwrap_or(i64::MAX),
        None => millis(zero.saturating_duration_since(now)).map_or(i64::MIN, |before| -before),
    }
}
