//! One speaker's session: from a client's stream of requests, through a pipeline, to a stream of
//! responses.

mod changes;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod guard;
mod hear;
pub(crate) mod link;
mod refusal;
mod requests;
mod spec;
mod tell;
mod wire;

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tonic::{Code, Status};
use tracing::Instrument as _;

use crate::{
    access::Admission,
    admin::measure,
    audit::Audit,
    config::Sessions,
    engines::Engines,
    headroom::{Share, Slot},
    pipeline::Pipeline,
    rooms::Room,
    telemetry::traces,
};

pub(crate) use changes::{Changed, refused};
pub(crate) use guard::guarded;
pub use refusal::{REASON_KEY, RETRY_KEY, Refusal};
pub(crate) use requests::{Requests, Responses};
pub use spec::{SessionSpec, TargetOutput};
pub(crate) use wire::{Outputs, stage_reports};

/// Events that may wait to be written; a client that reads slowly fills it, and then the stages
/// wait.
const EVENT_CAPACITY: usize = 16;

/// How the daemon ends sessions.
#[derive(Debug, Clone, Default)]
pub struct Shutdown {
    /// Set: no new session begins.
    pub close: CancellationToken,
    /// Set: hear no more, finish what was heard.
    pub drain: CancellationToken,
    /// Set: stop now.
    pub stop: CancellationToken,
}

/// A session that has been admitted and whose models are loaded.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) id: String,
    pub(crate) spec: SessionSpec,
    pub(crate) limits: Sessions,
    pub(crate) shutdown: Shutdown,
    /// Where others listen.
    pub(crate) room: Option<Arc<Room>>,
    /// Leave to run; counts what is spoken.
    pub(crate) admission: Arc<Admission>,
    /// What it takes of the machine, until all that was heard is interpreted.
    pub(crate) share: Arc<Share>,
    /// Its place among the sessions.
    pub(crate) slot: Slot,
    /// What a client needs to come back with; empty: it cannot.
    pub(crate) resume_token: String,
}

/// Source audio heard so far, shared between hearing and telling.
#[derive(Debug, Clone, Default)]
struct SourceClock(Arc<Heard>);

#[derive(Debug, Default)]
struct Heard {
    samples: AtomicU64,
    chunks: AtomicU64,
}

impl SourceClock {
    fn advance(&self, samples: usize) {
        self.0.samples.fetch_add(samples as u64, Ordering::Relaxed);
    }

    fn now_ms(&self) -> u64 {
        crate::pipeline::source_ms(self.0.samples.load(Ordering::Relaxed))
    }

    /// Number of the next chunk.
    fn next_chunk(&self) -> u64 {
        self.0.chunks.load(Ordering::Relaxed)
    }

    fn count_chunk(&self) {
        self.0.chunks.fetch_add(1, Ordering::Relaxed);
    }
}

impl Session {
    /// Runs the session to its end. Returns as soon as the client is gone.
    pub(crate) async fn run(self, engines: Engines, requests: Requests, responses: Responses) {
        let span = traces::conversation("session", &self.id, &self.spec.languages());
        let told = span.clone();
        async {
            let admission = Arc::clone(&self.admission);
            let audit = Audit::begin("session", &self.id, &admission, self.spec.languages());
            let gone = responses.clone();
            let stop = self.shutdown.stop.clone();
            let outcome = tokio::select! {
                biased;
                () = gone.gone() => Err(Status::cancelled("the client is gone")),
                () = stop.cancelled() => {
                    Err(Refusal::ShuttingDown("the daemon has shut down".to_owned()).into())
                }
                outcome = guarded(self.interpret(&engines, requests, responses.clone())) => outcome,
            };
            admission.leave();
            let code = outcome.as_ref().map_or_else(Status::code, |()| Code::Ok);
            measure::session_ended(code);
            audit.end(admission.total(), &outcome);
            traces::ended(&told, admission.total(), code);
            responses.end(outcome);
        }
        .instrument(span)
        .await;
    }

    async fn interpret(
        self,
        engines: &Engines,
        requests: Requests,
        responses: Responses,
    ) -> Result<(), Status> {
        let clock = SourceClock::default();
        let (event_sender, events) = mpsc::channel(EVENT_CAPACITY);
        let (input, pipeline) = Pipeline::start(engines, &self.spec.pipeline(), &event_sender);
        drop(event_sender);
        // A change is told before anything comes of it.
        let (told, outcomes) = mpsc::channel(1);
        let hear = hear::Hear {
            changes: changes::Changes::new(engines, &self.spec, Arc::clone(&self.share)),
            outcomes: told,
            admission: Arc::clone(&self.admission),
            format: self.spec.audio_format,
            input,
            clock: clock.clone(),
            drain: self.shutdown.drain.clone(),
            room: self.room.clone(),
        };
        let tell = tell::Tell {
            id: self.id,
            outputs: wire::Outputs::new(&self.spec),
            mode: self.spec.mode,
            limits: self.limits,
            clock,
            drain: self.shutdown.drain,
            room: self.room,
            taken: Some((self.share, self.slot)),
            admission: self.admission,
            resume_token: self.resume_token,
            responses,
        };
        tokio::try_join!(hear.run(requests), tell.run(events, outcomes, pipeline))?;
        Ok(())
    }
}
