//! An Interpret stream, message by message.

use anyhow::{Context as _, Result};
use interpret_proto::v1::{
    self, AddTarget, AudioChunk, AudioEncoding, AudioFormat, InterpretRequest, InterpretResponse,
    SessionConfig, Target, control::Control, interpret_request::Request,
    interpret_response::Response, interpreter_client::InterpreterClient,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, Streaming, transport::Channel};

/// A configuration for 16 kHz LINEAR16 audio.
#[must_use]
pub fn config(from: &str, to: &str) -> SessionConfig {
    SessionConfig {
        source_language: from.to_owned(),
        audio_format: Some(AudioFormat {
            encoding: AudioEncoding::Linear16.into(),
            sample_rate_hz: 16_000,
            channels: 1,
        }),
        targets: vec![Target {
            language: to.to_owned(),
            ..Target::default()
        }],
        ..SessionConfig::default()
    }
}

/// `samples` in chunks of `length`, numbered from 0.
pub fn chunks(samples: &[f32], length: usize) -> impl Iterator<Item = Request> + '_ {
    samples.chunks(length).zip(0..).map(|(piece, sequence)| {
        let bytes = |s: &f32| ((s * 32_767.0) as i16).to_le_bytes();
        Request::Audio(AudioChunk {
            sequence,
            data: piece.iter().flat_map(bytes).collect(),
        })
    })
}

/// Asks for something in mid-session.
#[must_use]
pub fn control(control: Control) -> Request {
    Request::Control(v1::Control {
        control: Some(control),
    })
}

/// Asks for one more language.
#[must_use]
pub fn add_target(language: &str, captions_only: bool) -> Request {
    let target = Target {
        language: language.to_owned(),
        captions_only,
        ..Target::default()
    };
    control(Control::AddTarget(AddTarget {
        target: Some(target),
    }))
}

/// An open stream.
#[derive(Debug)]
pub struct Stream {
    /// Drop it to close the client's side.
    pub requests: mpsc::Sender<InterpretRequest>,
    /// What the daemon says.
    pub responses: Streaming<InterpretResponse>,
}

impl Stream {
    /// Opens a stream with `first` as its first message.
    ///
    /// # Errors
    /// The daemon's refusal.
    pub async fn open(
        client: &mut InterpreterClient<Channel>,
        first: Request,
    ) -> Result<Self, Status> {
        let (requests, waiting) = mpsc::channel(4);
        let message = InterpretRequest {
            request: Some(first),
        };
        requests
            .try_send(message)
            .map_err(|e| Status::internal(e.to_string()))?;
        let responses = client
            .interpret(ReceiverStream::new(waiting))
            .await?
            .into_inner();
        Ok(Self {
            requests,
            responses,
        })
    }

    /// Sends a message; waits for flow control.
    ///
    /// # Errors
    /// When the stream has ended.
    pub async fn send(&self, request: Request) -> Result<()> {
        let message = InterpretRequest {
            request: Some(request),
        };
        self.requests
            .send(message)
            .await
            .context("the stream has ended")
    }

    /// The next response; none at the end.
    ///
    /// # Errors
    /// The daemon's status.
    pub async fn next(&mut self) -> Result<Option<Response>, Status> {
        Ok(self
            .responses
            .message()
            .await?
            .and_then(|message| message.response))
    }

    /// Sends all `requests`, closes the client's side, and collects all responses.
    ///
    /// # Errors
    /// The daemon's status.
    pub async fn finish(
        self,
        requests: impl IntoIterator<Item = Request>,
    ) -> Result<Vec<Response>, Status> {
        let Self {
            requests: sender,
            mut responses,
        } = self;
        let send = async move {
            for request in requests {
                let message = InterpretRequest {
                    request: Some(request),
                };
                if sender.send(message).await.is_err() {
                    break;
                }
            }
        };
        let receive = async move {
            let mut all = Vec::new();
            while let Some(message) = responses.message().await? {
                all.extend(message.response);
            }
            Ok(all)
        };
        let ((), all) = tokio::join!(send, receive);
        all
    }
}
