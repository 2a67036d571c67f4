//! A loudspeaker or headphones.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering::Relaxed},
        mpsc::{Receiver, RecvTimeoutError, SyncSender, sync_channel},
    },
    time::Duration,
};

use cpal::Device;
use ringbuf::{
    HeapCons, HeapProd, HeapRb,
    traits::{Observer, Producer, Split},
};
use tokio::sync::mpsc;

use super::{
    Choice, DeviceError, DeviceEvent, Direction, Health, LiveResampler, PlaybackCallback,
    choose::format_of,
    open::{Fault, Watch, abandon, playback},
    queue::SpeechQueue,
    reopen::Slot,
    thread::{self, Worker as _, start},
};

/// How often the ring is filled.
const WAKE_EVERY: Duration = Duration::from_millis(5);
/// What the sound system holds after the ring is empty: two buffers of 20 ms were asked for, some take more.
const DEVICE_BUFFERS: Duration = Duration::from_millis(100);
/// Sound kept in the ring beyond what the device asks for at a time, in milliseconds: what a worker that
/// wakes late needs. Each gap shows that it needs more, up to a limit.
const RING_RESERVE_MS: u32 = 15;
const MORE_AFTER_A_GAP_MS: u32 = 10;
const MOST_GAPS_COUNTED: u64 = 5;
/// Most the ring and the ring of the reference hold, in parts of a second: 200 ms.
const RINGS_PER_SECOND: u32 = 5;
/// Feeds that wait for an echo guard, which takes them a hundred times a second.
const FEEDS: usize = 4;
/// Commands that wait. Full: the sender waits, for a few milliseconds.
const COMMANDS: usize = 256;

/// How to open a loudspeaker.
#[derive(Debug, Clone, Default)]
pub struct LoudspeakerOptions {
    /// Which one.
    pub choice: Choice,
    /// Whether the default one will do while the chosen one is gone.
    pub fallback: bool,
}

/// Plays speech. Dropped, it stops at once; see [`drain`](Self::drain).
#[derive(Debug)]
pub struct Loudspeaker {
    commands: SyncSender<Command>,
    health: Arc<Health>,
    waiting_ms: Arc<AtomicU64>,
    lost_ms: Arc<AtomicU64>,
    feeds: Option<Receiver<Feed>>,
    worker: Option<std::thread::JoinHandle<()>>,
}

/// What a loudspeaker plays, for an echo guard; a new one whenever the device is opened again.
pub(super) struct Feed {
    pub(super) ring: HeapCons<f32>,
    pub(super) rate_hz: u32,
}

enum Command {
    Speak {
        samples: Vec<f32>,
        rate_hz: u32,
        sentence: u64,
    },
    Mute(bool),
    Again,
}

impl Loudspeaker {
    /// Opens the loudspeaker and starts its thread. `events` learns when it is lost and found.
    ///
    /// # Errors
    ///
    /// Where it cannot be opened now; later losses are events.
    pub fn open(
        options: LoudspeakerOptions,
        events: mpsc::Sender<DeviceEvent>,
    ) -> Result<Self, DeviceError> {
        let (commands, queued) = sync_channel(COMMANDS);
        let (feed, feeds) = sync_channel(FEEDS);
        let health = Arc::new(Health::default());
        let (waiting_ms, lost_ms) = (Arc::default(), Arc::default());
        let (healths, waits, losses) = (
            Arc::clone(&health),
            Arc::clone(&waiting_ms),
            Arc::clone(&lost_ms),
        );
        let worker = start(Direction::Output, move || Worker {
            slot: Slot::new(Direction::Output, options.choice, options.fallback, events),
            device: None,
            commands: queued,
            feed,
            health: healths,
            queue: SpeechQueue::new(24_000),
            muted: false,
            waiting_ms: waits,
            lost_ms: losses,
        })?;
        Ok(Self {
            commands,
            health,
            waiting_ms,
            lost_ms,
            feeds: Some(feeds),
            worker: Some(worker),
        })
    }

    /// Says mono samples of a sentence after what is being said.
    pub fn speak(&self, samples: Vec<f32>, rate_hz: u32, sentence: u64) {
        self.command(Command::Speak {
            samples,
            rate_hz,
            sentence,
        });
    }

    /// Silence, while speech goes on unheard; or not.
    pub fn mute(&self, muted: bool) {
        self.command(Command::Mute(muted));
    }

