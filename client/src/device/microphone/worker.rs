//! The microphone's thread.

use std::{
    sync::{Arc, atomic::Ordering::Relaxed, mpsc::Receiver},
    time::{Duration, Instant},
};

use cpal::Device;
use interpret_models::SOURCE_SAMPLE_RATE;
use ringbuf::{
    HeapCons, HeapRb,
    traits::{Consumer, Split},
};
use tokio::sync::mpsc::{self, error::TrySendError};

use super::{
    super::{
        CaptureCallback, DeviceError, Direction, EchoGuard, Follower, LiveResampler,
        choose::format_of,
        echo::FRAME,
        loudspeaker::Feed,
        open::{Fault, Watch, abandon, capture},
        reopen::Slot,
        thread::{self, Worker as _},
    },
    MicrophoneOptions, PIECE, Shared,
};

/// How often the ring is emptied.
const WAKE_EVERY: Duration = Duration::from_millis(5);
/// Most the ring holds, in parts of a second: half a second, for a worker that is kept waiting.
const RINGS_PER_SECOND: u32 = 2;
/// What is kept of what is played, in seconds: enough that the guard never waits for it (a
/// loudspeaker asks for 20 ms at a time), and less than sound takes from the loudspeaker's callback
/// through the room to the microphone's, since a canceller cannot look ahead.
const REFERENCE_S: f64 = 0.035;

pub(super) struct Worker {
    slot: Slot,
    options: MicrophoneOptions,
    shared: Arc<Shared>,
    pieces: mpsc::Sender<Vec<f32>>,
    device: Option<Hearing>,
    guard: Option<Guard>,
    /// While there is no device: since when, and the silence given since.
    gone: Option<(Instant, u64)>,
    /// Heard, 16 kHz, less than a frame.
    heard: Vec<f32>,
    /// Guarded, 16 kHz, less than a piece.
    ready: Vec<f32>,
}

/// An open device.
struct Hearing {
    // Dropped first: no callback after that.
    stream: cpal::Stream,
    ring: HeapCons<f32>,
    watch: Watch,
    resampler: LiveResampler,
}

/// The guard against the loudspeakers, and what they play.
struct Guard {
    echo: EchoGuard,
    played: Vec<(Receiver<Feed>, Option<Follower>)>,
}

impl Worker {
    pub(super) fn new(
        slot: Slot,
        options: MicrophoneOptions,
        shared: Arc<Shared>,
        pieces: mpsc::Sender<Vec<f32>>,
        feeds: Vec<Receiver<Feed>>,
    ) -> Self {
        let guard = (!feeds.is_empty()).then(|| Guard {
            echo: EchoGuard::new(options.echo),
            played: feeds.into_iter().map(|feed| (feed, None)).collect(),
        });
        Self {
            slot,
            options,
            shared,
            pieces,
            device: None,
            guard,
            gone: None,
            heard: Vec::new(),
            ready: Vec::new(),
        }
    }

    fn look_after_device(&mut self) {
        let reason = match &mut self.device {
            Some(device) => device
                .watch
                .failed(&self.shared.health, "it stopped giving sound")
                .or_else(|| self.slot.look()),
            None => None,
        };
        if let Some(reason) = reason {
            if let Some(device) = self.device.take() {
                // Silence since it was last heard.
                self.gone = Some((device.watch.called_at(), 0));
                abandon(device.stream);
            }
            self.slot.lost(reason);
        }
        if self.device.is_none() && self.slot.try_again() {
            let gone = self.gone;
            match self.open() {
                // Also for the time that opening took.
                Ok(()) => self.heard.extend(silence_since(gone)),
                Err(error) => tracing::debug!(%error, "not back yet"),
            }
        }
    }

    /// Empties the ring, or makes the silence that is due.
    fn hear(&mut self) {
        if let Some(device) = &mut self.device {
            device.take(&mut self.heard);
        } else {
            let before = self.heard.len();
            self.heard.extend(silence_since(self.gone));
            if let Some((_, given)) = &mut self.gone {
                *given += (self.heard.len() - before) as u64;
            }
        }
    }

    fn guard_frames(&mut self) {
        let frames = self.heard.len() / FRAME * FRAME;
        let paused = self.shared.paused.load(Relaxed);
        for mut frame in self.heard[..frames].as_chunks::<FRAME>().0.iter().copied() {
            if let Some(guard) = &mut self.guard {
                guard.frame(&mut frame, &self.shared);
            }
            if paused {
                frame.fill(0.0);
            }
            self.ready.extend_from_slice(&frame);
        }
        self.heard.drain(..frames);
    }

