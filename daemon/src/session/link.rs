//! A resumable session's link to its client, which outlives connections.
//!
//! What the session says is numbered and kept until the client acknowledges it; what the client sends
//! is passed on by whichever connection there is. A connection that is lost can be replaced within
//! [`GRACE`]: responses after the last one received come again, and audio goes on where it was heard
//! last. So nothing comes twice and nothing is lost, whenever the connection is cut.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use interpret_proto::v1::{
    self, InterpretRequest, InterpretResponse, control::Control, interpret_request::Request,
    interpret_response::Response,
};
use prost::Message as _;
use tokio::{
    sync::{Notify, mpsc},
    time::{Instant, sleep_until, timeout_at},
};
use tokio_stream::{Stream, StreamExt as _};
use tonic::Status;

use super::Refusal;

/// How long a session waits for its client to come back.
pub(crate) const GRACE: Duration = Duration::from_secs(30);
/// Most bytes of responses that are kept: some minutes of speech.
const MOST_BYTES: usize = 8 << 20;
/// After the end of a stream it shows within this time whether it was reset.
const RESET: Duration = Duration::from_millis(250);
/// Requests that may wait for the session.
const REQUESTS: usize = 8;

/// The link. Shared by the session and the connection of the moment.
#[derive(Debug)]
pub(crate) struct Link {
    state: Mutex<State>,
    /// Something of the state has changed.
    changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Responses that the client has not acknowledged, and their sizes.
    kept: VecDeque<(InterpretResponse, usize)>,
    /// Sum of the sizes.
    bytes: usize,
    /// Number of the last response.
    last: u64,
    /// Number of the last response that was given to the connection.
    sent: u64,
    /// Counts connections; those before the newest are of no use any more.
    connection: u64,
    /// Since when there is no connection; none: there is one.
    lost: Option<Instant>,
    /// A heartbeat that is to be sent.
    heartbeat: Option<v1::Heartbeat>,
    /// Where requests go; none: the client has closed its stream.
    input: Option<mpsc::Sender<InterpretRequest>>,
    /// Chunks of audio that were taken.
    audio: u64,
    /// What was wrong with what came over a connection.
    broken: Option<(u64, Status)>,
    /// Whether the session has said everything, and how it ended.
    ended: Option<Result<(), Status>>,
}

impl State {
    /// Number of the first response that is kept.
    fn first(&self) -> u64 {
        self.last + 1 - self.kept.len() as u64
    }

    /// Forgets responses up to number `upto`.
    fn forget(&mut self, upto: u64) {
        while self.first() <= upto
            && let Some((_, size)) = self.kept.pop_front()
        {
            self.bytes -= size;
        }
    }
}

/// What a connection is to do next.
enum Next {
    Send(InterpretResponse),
    End(Option<Status>),
    Wait,
}