    /// Says the last sentence again.
    pub fn again(&self) {
        self.command(Command::Again);
    }

    fn command(&self, command: Command) {
        if self.commands.send(command).is_err() {
            tracing::warn!("the loudspeaker's thread is gone");
        }
    }

    /// Speech that has not been played yet, in milliseconds.
    #[must_use]
    pub fn waiting_ms(&self) -> u64 {
        self.waiting_ms.load(Relaxed)
    }

    /// Speech that was never played, because the device was gone or too much waited.
    #[must_use]
    pub fn lost_ms(&self) -> u64 {
        self.lost_ms.load(Relaxed)
    }

    /// What goes wrong at the device.
    #[must_use]
    pub fn health(&self) -> &Arc<Health> {
        &self.health
    }

    /// Waits until all has been played.
    pub async fn drain(&self) {
        // What was just queued is counted by the worker's next round.
        tokio::time::sleep(WAKE_EVERY * 4).await;
        while self.waiting_ms() > 0 {
            tokio::time::sleep(WAKE_EVERY * 4).await;
        }
        // The sound system still plays what it took last.
        tokio::time::sleep(DEVICE_BUFFERS).await;
    }

    /// What it plays, for an echo guard; once.
    pub(super) fn feeds(&mut self) -> Option<Receiver<Feed>> {
        self.feeds.take()
    }
}

impl Drop for Loudspeaker {
    fn drop(&mut self) {
        let (closed, _) = sync_channel(1);
        drop(std::mem::replace(&mut self.commands, closed));
        if let Some(worker) = self.worker.take() {
            // A worker that panicked has told so itself.
            let _ = worker.join();
        }
    }
}

struct Worker {
    slot: Slot,
    device: Option<Playing>,
    commands: Receiver<Command>,
    feed: SyncSender<Feed>,
    health: Arc<Health>,
    queue: SpeechQueue,
    muted: bool,
    waiting_ms: Arc<AtomicU64>,
    lost_ms: Arc<AtomicU64>,
}

/// An open device.
struct Playing {
    // Dropped first: no callback after that.
    stream: cpal::Stream,
    ring: HeapProd<f32>,
    rate_hz: u32,
    watch: Watch,
    speaking: Arc<AtomicBool>,
    resampler: LiveResampler,
    resampled_hz: u32,
    /// Silence still to follow the last speech, so that the filter gives all of it.
    tail: usize,
}

impl thread::Worker for Worker {
    fn open(&mut self) -> Result<(), DeviceError> {
        let (health, feed, spoken_hz) = (&self.health, &self.feed, self.queue.rate_hz());
        let device = self
            .slot
            .open(|device, name| Playing::open(device, name, spoken_hz, health, feed))?;
        self.device = Some(device);
        Ok(())
    }

    /// Until nobody can send commands any more.
    fn run(&mut self) {
        loop {
            match self.commands.recv_timeout(WAKE_EVERY) {
                Ok(command) => self.obey(command),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return,
            }
            while let Ok(command) = self.commands.try_recv() {
                self.obey(command);
            }
            self.look_after_device();
            self.fill();
        }
    }
}

impl Worker {
    fn obey(&mut self, command: Command) {
        match command {
            Command::Speak {
                samples,
                rate_hz,
                sentence,
            } => {
                if rate_hz != self.queue.rate_hz() {
                    self.lose(self.queue.len());
                    self.queue = SpeechQueue::new(rate_hz);
                }
                let dropped = self.queue.push(sentence, &samples);
                self.lose(dropped);
            }
            Command::Mute(muted) => self.muted = muted,
            Command::Again => self.queue.again(),
        }
    }

    fn lose(&self, samples: usize) {
        self.lost_ms.fetch_add(self.queue.ms(samples), Relaxed);
    }

    fn look_after_device(&mut self) {
        let reason = match &mut self.device {
            Some(device) => device
                .watch
                .failed(&self.health, "it stopped asking for sound")
                .or_else(|| self.slot.look()),
            None => None,
        };
        if let Some(reason) = reason {
            if let Some(device) = self.device.take() {
                self.lost_ms.fetch_add(device.ring_ms(), Relaxed);
                abandon(device.stream);
            }
            self.slot.lost(reason);
        }
        if self.device.is_none() {
            // What cannot be heard now would only be late.
            let dropped = self.queue.clear();
            self.lose(dropped);
            if self.slot.try_again()
                && let Err(error) = self.open()
            {
                tracing::debug!(%error, "not back yet");
            }
        }
    }

