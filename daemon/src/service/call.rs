//! Opening a call.

use std::{sync::Arc, time::Duration};

use interpret_models::LanguagePair;
use interpret_proto::v1::{self, CallRequest, CallResponse, call_request};
use tokio::{sync::mpsc, time::timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status, Streaming};

use super::{
    interpreter::{InterpreterService, RESPONSE_CAPACITY, caller},
    open::{FIRST_MESSAGE, session_id},
};
use crate::{
    call::{Call, CallSpec},
    headroom::Work,
    session::Refusal,
};

/// Sessions that a call counts for.
const LEGS: u32 = 2;
/// Pieces of audio that may wait for the network, besides other responses: a second of both legs.
const AUDIO_CAPACITY: usize = 100;

/// What a client reads.
pub(super) type CallStream = ReceiverStream<Result<CallResponse, Status>>;

impl InterpreterService {
    /// Admits a call and starts it.
    pub(super) async fn open_call(
        &self,
        request: Request<Streaming<CallRequest>>,
    ) -> Result<Response<CallStream>, Status> {
        let engines = self.engines()?.clone();
        let caller = caller(&request);
        let mut requests = request.into_inner();
        let config = first(&mut requests).await?;
        self.check_open()?;
        if self.limits.max < LEGS as usize {
            let message = "a call takes two sessions, and sessions.max is 1";
            return Err(Refusal::BadConfig(message.to_owned()).into());
        }
        let admission = caller.admit(LEGS as usize)?;
        let slot = self.capacity.admit(LEGS)?;
        let spec = CallSpec::resolve(&config, &engines, &self.limits)?;
        let pairs: Vec<LanguagePair> = spec.pairs().collect();
        for pair in pairs {
            let loaded = engines.translation().load(pair).await;
            loaded.map_err(|error| Refusal::of_load(&error))?;
        }
        // Each leg is a session whose speech is rendered in one voice.
        let leg = Work::session(1);
        let share = self.capacity.headroom().ask(leg.and(leg))?;
        let call = Call {
            id: session_id(),
            spec,
            limits: self.limits.clone(),
            shutdown: self.shutdown.clone(),
            admission: Arc::new(admission),
            share,
            slot,
        };
        let (responses, stream) = mpsc::channel(RESPONSE_CAPACITY + AUDIO_CAPACITY);
        self.capacity.run(call.run(engines, requests, responses));
        Ok(Response::new(ReceiverStream::new(stream)))
    }
}

/// The configuration that must open a stream.
async fn first(requests: &mut Streaming<CallRequest>) -> Result<v1::CallConfig, Status> {
    let bad = |message: &str| Status::from(Refusal::BadConfig(message.to_owned()));
    let within: Duration = FIRST_MESSAGE;
    let message = timeout(within, requests.message())
        .await
        .map_err(|_| bad("no message came within 10 seconds; the first must be a CallConfig"))??;
    match message.and_then(|message| message.request) {
        Some(call_request::Request::Config(config)) => Ok(config),
        Some(_) => Err(bad("the first message must be a CallConfig")),
        None => Err(bad("the stream ended without a CallConfig")),
    }
}
