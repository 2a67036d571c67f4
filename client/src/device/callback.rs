//! What runs on the sound system's thread. Nothing here may allocate, lock, log, or call the
//! system.

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering::Relaxed},
};

use cpal::FromSample;
use ringbuf::{
    HeapCons, HeapProd,
    traits::{Consumer, Producer},
};

use super::health::{Health, Level};

/// Frames handled at once, on the stack.
const BLOCK: usize = 128;
/// How fast a sound that was cut off dies away, each frame: 60 dB in about 7 ms at 48 kHz.
const DECAY: f32 = 0.98;
/// How fast sound comes back after silence, each frame: full in about 2 ms at 48 kHz.
const RISE: f32 = 0.01;

/// Which channels of a microphone to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pick {
    /// The mean of all.
    #[default]
    All,
    /// One, counted from 0.
    One(usize),
}

/// From a microphone's buffer into a ring, as one channel.
pub struct CaptureCallback {
    ring: HeapProd<f32>,
    channels: usize,
    pick: Pick,
    gain: f32,
    level: Arc<Level>,
    health: Arc<Health>,
}

impl CaptureCallback {
    /// Hears `pick` of `channels` interleaved channels, times `gain`. A ring that is full loses
    /// what comes, and says so in `health`.
    #[must_use]
    pub fn new(
        ring: HeapProd<f32>,
        channels: usize,
        pick: Pick,
        gain: f32,
        level: Arc<Level>,
        health: Arc<Health>,
    ) -> Self {
        let channels = channels.max(1);
        let pick = match pick {
            Pick::One(channel) => Pick::One(channel.min(channels - 1)),
            Pick::All => Pick::All,
        };
        Self {
            ring,
            channels,
            pick,
            gain,
            level,
            health,
        }
    }

    /// Takes what the device has heard.
    pub fn take<S>(&mut self, data: &[S])
    where
        S: Copy,
        f32: FromSample<S>,
    {
        let mut block = [0.0_f32; BLOCK];
        let mut peak = 0.0_f32;
        self.health.called(data.len() / self.channels);
        for frames in data.chunks(BLOCK * self.channels) {
            let count = frames.len() / self.channels;
            for (mono, frame) in block.iter_mut().zip(frames.chunks_exact(self.channels)) {
                let sample = match self.pick {
                    Pick::All => {
                        let sum: f32 = frame.iter().map(|s| f32::from_sample_(*s)).sum();
                        sum / self.channels as f32
                    }
                    Pick::One(channel) => f32::from_sample_(frame[channel]),
                } * self.gain;
                // A broken driver must not poison the models.
                *mono = if sample.is_finite() { sample } else { 0.0 };
                peak = peak.max(mono.abs());
            }
            let pushed = self.ring.push_slice(&block[..count]);
            if pushed < count {
                self.health.overrun(count - pushed);
            }
        }
        self.level.raise(peak);
    }
}

/// From a ring into a loudspeaker's buffer, on all its channels.
pub struct PlaybackCallback {
    ring: HeapCons<f32>,
    channels: usize,
    /// Whether more is on its way: an empty ring is then an underrun, and silence otherwise.
    speaking: Arc<AtomicBool>,
    /// What is played, for the echo guard.
    reference: Option<HeapProd<f32>>,
    health: Arc<Health>,
    last: f32,
    rise: f32,
    starved: bool,
}

impl PlaybackCallback {
    /// Plays `ring` on `channels` interleaved channels and copies what it plays to `reference`.
    #[must_use]
    pub fn new(
        ring: HeapCons<f32>,
        channels: usize,
        speaking: Arc<AtomicBool>,
        reference: Option<HeapProd<f32>>,
        health: Arc<Health>,
    ) -> Self {
        Self {
            ring,
            channels: channels.max(1),
            speaking,
            reference,
            health,
            last: 0.0,
            rise: 1.0,
            starved: true,
        }
    }

