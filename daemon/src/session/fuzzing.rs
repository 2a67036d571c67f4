//! What the fuzz targets (docs/fuzzing.md) ask of sessions and nobody else may: a session that only hears,
//! and a link without a session.

use std::{sync::Arc, time::Duration};

use interpret_proto::v1::{InterpretRequest, InterpretResponse, interpret_request::Request};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    Outputs, Refusal, Requests, SessionSpec, SourceClock,
    changes::{Changes, Outcome},
    hear::Hear,
    link::Link,
};
use crate::{
    access::Caller,
    audio::Format,
    config::Sessions,
    engines::Engines,
    headroom::{Headroom, Work},
    pipeline::Input,
};

/// A client that reads nothing for so long is given up.
const UNREAD: Duration = Duration::from_secs(30);

/// What a session has heard.
#[derive(Debug)]
pub struct Heard {
    /// The format of its audio.
    pub format: Format,
    /// What went to the pipeline, at 16 kHz.
    pub samples: Vec<f32>,
    /// How many changes its client was told of.
    pub changes: usize,
    /// How hearing ended.
    pub end: Result<(), Status>,
}

/// Hears what a client sends, whose first message must configure the session.
///
/// # Errors
/// When the first message does not.
pub async fn hear(
    engines: &Engines,
    mut messages: impl Iterator<Item = InterpretRequest>,
) -> Result<Heard, Status> {
    let first = messages.next().and_then(|message| message.request);
    let Some(Request::Config(config)) = first else {
        return Err(Refusal::BadConfig("no SessionConfig".to_owned()).into());
    };
    let spec = SessionSpec::resolve(&config, engines, &Sessions::default())?;
    let (sender, queue) = mpsc::channel(1);
    let (input, mut inputs) = mpsc::channel(1);
    let (told, mut outcomes) = mpsc::channel(1);
    let share = Headroom::new(1.0, Arc::default()).take(Work::session(spec.voices()));
    let hear = Hear {
        format: spec.audio_format,
        input,
        clock: SourceClock::default(),
        drain: CancellationToken::new(),
        room: None,
        changes: Changes::new(engines, &spec, Arc::new(share)),
        outcomes: told,
        admission: Arc::new(Caller::default().admit(1)?),
    };
    let send = async move {
        for message in messages {
            // Fails when hearing has ended.
            if sender.send(message).await.is_err() {
                break;
            }
        }
    };
    let take = async {
        let mut samples = Vec::new();
        while let Some(input) = inputs.recv().await {
            if let Input::Audio(more) = input {
                samples.extend(more);
            }
        }
        samples
    };
    let mut outputs = Outputs::new(&spec);
    let tell = async {
        let mut changes = 0;
        while let Some(outcome) = outcomes.recv().await {
            if let Outcome::Done(changed) = outcome {
                outputs.change(changed.targets, &changed.hot_words);
                changes += 1;
            }
        }
        changes
    };
    let (end, (), samples, changes) =
        tokio::join!(hear.run(Requests::Link(queue)), send, take, tell);
    Ok(Heard {
        format: spec.audio_format,
        samples,
        changes,
        end,
    })
}

/// A link, as the session on its one side and connections on the other have it.
#[derive(Debug, Clone)]
pub struct LooseLink(Arc<Link>);

impl LooseLink {
    /// A link without a connection yet, and where its requests come out.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<InterpretRequest>) {
        let (link, requests) = Link::new();
        (Self(Arc::new(link)), requests)
    }

    /// The session says something. False: the client is too far behind.
    pub async fn say(&self, response: InterpretResponse) -> bool {
        self.0.send(response, UNREAD).await.is_ok()
    }

    /// The session has said everything.
    pub fn end(&self) {
        self.0.end(Ok(()));
    }

    /// Takes a connection whose client has received responses up to `last`: its number, and that of the
    /// next chunk of audio.
    ///
    /// # Errors
    /// When the session cannot go on there.
    pub fn attach(&self, last: u64) -> Result<(u64, u64), Status> {
        let attached = self.0.attach(last)?;
        Ok((attached.connection, attached.next_audio_sequence))
    }

    /// Serves a connection for as long as it lasts, as the service does.
    pub async fn serve(
        self,
        connection: u64,
        requests: mpsc::Receiver<Result<InterpretRequest, Status>>,
        responses: mpsc::Sender<Result<InterpretResponse, Status>>,
    ) {
        let hearing = async {
            let requests = ReceiverStream::new(requests);
            self.0.hear(connection, requests, &responses).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = hearing => {}
            () = self.0.tell(connection, &responses, UNREAD) => {}
        }
    }
}
