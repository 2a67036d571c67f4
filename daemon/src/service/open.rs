//! Opening a session, or going on with one.

use std::{sync::Arc, time::Duration};

use interpret_proto::v1::{self, InterpretRequest, InterpretResponse, interpret_request};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::interpreter::{InterpreterService, RESPONSE_CAPACITY, caller};
use crate::{
    access::Caller,
    engines::Engines,
    headroom::Work,
    rooms::Floor,
    session::{
        Refusal, Requests, Responses, Session, SessionSpec, TargetOutput,
        link::{Attached, Link},
    },
};

/// How long an opened stream may stay without its first message.
pub(super) const FIRST_MESSAGE: Duration = Duration::from_secs(10);

/// What a client reads.
pub(super) type ResponseStream = ReceiverStream<Result<InterpretResponse, Status>>;

impl InterpreterService {
    /// Admits a session and starts it, or goes on with one.
    pub(super) async fn open(
        &self,
        request: Request<Streaming<InterpretRequest>>,
    ) -> Result<Response<ResponseStream>, Status> {
        let engines = self.engines()?.clone();
        let caller = caller(&request);
        let mut requests = request.into_inner();
        let (responses, stream) = mpsc::channel(RESPONSE_CAPACITY);
        match first(&mut requests).await? {
            First::Config(config) => {
                self.begin(&config, engines, &caller, requests, responses)
                    .await?;
            }
            First::Resume(resume) => {
                let link = self.resumable.find(&resume.token, &caller)?;
                let attached = link.attach(resume.last_response)?;
                let resumed = v1::Resumed {
                    next_audio_sequence: attached.next_audio_sequence,
                };
                let resumed = v1::interpret_response::Response::Resumed(resumed);
                // Cannot fail: the channel is new and empty.
                let _ = responses.try_send(Ok(resumed.into()));
                self.connect(link, attached, requests, responses);
            }
        }
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn begin(
        &self,
        config: &v1::SessionConfig,
        engines: Engines,
        caller: &Caller,
        requests: Streaming<InterpretRequest>,
        responses: mpsc::Sender<Result<InterpretResponse, Status>>,
    ) -> Result<(), Status> {
        self.check_open()?;
        let admission = caller.admit(1)?;
        let slot = self.capacity.admit(1)?;
        let spec = SessionSpec::resolve(config, &engines, &self.limits)?;
        for pair in spec.pairs() {
            let loaded = engines.translation().load(pair).await;
            loaded.map_err(|error| Refusal::of_load(&error))?;
        }
        let id = session_id();
        let room = match spec.room.as_str() {
            "" => None,
            name => {
                caller.check_room(name)?;
                Some(self.rooms.open(name, floor(&id, &spec))?)
            }
        };
        let work = Work::session(spec.voices());
        let headroom = self.capacity.headroom();
        let share = match spec.live {
            true => headroom.ask(work)?,
            false => headroom.take(work),
        };
        let (requests, responses, resume_token) = if spec.resumable {
            let (link, queue) = Link::new();
            let link = Arc::new(link);
            let token = self.resumable.keep(&link, caller)?;
            let attached = link.attach(0)?;
            self.connect(Arc::clone(&link), attached, requests, responses);
            (Requests::Link(queue), Responses::Link(link), token)
        } else {
            let responses = Responses::Stream(responses);
            (
                Requests::Stream(Box::new(requests)),
                responses,
                String::new(),
            )
        };
        let session = Session {
            id,
            room,
            spec,
            limits: self.limits.clone(),
            shutdown: self.shutdown.clone(),
            admission: Arc::new(admission),
            share: Arc::new(share),
            slot,
            resume_token: resume_token.clone(),
        };
        let resumable = self.resumable.clone();
        self.capacity.run(async move {
            session.run(engines, requests, responses).await;
            if !resume_token.is_empty() {
                // Later, which nobody waits for.
                tokio::spawn(async move { resumable.forget(&resume_token).await });
            }
        });
        Ok(())
    }

    /// Gives a link a connection, for as long as it lasts.
    fn connect(
        &self,
        link: Arc<Link>,
        attached: Attached,
        requests: Streaming<InterpretRequest>,
        responses: mpsc::Sender<Result<InterpretResponse, Status>>,
    ) {
        let connection = attached.connection;
        let unread = self.limits.unread_timeout();
        tokio::spawn(async move {
            let hearing = async {
                link.hear(connection, requests, &responses).await;
                std::future::pending::<()>().await;
            };
            // Ends with the telling; what was read and not taken is sent again over another connection.
            tokio::select! {
                () = hearing => {}
                () = link.tell(connection, &responses, unread) => {}
            }
        });
    }

    /// Checks that new sessions may begin at all.
    pub(super) fn check_open(&self) -> Result<(), Refusal> {
        if self.shutdown.close.is_cancelled() {
            return Err(Refusal::ShuttingDown(
                "the daemon is shutting down".to_owned(),
            ));
        }
        Ok(())
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

/// What opens a stream.
enum First {
    Config(v1::SessionConfig),
    Resume(v1::Resume),
}

async fn first(requests: &mut Streaming<InterpretRequest>) -> Result<First, Status> {
    let bad = |message: &str| Status::from(Refusal::BadConfig(message.to_owned()));
    let message = timeout(FIRST_MESSAGE, requests.message())
        .await
        .map_err(|_| {
            bad("no message came within 10 seconds; the first must be a SessionConfig")
        })??;
    match message.and_then(|message| message.request) {
        Some(interpret_request::Request::Config(config)) => Ok(First::Config(config)),
        Some(interpret_request::Request::Resume(resume)) => Ok(First::Resume(resume)),
        Some(_) => Err(bad("the first message must be a SessionConfig")),
        None => Err(bad("the stream ended without a SessionConfig")),
    }
}

/// A name for the session in the logs: random, so that it tells nothing about the client.
pub(super) fn session_id() -> String {
    use std::hash::{BuildHasher as _, Hasher as _, RandomState};
    format!("{:016x}", RandomState::new().build_hasher().finish())
}