    /// Fills a buffer of the device.
    pub fn give<S>(&mut self, data: &mut [S])
    where
        S: Copy + FromSample<f32>,
    {
        let mut block = [0.0_f32; BLOCK];
        self.health.called(data.len() / self.channels);
        for frames in data.chunks_mut(BLOCK * self.channels) {
            let count = frames.len() / self.channels;
            let had = self.ring.pop_slice(&mut block[..count]);
            if had > 0 && self.starved {
                self.starved = false;
                // Where sound begins at a loud sample, it must not click.
                self.rise = if block[0].abs() < 0.01 { 1.0 } else { 0.0 };
            }
            for sample in &mut block[..had] {
                *sample *= self.rise;
                self.rise = (self.rise + RISE).min(1.0);
                self.last = *sample;
            }
            if had < count {
                if !self.starved && self.speaking.load(Relaxed) {
                    self.health.underrun();
                }
                self.starved = true;
                for sample in &mut block[had..count] {
                    self.last *= DECAY;
                    *sample = self.last;
                }
            }
            for (frame, sample) in frames.chunks_mut(self.channels).zip(&block) {
                frame.fill(S::from_sample_(*sample));
            }
            if let Some(reference) = &mut self.reference {
                // Full where nobody guards against an echo: then nothing is lost.
                reference.push_slice(&block[..count]);
            }
        }
    }
}

impl std::fmt::Debug for CaptureCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("CaptureCallback")
            .field("channels", &self.channels)
            .field("pick", &self.pick)
            .finish_non_exhaustive()
    }
}

impl std::fmt::Debug for PlaybackCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PlaybackCallback")
            .field("channels", &self.channels)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use ringbuf::{HeapRb, traits::Split};

    use super::*;

    fn heard(pick: Pick, gain: f32, channels: usize, data: &[i16]) -> (Vec<f32>, Arc<Health>) {
        let (producer, mut consumer) = HeapRb::new(300).split();
        let health = Arc::new(Health::default());
        let level = Arc::new(Level::default());
        CaptureCallback::new(producer, channels, pick, gain, level, Arc::clone(&health)).take(data);
        (consumer.pop_iter().collect(), health)
    }

    #[test]
    fn channels_are_mixed_or_picked_and_made_louder() {
        let data = [16384, -16384, 8192, 0];
        assert_eq!(heard(Pick::All, 2.0, 2, &data).0, [0.0, 0.25]);
        assert_eq!(heard(Pick::One(1), 1.0, 2, &data).0, [-0.5, 0.0]);
        // A channel that is not there is the last that is.
        assert_eq!(heard(Pick::One(7), 1.0, 2, &data).0, [-0.5, 0.0]);
    }

    #[test]
    fn what_the_ring_cannot_hold_is_counted() {
        let (kept, health) = heard(Pick::All, 1.0, 1, &[1000; 1000]);
        assert_eq!(kept.len(), 300);
        assert_eq!(health.report().overrun_frames, 700);
    }

    #[test]
    fn every_channel_plays_and_silence_is_no_underrun() {
        let (mut producer, consumer) = HeapRb::new(300).split();
        let (reference, mut played) = HeapRb::new(300).split();
        let health = Arc::new(Health::default());
        let speaking = Arc::new(AtomicBool::new(true));
        let mut callback = PlaybackCallback::new(
            consumer,
            2,
            Arc::clone(&speaking),
            Some(reference),
            Arc::clone(&health),
        );
        producer.push_slice(&[0.0, 0.005]);
        let mut data = [1.0_f32; 6];
        callback.give(&mut data);
        assert_eq!(data[..4], [0.0, 0.0, 0.005, 0.005]);
        assert_eq!(played.pop_iter().count(), 3);
        assert_eq!(health.report().underruns, 1, "in the middle of speech");
        callback.give(&mut data);
        assert_eq!(health.report().underruns, 1, "an underrun counts once");
        speaking.store(false, Relaxed);
        producer.push_slice(&[0.0]);
        callback.give(&mut data);
        assert_eq!(health.report().underruns, 1, "speech was over");
    }

    #[test]
    fn sound_that_is_cut_off_or_starts_in_the_middle_does_not_click() {
        let (mut producer, consumer) = HeapRb::new(2000).split();
        let mut callback = PlaybackCallback::new(consumer, 1, Arc::default(), None, Arc::default());
        producer.push_slice(&[0.8; 1000]);
        let mut data = [0.0_f32; 2000];
        callback.give(&mut data);
        let mut before = 0.0;
        for sample in data {
            assert!((sample - before).abs() < 0.02, "{before} to {sample}");
            before = sample;
        }
        assert!((data[999] - 0.8).abs() < 1e-6);
        assert!(data[1999].abs() < 1e-3);
    }
}