impl Link {
    /// A link without a connection yet, and where its requests come out.
    pub(crate) fn new() -> (Self, mpsc::Receiver<InterpretRequest>) {
        let (input, requests) = mpsc::channel(REQUESTS);
        let state = State {
            kept: VecDeque::new(),
            bytes: 0,
            last: 0,
            sent: 0,
            connection: 0,
            lost: Some(Instant::now()),
            heartbeat: None,
            input: Some(input),
            audio: 0,
            broken: None,
            ended: None,
        };
        let link = Self {
            state: Mutex::new(state),
            changed: Notify::new(),
        };
        (link, requests)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The session says something. Waits where the client is far behind; err: for too long.
    pub(super) async fn send(
        &self,
        mut response: InterpretResponse,
        within: Duration,
    ) -> Result<(), ()> {
        let until = Instant::now() + within;
        if let Some(Response::Heartbeat(heartbeat)) = response.response {
            self.state().heartbeat = Some(heartbeat);
            self.changed.notify_waiters();
            return Ok(());
        }
        let size = response.encoded_len();
        loop {
            let changed = self.changed.notified();
            {
                let mut state = self.state();
                // A client that reads and acknowledges nothing cannot come back to what it read long
                // ago.
                while state.bytes + size > MOST_BYTES && state.first() <= state.sent {
                    let first = state.first();
                    state.forget(first);
                }
                if state.bytes + size <= MOST_BYTES || state.kept.is_empty() {
                    state.last += 1;
                    response.number = state.last;
                    state.bytes += size;
                    state.kept.push_back((response, size));
                    drop(state);
                    self.changed.notify_waiters();
                    return Ok(());
                }
            }
            timeout_at(until, changed).await.map_err(|_| ())?;
        }
    }

    /// The session is over; the connection is told how when it has told everything else.
    pub(super) fn end(&self, outcome: Result<(), Status>) {
        self.state().ended = Some(outcome);
        self.changed.notify_waiters();
    }

    /// Waits until the client has been gone for too long to come back.
    pub(crate) async fn abandoned(&self) {
        loop {
            let changed = self.changed.notified();
            let lost = self.state().lost;
            match lost {
                Some(since) if since.elapsed() >= GRACE => return,
                Some(since) => tokio::select! {
                    () = sleep_until(since + GRACE) => {}
                    () = changed => {}
                },
                None => changed.await,
            }
        }
    }

    /// Takes a new connection, whose client has received responses up to `last`, and tells which chunk
    /// of audio comes next.
    ///
    /// # Errors
    /// When what came after `last` is not kept any more, or was never said.
    pub(crate) fn attach(&self, last: u64) -> Result<Attached, Refusal> {
        let mut state = self.state();
        if matches!(&state.ended, Some(Err(status)) if status.code() == tonic::Code::Cancelled) {
            return Err(Refusal::NoSession(
                "the session was without its client for too long".to_owned(),
            ));
        }
        if last > state.last {
            return Err(Refusal::BadConfig(format!(
                "response {last} was never sent; the last one was {}",
                state.last
            )));
        }
        if last + 1 < state.first() {
            return Err(Refusal::NoSession(format!(
                "responses after {last} are not kept any more; the session can only be opened anew"
            )));
        }
        state.forget(last);
        state.sent = last;
        state.connection += 1;
        state.lost = None;
        let attached = Attached {
            connection: state.connection,
            next_audio_sequence: state.audio,
        };
        drop(state);
        self.changed.notify_waiters();
        Ok(attached)
    }

    /// Passes requests on until the client closes its stream, or the connection is lost or replaced.
    pub(crate) async fn hear<S>(
        &self,
        connection: u64,
        mut requests: S,
        responses: &mpsc::Sender<Result<InterpretResponse, Status>>,
    ) where
        S: Stream<Item = Result<InterpretRequest, Status>> + Unpin,
    {
        loop {
            let request = tokio::select! {
                request = requests.next() => request,
                () = self.replaced(connection) => return,
            };
            let request = match request {
                Some(Ok(request)) => request,
                Some(Err(status)) => {
                    tracing::debug!(code = ?status.code(), "a connection was lost");
                    // Where it is not, but what came over it was broken, its client is told.
                    self.state().broken = Some((connection, status));
                    return self.lose(connection);
                }
                None => {
                    // A stream that was reset is told as one that was closed (tonic 0.14); but then its
                    // responses are closed, too.
                    tokio::select! {
                        biased;
                        () = responses.closed() => return self.lose(connection),
                        () = self.replaced(connection) => return,
                        () = tokio::time::sleep(RESET) => {}
                    }
                    let mut state = self.state();
                    if state.connection == connection {
                        state.input = None;
                    }
                    return;
                }
            };
            if let Some(Request::Control(v1::Control {
                control: Some(Control::Acknowledge(v1::Acknowledge { last_response })),
            })) = request.request
            {
                let mut state = self.state();
                let upto = last_response.min(state.sent);
                state.forget(upto);
                drop(state);
                self.changed.notify_waiters();
                continue;
            }
            let Some(input) = self.state().input.clone() else {
                return;
            };
            let permit = tokio::select! {
                // Fails when the session is over: its connection tells.
                permit = input.reserve() => match permit {
                    Ok(permit) => permit,
                    Err(_) => return,
                },
                () = self.replaced(connection) => return,
            };
            let mut state = self.state();
            if state.connection != connection {
                return;
            }
            if let Some(Request::Audio(chunk)) = &request.request {
                state.audio = chunk.sequence.saturating_add(1);
            }
            permit.send(request);
        }
    }

    /// Sends responses until the session is over, or the connection is lost or replaced.
    pub(crate) async fn tell(
        &self,
        connection: u64,
        responses: &mpsc::Sender<Result<InterpretResponse, Status>>,
        unread: Duration,
    ) {
        loop {
            let changed = self.changed.notified();
            let Some(next) = self.next(connection) else {
                return;
            };
            let message = match next {
                Next::Send(response) => Ok(response),
                Next::End(None) => return,
                Next::End(Some(status)) => Err(status),
                Next::Wait => {
                    tokio::select! {
                        () = changed => {}
                        () = responses.closed() => return self.lose(connection),
                    }
                    continue;
                }
            };
            let over = message.is_err();
            // Not cut off where the connection is replaced: its channel closes then.
            let sent = timeout_at(Instant::now() + unread, responses.send(message)).await;
            if !matches!(sent, Ok(Ok(()))) {
                return self.lose(connection);
            }
            if over {
                return;
            }
        }
    }

    /// None: the connection has been replaced.
    fn next(&self, connection: u64) -> Option<Next> {
        let mut state = self.state();
        if state.connection != connection {
            return None;
        }
        if state
            .broken
            .as_ref()
            .is_some_and(|(at, _)| *at == connection)
        {
            let broken = state.broken.take();
            return Some(Next::End(broken.map(|(_, status)| status)));
        }
        if state.sent < state.last {
            let index = usize::try_from(state.sent + 1 - state.first()).ok()?;
            let response = state.kept.get(index)?.0.clone();
            state.sent += 1;
            return Some(Next::Send(response));
        }
        if let Some(heartbeat) = state.heartbeat.take() {
            return Some(Next::Send(InterpretResponse::from(Response::Heartbeat(
                heartbeat,
            ))));
        }
        Some(match &state.ended {
            Some(outcome) => Next::End(outcome.clone().err()),
            None => Next::Wait,
        })
    }

    fn lose(&self, connection: u64) {
        let mut state = self.state();
        if state.connection == connection && state.lost.is_none() {
            state.lost = Some(Instant::now());
            drop(state);
            self.changed.notify_waiters();
        }
    }

    async fn replaced(&self, connection: u64) {
        loop {
            let changed = self.changed.notified();
            if self.state().connection != connection {
                return;
            }
            changed.await;
        }
    }
}

/// A connection that a link has taken.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Attached {
    /// Which one it is.
    pub(crate) connection: u64,
    /// Number of the next chunk of audio.
    pub(crate) next_audio_sequence: u64,
}

#[cfg(test)]
#[path = "link_tests.rs"]
mod tests;
