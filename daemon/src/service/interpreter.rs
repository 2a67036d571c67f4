//! The rpcs of `interpret.v1.Interpreter`.

use std::sync::{Arc, OnceLock};

use interpret_proto::v1::{
    self, InterpretRequest, InterpretResponse, interpret_response, interpreter_server::Interpreter,
};
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{call::CallStream, capacity::Capacity, languages, resume::Resumable};
use crate::{
    access::Caller,
    admin::measure,
    config::Sessions,
    engines::Engines,
    rooms::{Listener, Mail, Rooms},
    session::{Refusal, Shutdown},
};

/// Responses that may wait for the network; with it HTTP/2 flow control reaches the stages.
pub(super) const RESPONSE_CAPACITY: usize = 16;

/// What all sessions share.
#[derive(Debug, Clone)]
pub(super) struct InterpreterService {
    pub(super) limits: Sessions,
    pub(super) shutdown: Shutdown,
    /// Empty until the models are loaded.
    pub(super) engines: Arc<OnceLock<Engines>>,
    pub(super) capacity: Capacity,
    pub(super) rooms: Rooms,
    pub(super) resumable: Resumable,
}

impl InterpreterService {
    pub(super) fn engines(&self) -> Result<&Engines, Refusal> {
        self.engines.get().ok_or_else(|| {
            Refusal::Loading("the models are still loading; try again in a few seconds".to_owned())
        })
    }
}

/// Who calls.
pub(super) fn caller<T>(request: &Request<T>) -> Caller {
    request.extensions().get().cloned().unwrap_or_default()
}

#[tonic::async_trait]
impl Interpreter for InterpreterService {
    type InterpretStream = ReceiverStream<Result<InterpretResponse, Status>>;
    type CallStream = CallStream;
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

    async fn call(
        &self,
        request: Request<Streaming<v1::CallRequest>>,
    ) -> Result<Response<Self::CallStream>, Status> {
        let opened = self.open_call(request).await;
        if let Err(status) = &opened {
            measure::session_refused(status);
        }
        opened
    }

    async fn listen(
        &self,
        request: Request<v1::ListenRequest>,
    ) -> Result<Response<Self::ListenStream>, Status> {
        let caller = caller(&request);
        let request = request.into_inner();
        let seated = self.capacity.seat().and_then(|seat| {
            caller.check_room(&request.room)?;
            let room = self.rooms.find(&request.room)?;
            Ok((seat, room.join(&request.language, request.captions_only)?))
        });
        let (seat, listener) = seated.inspect_err(|refusal| measure::refused(refusal.code().1))?;
        let (responses, stream) = mpsc::channel(RESPONSE_CAPACITY);
        tokio::spawn(async move {
            deliver(&listener, responses).await;
            drop(seat);
        });
        Ok(Response::new(ReceiverStream::new(stream)))
    }

    async fn get_capacity(
        &self,
        _request: Request<v1::GetCapacityRequest>,
    ) -> Result<Response<v1::GetCapacityResponse>, Status> {
        Ok(Response::new(self.capacity.report()))
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
            Some(Mail::Lost(amount_ms)) => {
                InterpretResponse::from(interpret_response::Response::Notice(v1::Notice {
                    kind: v1::NoticeKind::AudioDropped.into(),
                    message: "audio was dropped because it was not read in time".to_owned(),
                    amount_ms,
                    ..v1::Notice::default()
                }))
            }
        };
        if responses.send(Ok(message)).await.is_err() {
            return;
        }
    }
}
