//! A microphone, as a stream of speech at 16 kHz.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    thread,
};

use futures_util::Stream;
use tokio::sync::mpsc;

use super::{
    Choice, DeviceError, DeviceEvent, Direction, EchoMode, Health, Level, Loudspeaker, Pick,
    reopen::Slot, thread::start,
};
use crate::audio::AudioError;

mod worker;

use worker::Worker;

/// Samples in one piece: 20 ms.
const PIECE: usize = 320;
/// Pieces that wait while the network takes none: a minute, longer than a lost connection is tried again.
const PIECES_WAITING: usize = 3_000;

/// How to open a microphone.
#[derive(Debug, Clone, Default)]
pub struct MicrophoneOptions {
    /// Which one.
    pub choice: Choice,
    /// Whether the default one will do while the chosen one is gone.
    pub fallback: bool,
    /// Which of its channels.
    pub pick: Pick,
    /// How much louder to make it, in dB.
    pub gain_db: f32,
    /// How it is guarded against the loudspeaker.
    pub echo: EchoMode,
}

/// An open microphone. Dropped, it is closed, and its stream ends.
#[derive(Debug)]
pub struct Microphone {
    shared: Arc<Shared>,
    worker: Option<thread::JoinHandle<()>>,
}

/// What the microphone's thread and its owners share.
#[derive(Debug, Default)]
struct Shared {
    level: Arc<Level>,
    health: Arc<Health>,
    /// Nobody may hear it now.
    paused: AtomicBool,
    /// Somebody takes the stream; what was heard before is none of theirs.
    listening: AtomicBool,
    closed: AtomicBool,
    lost_samples: AtomicU64,
    taken_samples: AtomicU64,
}

/// What a microphone hears: mono pieces of 20 ms at 16 kHz, from when the stream is first asked.
/// While the device is gone it gives silence, so that the clock of the session goes on.
///
/// Clones are handles of the same stream, for sessions one after the other: each goes on where the
/// one before has stopped.
#[derive(Debug, Clone)]
pub struct MicrophoneStream {
    pieces: Arc<Mutex<mpsc::Receiver<Vec<f32>>>>,
    shared: Arc<Shared>,
}

impl MicrophoneStream {
    /// Sound that was taken from the stream so far, in milliseconds.
    #[must_use]
    pub fn taken_ms(&self) -> u64 {
        crate::audio::source_ms(self.shared.taken_samples.load(Relaxed))
    }
}

impl Microphone {
    /// Opens the microphone and starts its thread, guarded against `loudspeakers`. `events` learns
    /// when it is lost and found.
    ///
    /// # Errors
    ///
    /// Where it cannot be opened now; later losses are events.
    pub fn open(
        options: MicrophoneOptions,
        loudspeakers: &mut [Loudspeaker],
        events: mpsc::Sender<DeviceEvent>,
    ) -> Result<(Self, MicrophoneStream), DeviceError> {
        let shared = Arc::new(Shared::default());
        let (pieces, received) = mpsc::channel(PIECES_WAITING);
        let feeds = match options.echo {
            EchoMode::Off => Vec::new(),
            EchoMode::Cancel | EchoMode::HalfDuplex => loudspeakers
                .iter_mut()
                .filter_map(Loudspeaker::feeds)
                .collect(),
        };
        let with_worker = Arc::clone(&shared);
        let worker = start(Direction::Input, move || {
            let choice = options.choice.clone();
            let slot = Slot::new(Direction::Input, choice, options.fallback, events);
            Worker::new(slot, options, with_worker, pieces, feeds)
        })?;
        let stream = MicrophoneStream {
            pieces: Arc::new(Mutex::new(received)),
            shared: Arc::clone(&shared),
        };
        let microphone = Self {
            shared,
            worker: Some(worker),
        };
        Ok((microphone, stream))
    }

    /// How loud it is.
    #[must_use]
    pub fn level(&self) -> &Arc<Level> {
        &self.shared.level
    }

    /// What goes wrong at the device.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.shared.health
    }

    /// Sound that was heard and never sent, because the network took none for too long.
    #[must_use]
    pub fn lost_ms(&self) -> u64 {
        crate::audio::source_ms(self.shared.lost_samples.load(Relaxed))
    }

    /// Hears nothing more. The stream gives what was heard before, and ends.
    pub fn stop(&self) {
        self.shared.closed.store(true, Relaxed);
    }

    /// Hears nothing from now on, or hears again. Time goes on: the session gets silence.
    pub fn pause(&self, paused: bool) {
        self.shared.paused.store(paused, Relaxed);
    }
}

impl Drop for Microphone {
    fn drop(&mut self) {
        self.stop();
        if let Some(worker) = self.worker.take() {
            // A worker that panicked has told so itself.
            let _ = worker.join();
        }
    }
}

impl Stream for MicrophoneStream {
    type Item = Result<Vec<f32>, AudioError>;

    fn poll_next(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let stream = self.get_mut();
        stream.shared.listening.store(true, Relaxed);
        let mut pieces = stream.pieces.lock().unwrap_or_else(PoisonError::into_inner);
        let piece = pieces.poll_recv(context);
        if let Poll::Ready(Some(piece)) = &piece {
            let samples = piece.len() as u64;
            stream.shared.taken_samples.fetch_add(samples, Relaxed);
        }
        piece.map(|piece| piece.map(Ok))
    }
}