    fn send(&mut self) {
        let whole = self.ready.len() / PIECE * PIECE;
        let pieces = self.ready.drain(..whole).collect::<Vec<f32>>();
        if !self.shared.listening.load(Relaxed) {
            return;
        }
        for piece in pieces.chunks(PIECE) {
            match self.pieces.try_send(piece.to_vec()) {
                Ok(()) | Err(TrySendError::Closed(_)) => {}
                Err(TrySendError::Full(piece)) => {
                    let lost = piece.len() as u64;
                    self.shared.lost_samples.fetch_add(lost, Relaxed);
                }
            }
        }
    }
}

impl thread::Worker for Worker {
    fn open(&mut self) -> Result<(), DeviceError> {
        let (options, shared) = (&self.options, &self.shared);
        let device = self
            .slot
            .open(|device, name| Hearing::open(device, name, options, shared))?;
        self.device = Some(device);
        self.gone = None;
        Ok(())
    }

    /// Until the microphone is closed or nobody takes what it hears.
    fn run(&mut self) {
        while !self.shared.closed.load(Relaxed) && !self.pieces.is_closed() {
            self.look_after_device();
            self.hear();
            self.guard_frames();
            self.send();
            std::thread::sleep(WAKE_EVERY);
        }
    }
}

/// The silence that is still due for the time without a device: its beginning, and what was given.
fn silence_since(gone: Option<(Instant, u64)>) -> impl Iterator<Item = f32> {
    let missing = gone.map_or(0, |(since, given)| {
        let due = since.elapsed().as_micros() * u128::from(SOURCE_SAMPLE_RATE) / 1_000_000;
        u64::try_from(due).unwrap_or(u64::MAX).saturating_sub(given)
    });
    std::iter::repeat_n(0.0, usize::try_from(missing).unwrap_or(0))
}

impl Hearing {
    fn open(
        device: &Device,
        name: &str,
        options: &MicrophoneOptions,
        shared: &Shared,
    ) -> Result<Self, DeviceError> {
        let format =
            format_of(device, Direction::Input).map_err(|error| DeviceError::of(name, error))?;
        let rate_hz = format.sample_rate();
        let capacity = (rate_hz / RINGS_PER_SECOND).max(1) as usize;
        let fault = Fault::default();
        let ring = std::cell::RefCell::new(None);
        let callback = || {
            let (producer, consumer) = HeapRb::new(capacity).split();
            // A second attempt with other buffers has a ring of its own.
            ring.replace(Some(consumer));
            CaptureCallback::new(
                producer,
                usize::from(format.channels()),
                options.pick,
                10.0_f32.powf(options.gain_db / 20.0),
                Arc::clone(&shared.level),
                Arc::clone(&shared.health),
            )
        };
        let resampler = LiveResampler::new(rate_hz, SOURCE_SAMPLE_RATE).map_err(|error| {
            DeviceError::Format {
                name: name.to_owned(),
                format: error.to_string(),
            }
        })?;
        let stream = capture(device, name, format, callback, &shared.health, &fault)?;
        let Some(ring) = ring.into_inner() else {
            return Err(DeviceError::NoDevice {
                direction: Direction::Input,
            });
        };
        Ok(Self {
            stream,
            ring,
            watch: Watch::new(fault, &shared.health),
            resampler,
        })
    }

    /// Appends what was heard, at 16 kHz.
    fn take(&mut self, heard: &mut Vec<f32>) {
        let mut block = [0.0_f32; 1024];
        loop {
            let count = self.ring.pop_slice(&mut block);
            if count == 0 {
                return;
            }
            if let Err(error) = self.resampler.push(&block[..count], heard) {
                tracing::warn!(%error, "this piece of sound is lost");
            }
        }
    }
}

impl Guard {
    fn frame(&mut self, heard: &mut [f32; FRAME], shared: &Shared) {
        let mut sum = [0.0_f32; FRAME];
        let mut played = [0.0_f32; FRAME];
        for (feeds, follower) in &mut self.played {
            while let Ok(feed) = feeds.try_recv() {
                let health = Arc::clone(&shared.health);
                *follower = Follower::new(feed.ring, feed.rate_hz, FRAME, REFERENCE_S, health)
                    .inspect_err(|error| tracing::warn!(%error, "no echo guard for this device"))
                    .ok();
            }
            let Some(follower) = follower else { continue };
            match follower.read(&mut played) {
                Ok(()) => sum.iter_mut().zip(&played).for_each(|(sum, s)| *sum += s),
                Err(error) => tracing::debug!(%error, "what is played cannot be read"),
            }
        }
        self.echo.guard(heard, &sum);
    }
}