    /// Brings the ring to its target.
    fn fill(&mut self) {
        let waiting = match &mut self.device {
            Some(device) => device.fill(&mut self.queue, self.muted, &self.health),
            None => 0,
        };
        self.waiting_ms
            .store(self.queue.ms(self.queue.len()) + waiting, Relaxed);
    }
}

impl Playing {
    fn open(
        device: &Device,
        name: &str,
        spoken_hz: u32,
        health: &Arc<Health>,
        feed: &SyncSender<Feed>,
    ) -> Result<Self, DeviceError> {
        let format =
            format_of(device, Direction::Output).map_err(|error| DeviceError::of(name, error))?;
        let rate_hz = format.sample_rate();
        let capacity = (rate_hz / RINGS_PER_SECOND).max(1) as usize;
        let speaking = Arc::new(AtomicBool::new(false));
        let fault = Fault::default();
        let rings = std::cell::RefCell::new(None);
        let callback = || {
            let (producer, consumer) = HeapRb::new(capacity).split();
            let (reference, played) = HeapRb::new(capacity).split();
            // A second attempt with other buffers has rings of its own.
            rings.replace(Some((producer, played)));
            PlaybackCallback::new(
                consumer,
                usize::from(format.channels()),
                Arc::clone(&speaking),
                Some(reference),
                Arc::clone(health),
            )
        };
        let resampler =
            LiveResampler::new(spoken_hz, rate_hz).map_err(|error| DeviceError::Format {
                name: name.to_owned(),
                format: error.to_string(),
            })?;
        let stream = playback(device, name, format, callback, health, &fault)?;
        let Some((ring, played)) = rings.into_inner() else {
            return Err(DeviceError::NoDevice {
                direction: Direction::Output,
            });
        };
        // Without an echo guard nobody takes it, and it may be full.
        let _ = feed.try_send(Feed {
            ring: played,
            rate_hz,
        });
        Ok(Self {
            stream,
            ring,
            rate_hz,
            watch: Watch::new(fault, health),
            speaking,
            resampler,
            resampled_hz: spoken_hz,
            tail: 0,
        })
    }

    /// Moves speech into the ring; returns milliseconds of speech in the ring.
    fn fill(&mut self, queue: &mut SpeechQueue, muted: bool, health: &Health) -> u64 {
        if queue.rate_hz() != self.resampled_hz
            && let Ok(resampler) = LiveResampler::new(queue.rate_hz(), self.rate_hz)
        {
            self.resampler = resampler;
            self.resampled_hz = queue.rate_hz();
        }
        let report = health.report();
        // At most five: it fits.
        let gaps = report.underruns.min(MOST_GAPS_COUNTED) as u32;
        let reserve_ms = RING_RESERVE_MS + gaps * MORE_AFTER_A_GAP_MS;
        let target = (self.rate_hz * reserve_ms / 1000 + report.last_request) as usize;
        let step = (queue.rate_hz() / 200).max(1) as usize;
        let (mut speech, mut out) = (Vec::new(), Vec::new());
        // One step never brings more than this.
        let room = self.rate_hz as usize / 100;
        while self.ring.occupied_len() < target && self.ring.vacant_len() > room {
            speech.clear();
            out.clear();
            queue.take(step, &mut speech);
            if speech.is_empty() {
                if self.tail == 0 {
                    break;
                }
                speech.resize(self.tail.min(step), 0.0);
                self.tail -= speech.len();
            } else {
                self.tail = self.resampler.tail();
            }
            if let Err(error) = self.resampler.push(&speech, &mut out) {
                tracing::warn!(%error, "this piece of speech is lost");
                continue;
            }
            if muted {
                out.fill(0.0);
            }
            let pushed = self.ring.push_slice(&out);
            if pushed < out.len() {
                tracing::debug!(lost = out.len() - pushed, "the ring is full");
            }
        }
        let more = queue.len() > 0 || self.tail > 0;
        self.speaking.store(more, Relaxed);
        self.ring_ms()
    }

    /// Milliseconds of speech in the ring.
    fn ring_ms(&self) -> u64 {
        self.ring.occupied_len() as u64 * 1000 / u64::from(self.rate_hz.max(1))
    }
}
