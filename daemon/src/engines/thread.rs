//! A model on a thread of its own.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
    time::{Duration, Instant},
};

use tokio::sync::{mpsc, oneshot};

use super::{
    LoadMeter,
    turns::{Rank, Turns},
};
use crate::{admin::measure, telemetry::traces};

/// Requests that may wait for one engine. A session has at most one request waiting at each stage,
/// so first come, first served shares an engine fairly, and this bounds the sessions that can wait
/// at once; beyond it, senders wait (back pressure towards the speaker).
const QUEUE_CAPACITY: usize = 256;

type Job<E> = Box<dyn FnOnce(&mut E) + Send>;

/// A handle to an engine that runs on its own thread; cheap to clone. The thread ends when the last
/// handle is dropped.
///
/// Models never run on tokio's threads: a step takes up to a second, and would hold up every
/// session's network traffic.
pub struct EngineThread<E> {
    name: &'static str,
    jobs: mpsc::Sender<Job<E>>,
    turns: Option<(Turns, Rank)>,
    load: Option<LoadMeter>,
}

impl<E> Clone for EngineThread<E> {
    fn clone(&self) -> Self {
        Self {
            name: self.name,
            jobs: self.jobs.clone(),
            turns: self.turns.clone(),
            load: self.load.clone(),
        }
    }
}

impl<E> fmt::Debug for EngineThread<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EngineThread")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

/// How long a request took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timing {
    /// From asking until the engine began.
    pub waited: Duration,
    /// While the engine ran.
    pub busy: Duration,
}

/// The engine gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// It panicked on this request. Other requests are served.
    #[error("the {0} engine failed on this input (see the daemon's log)")]
    Panicked(&'static str),
    /// Its thread is gone.
    #[error("the {0} engine has stopped")]
    Stopped(&'static str),
}

impl<E: Send + 'static> EngineThread<E> {
    /// Moves `engine` to a new thread called `name`.
    ///
    /// # Errors
    /// When the system refuses another thread.
    pub fn spawn(name: &'static str, engine: E) -> std::io::Result<Self> {
        Self::spawn_in_turn(name, engine, None, None)
    }

    /// The same; each request waits for its turn, if there are turns, and its time is measured.
    pub(super) fn spawn_in_turn(
        name: &'static str,
        mut engine: E,
        turns: Option<(Turns, Rank)>,
        load: Option<LoadMeter>,
    ) -> std::io::Result<Self> {
        let (jobs, mut queue) = mpsc::channel::<Job<E>>(QUEUE_CAPACITY);
        thread::Builder::new()
            .name(name.to_owned())
            .spawn(move || {
                while let Some(job) = queue.blocking_recv() {
                    job(&mut engine);
                }
            })?;
        Ok(Self {
            name,
            jobs,
            turns,
            load,
        })
    }

    /// Runs `request` on the engine's thread. When the returned future is dropped before the
    /// engine has begun, the request is not run.
    ///
    /// # Errors
    /// When the request panicked or the engine's thread is gone.
    pub async fn call<R, F>(&self, request: F) -> Result<(R, Timing), EngineError>
    where
        R: Send + 'static,
        F: FnOnce(&mut E) -> R + Send + 'static,
    {
        let span = traces::model(self.name);
        let _queued = measure::queued(self.name);
        let (answer, answered) = oneshot::channel();
        let asked = Instant::now();
        let (name, turns, load) = (self.name, self.turns.clone(), self.load.clone());
        let job: Job<E> = Box::new(move |engine| {
            if answer.is_closed() {
                return;
            }
            let turn = turns.map(|(turns, rank)| turns.take(rank));
            let begun = Instant::now();
            // Engines keep nothing between requests, so what a panic left half done is not seen
            // by the next one.
            let result = catch_unwind(AssertUnwindSafe(|| request(engine)));
            let timing = Timing {
                waited: begun - asked,
                busy: begun.elapsed(),
            };
            drop(turn);
            measure::engine_ran(name, timing);
            if let Some(load) = load {
                load.worked(name, timing.busy);
            }
            // The asker may have gone meanwhile: nobody is left to tell.
            drop(answer.send(result.map(|result| (result, timing))));
        });
        self.jobs
            .send(job)
            .await
            .map_err(|_| EngineError::Stopped(self.name))?;
        match answered.await {
            Ok(Ok((result, timing))) => {
                traces::ran(&span, timing);
                Ok((result, timing))
            }
            Ok(Err(_panic)) => Err(EngineError::Panicked(self.name)),
            Err(_) => Err(EngineError::Stopped(self.name)),
        }
    }
}

#[cfg(any(test, feature = "fuzzing"))]
impl<E> EngineThread<E> {
    /// For the fuzzer: the handle of an engine that has stopped.
    pub(super) fn stopped(name: &'static str) -> Self {
        let (jobs, _) = mpsc::channel(1);
        Self {
            name,
            jobs,
            turns: None,
            load: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn answers_come_from_the_engines_own_thread() {
        let engine = EngineThread::spawn("counting", 0_u32).unwrap();
        for expected in 1..=3 {
            let (count, _) = engine
                .call(|count| {
                    *count += 1;
                    (*count, thread::current().name().map(str::to_owned))
                })
                .await
                .unwrap();
            assert_eq!(count, (expected, Some("counting".to_owned())));
        }
    }

    #[tokio::test]
    async fn a_panic_fails_its_own_request_only() {
        let engine = EngineThread::spawn("fragile", ()).unwrap();
        let poisoned = engine.call(|()| panic!("poison input")).await;
        assert!(matches!(poisoned, Err(EngineError::Panicked("fragile"))));
        assert_eq!(engine.call(|()| 7).await.unwrap().0, 7);
    }

    #[tokio::test]
    async fn a_request_nobody_waits_for_is_not_run() {
        let engine = EngineThread::spawn("busy", Vec::new()).unwrap();
        let (release, blocked) = std::sync::mpsc::sync_channel::<()>(0);
        let first = tokio::spawn({
            let engine = engine.clone();
            async move { engine.call(move |_| blocked.recv()).await.map(drop) }
        });
        tokio::task::yield_now().await;
        let second = tokio::spawn({
            let engine = engine.clone();
            async move { engine.call(|seen| seen.push("cancelled")).await.map(drop) }
        });
        tokio::task::yield_now().await;
        second.abort();
        assert!(second.await.unwrap_err().is_cancelled());
        release.send(()).unwrap();
        first.await.unwrap().unwrap();
        let (seen, _) = engine.call(|seen| seen.clone()).await.unwrap();
        assert!(seen.is_empty());
    }
}
