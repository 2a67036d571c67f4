//! The rpcs of `interpret.v1.Interpreter`.

use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

use interpret_proto::v1::{
    self, InterpretRequest, InterpretResponse, interpret_request, interpret_response,
    interpreter_server::Interpreter,
};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc},
    time::timeout,
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::languages;
use crate::{
    admin::measure,
    config::Sessions,
    engines::{Engines, LoadError, LoadFailure},
    rooms::{Floor, Listener, Mail, Rooms},
    session::{Refusal, Session, SessionSpec, Shutdown, TargetOutput},
};

/// Responses that may wait for the network; with it HTTP/2 flow control reaches the stages.
const RESPONSE_CAPACITY: usize = 16;
/// How long an opened stream may stay without its first message.
const FIRST_MESSAGE: Duration = Duration::from_secs(10);

/// What all sessions share.
#[derive(Debug, Clone)]
pub(super) struct InterpreterService {
    pub(super) limits: Sessions,
    pub(super) shutdown: Shutdown,
    /// Empty until the models are loaded.
    pub(super) engines: Arc<OnceLock<Engines>>,
    /// One permit a session.
    pub(super) slots: Arc<Semaphore>,
    /// One permit a listener in a room.
    pub(super) seats: Arc<Semaphore>,
    pub(super) rooms: Rooms,
}

impl InterpreterService {
    fn engines(&self) -> Result<&Engines, Refusal> {
        self.engines.get().ok_or_else(|| {
            Refusal::Loading("the models are still loading; try again in a few seconds".to_owned())
        })
    }

    fn admit(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        if self.shutdown.drain.is_cancelled() {
            return Err(Refusal::ShuttingDown(
                "the daemon is shutting down".to_owned(),
            ));
        }
        Arc::clone(&self.slots).try_acquire_owned().map_err(|_| {
            Refusal::Full(format!(
                "all {} session slots are taken; try again when one has ended, or raise sessions.max",
                self.limits.max
            ))
        })
    }
}

#[tonic::async_trait]
impl Interpreter for InterpreterService {
    type InterpretStream = ReceiverStream<Result<InterpretResponse, Status>>;
    type ListenStream = ReceiverStream<Result<InterpretResponse, Status>>;

    async fn interpret(
        &self,
        request: Request<Streaming<InterpretRequest>>,
    ) -> Result<Response<Self::InterpretStream>, Status> {
        let opened = self.open(request).await;
        if let Err(status) = &opened {
            measure::session_refused(status);
        }
        opened
    }

    async fn listen(
        &self,
        request: Request<v1::ListenRequest>,
    ) -> Result<Response<Self::ListenStream>, Status> {
        let request = request.into_inner();
        let seat = Arc::clone(&self.seats).try_acquire_owned().map_err(|_| {
            Refusal::Full(format!(
                "all {} listeners' seats are taken; try again later, or raise sessions.listeners",
                self.limits.listeners
            ))
        })?;
        let room = self.rooms.find(&request.room)?;
        let listener = room.join(&request.language, request.captions_only)?;
        let (responses, stream) = mpsc::channel(RESPONSE_CAPACITY);
        tokio::spawn(async move {
            deliver(&listener, responses).await;
            drop(seat);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn list_languages(
        &self,
        _request: Request<v1::ListLanguagesRequest>,
    ) -> Result<Response<v1::ListLanguagesResponse>, Status> {
        Ok(Response::new(languages::languages(self.engines()?)))
    }

    async fn list_voices(
        &self,
        request: Request<v1::ListVoicesRequest>,
    ) -> Result<Response<v1::ListVoicesResponse>, Status> {
        let voices = languages::voices(self.engines()?, &request.get_ref().language)?;
        Ok(Response::new(voices))
    }
}

impl InterpreterService {
    /// Admits a session and starts it.
    async fn open(
        &self,
        request: Request<Streaming<InterpretRequest>>,
    ) -> Result<Response<ReceiverStream<Result<InterpretResponse, Status>>>, Status> {
        let engines = self.engines()?.clone();
        let slot = self.admit()?;
        let mut requests = request.into_inner();
        let config = first(&mut requests).await?;
        let spec = SessionSpec::resolve(&config, &engines, &self.limits)?;
        for pair in spec.pairs() {
            engines
                .translation()
                .load(pair)
                .await
                .map_err(|error| refusal(&error))?;
        }
        let id = session_id();
        let room = match spec.room.as_str() {
            "" => None,
            name => Some(self.rooms.open(name, floor(&id, &spec))?),
        };
        let session = Session {
            id,
            room,
            spec,
            limits: self.limits.clone(),
            shutdown: self.shutdown.clone(),
        };
        let (responses, stream) = mpsc::channel(RESPONSE_CAPACITY);
        tokio::spawn(async move {
            session.run(engines, requests, responses).await;
            drop(slot);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// What a room must know of the session that speaks in it.
fn floor(id: &str, spec: &SessionSpec) -> Floor {
    Floor {
        session_id: id.to_owned(),
        sources: spec.sources.clone(),
        targets: spec.targets.iter().map(TargetOutput::to_message).collect(),
        mode: spec.mode,
    }
}

/// Sends a listener their mail until the room ends or they are gone.
async fn deliver(listener: &Listener, responses: mpsc::Sender<Result<InterpretResponse, Status>>) {
    loop {
        let mail = tokio::select! {
            mail = listener.mailbox.take() => mail,
            () = responses.closed() => return,
        };
        let message = match mail {
            None => return,
            Some(Mail::Message(message)) => InterpretResponse::clone(&message),
            Some(Mail::Lost(amount_ms)) => InterpretResponse {
                response: Some(interpret_response::Response::Notice(v1::Notice {
                    kind: v1::NoticeKind::AudioDropped.into(),
                    message: "audio was dropped because it was not read in time".to_owned(),
                    amount_ms,
                    ..v1::Notice::default()
                })),
            },
        };
        if responses.send(Ok(message)).await.is_err() {
            return;
        }
    }
}

/// The configuration that must open a stream.
async fn first(requests: &mut Streaming<InterpretRequest>) -> Result<v1::SessionConfig, Status> {
    let bad = |message: &str| Status::from(Refusal::BadConfig(message.to_owned()));
    let message = timeout(FIRST_MESSAGE, requests.message())
        .await
        .map_err(|_| {
            bad("no message came within 10 seconds; the first must be a SessionConfig")
        })??;
    match message.and_then(|message| message.request) {
        Some(interpret_request::Request::Config(config)) => Ok(config),
        Some(_) => Err(bad("the first message must be a SessionConfig")),
        None => Err(bad("the stream ended without a SessionConfig")),
    }
}

fn refusal(error: &LoadError) -> Refusal {
    match error.failure() {
        LoadFailure::Unknown => Refusal::NoModel(error.to_string()),
        LoadFailure::Missing => Refusal::ModelMissing(error.to_string()),
        LoadFailure::Corrupt => Refusal::ModelCorrupt(error.to_string()),
        LoadFailure::Internal => Refusal::EngineFailed(error.to_string()),
    }
}

/// A name for the session in the logs: random, so that it tells nothing about the client.
fn session_id() -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
