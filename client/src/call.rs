//! A telephone call with a daemon: both sides, each interpreted for the other.
//!
//! ```no_run
//! use interpret::{
//!     call::{Call, Event, Leg},
//!     connect::connect,
//! };
//!
//! # async fn example(frame: Vec<u8>) -> Result<(), interpret::ClientError> {
//! let connection = connect(&"localhost:50551".parse()?).await?;
//! let legs = [Leg::telephone("fr".parse()?), Leg::telephone("en".parse()?)];
//! let mut call = Call::open(&connection, legs).await?;
//! // Every 20 ms, for each leg: 160 bytes of mu-law go in, and 160 come back for its ear.
//! call.send(0, frame).await?;
//! while let Some(event) = call.next().await? {
//!     match event {
//!         Event::Audio(audio) => println!("{} bytes for leg {}", audio.data.len(), audio.leg),
//!         Event::Dtmf(key) => println!("leg {} pressed {}", key.leg, key.key),
//!         _ => {}
//!     }
//! }
//! # Ok(())
//! # }
//! ```

use interpret_models::Language;
use interpret_proto::v1::{
    AudioEncoding, AudioFormat, BargeIn, CallAudio, CallConfig, CallLeg, CallRequest, CallResponse,
    CallStarted, Mode, SetGlossary, call_request::Request,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::Streaming;

pub use interpret_proto::v1::call_response::Response as Event;

use crate::{connect::Connection, error::ClientError};

/// Pieces of audio that wait for the connection: a fifth of a second of both legs.
const PIECES: usize = 20;

/// One side of a call.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg(CallLeg);

impl Leg {
    /// A telephone: mu-law at 8 kHz, with a tone while somebody waits for an interpretation.
    #[must_use]
    pub fn telephone(language: Language) -> Self {
        Self(CallLeg {
            language: language.to_string(),
            audio_format: Some(AudioFormat {
                encoding: AudioEncoding::Mulaw.into(),
                sample_rate_hz: 8_000,
                channels: 1,
            }),
            comfort_tone: true,
            ..CallLeg::default()
        })
    }

    /// The same with audio in another format.
    #[must_use]
    pub fn format(mut self, format: AudioFormat) -> Self {
        self.0.audio_format = Some(format);
        self
    }

    /// Hears the other side in this voice, as `ListVoices` names it.
    #[must_use]
    pub fn voice(mut self, name: impl Into<String>) -> Self {
        self.0.voice = name.into();
        self
    }

    /// Hears the other side's translation so fast, in percent of the voice's own speed: 50 to 150.
    #[must_use]
    pub fn speed_percent(mut self, percent: u32) -> Self {
        self.0.speed_percent = percent;
        self
    }

    /// Hears the other side's own voice, too, so loud (0 to 100 percent).
    #[must_use]
    pub fn original(mut self, percent: u32) -> Self {
        self.0.original_percent = percent;
        self
    }

    /// What becomes of the translation that is heard here when this side begins to speak.
    #[must_use]
    pub fn barge_in(mut self, barge_in: BargeIn) -> Self {
        self.0.barge_in = barge_in.into();
        self
    }
}

/// An open call. Dropping it cancels the call.
#[derive(Debug)]
pub struct Call {
    requests: Option<mpsc::Sender<CallRequest>>,
    responses: Streaming<CallResponse>,
    started: CallStarted,
    /// Numbers of the next pieces.
    next: [u64; 2],
}

impl Call {
    /// Opens a call in the daemon's default mode, without a glossary or hot words.
    ///
    /// # Errors
    ///
    /// Where the daemon refuses the call or cannot be reached.
    pub async fn open(connection: &Connection, legs: [Leg; 2]) -> Result<Self, ClientError> {
        Self::open_with(connection, legs, Mode::Unspecified, SetGlossary::default()).await
    }

    /// Opens a call.
    ///
    /// # Errors
    ///
    /// As [`open`](Self::open).
    pub async fn open_with(
        connection: &Connection,
        legs: [Leg; 2],
        mode: Mode,
        terms: SetGlossary,
    ) -> Result<Self, ClientError> {
        let (requests, waiting) = mpsc::channel(PIECES);
        let config = CallConfig {
            legs: legs.map(|leg| leg.0).to_vec(),
            mode: mode.into(),
            glossary: terms.glossary,
            hot_words: terms.hot_words,
        };
        let opening = CallRequest {
            request: Some(Request::Config(config)),
        };
        // The queue is new and empty: this cannot wait.
        let _ = requests.send(opening).await;
        let responses = connection
            .interpreter()
            .call(ReceiverStream::new(waiting))
            .await?;
        let mut responses = responses.into_inner();
        let first = responses
            .message()
            .await?
            .and_then(|message| message.response);
        let Some(Event::Started(started)) = first else {
            return Err(ClientError::Protocol(
                "no CallStarted came first".to_owned(),
            ));
        };
        Ok(Self {
            requests: Some(requests),
            responses,
            started,
            next: [0; 2],
        })
    }

    /// The legs as they are served.
    #[must_use]
    pub fn started(&self) -> &CallStarted {
        &self.started
    }

    /// Sends a piece of a leg's audio, in the leg's format. As much comes back for the leg's ear.
    ///
    /// # Errors
    ///
    /// Where there is no such leg, the call is finished, or the connection is lost.
    pub async fn send(&mut self, leg: usize, data: Vec<u8>) -> Result<(), ClientError> {
        let next = self.next.get_mut(leg);
        let next = next.ok_or_else(|| ClientError::Usage(format!("a call has no leg {leg}")))?;
        let audio = CallAudio {
            leg: leg as u32,
            sequence: *next,
            data,
        };
        *next += 1;
        self.request(Request::Audio(audio)).await
    }

    /// Replaces the glossary and the hot words of both legs. `SessionChanged` comes for each, or a `Notice` of kind
    /// `REQUEST_REFUSED`; the call goes on either way.
    ///
    /// # Errors
    ///
    /// Where the call is finished, or the connection is lost.
    pub async fn set_glossary(&self, terms: SetGlossary) -> Result<(), ClientError> {
        self.request(Request::SetGlossary(terms)).await
    }

    async fn request(&self, request: Request) -> Result<(), ClientError> {
        let gone = || ClientError::Usage("the call takes no more requests".to_owned());
        let requests = self.requests.as_ref().ok_or_else(gone)?;
        let request = CallRequest {
            request: Some(request),
        };
        requests.send(request).await.map_err(|_| gone())
    }

    /// Sends no more audio: what was heard is still interpreted, and comes until `CallEnded`.
    pub fn finish(&mut self) {
        self.requests = None;
    }

    /// The next event; `None` after `CallEnded`. Safe to cancel.
    ///
    /// # Errors
    ///
    /// Where the connection is lost, or the daemon ends the call with an error.
    pub async fn next(&mut self) -> Result<Option<Event>, ClientError> {
        while let Some(message) = self.responses.message().await? {
            match message.response {
                Some(event) => return Ok(Some(event)),
                None => tracing::debug!("a response of a kind newer than this client"),
            }
        }
        Ok(None)
    }
}
