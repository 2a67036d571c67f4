//! When each piece of audio is sent.

use std::time::Duration;

use interpret_models::SOURCE_SAMPLE_RATE;
use tokio::time::{Instant, sleep_until};

/// How fast audio is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pace {
    /// At the speed of speech, as from a microphone: a chunk leaves when its last sample has been
    /// spoken, never before.
    #[default]
    RealTime,
    /// As fast as the daemon takes it (HTTP/2 flow control holds the sender back).
    Fast,
    /// At once: it comes from a device, whose own clock is the speed of speech.
    Device,
}

impl Pace {
    /// Whether somebody listens while the speaker speaks: arrival times mean something.
    #[must_use]
    pub fn is_live(self) -> bool {
        match self {
            Self::RealTime | Self::Device => true,
            Self::Fast => false,
        }
    }
}

/// Holds audio back until it is due. Every due time is counted from one start instant, so a late
/// chunk does not make the following ones late: nothing drifts.
#[derive(Debug)]
pub struct Pacer {
    pace: Pace,
    start: Instant,
    samples: u64,
}

impl Pacer {
    /// Starts the clock of source time now.
    #[must_use]
    pub fn start(pace: Pace) -> Self {
        Self {
            pace,
            start: Instant::now(),
            samples: 0,
        }
    }

    /// The instant of the first sample.
    #[must_use]
    pub fn started(&self) -> Instant {
        self.start
    }

    /// Samples let through so far.
    #[must_use]
    pub fn samples(&self) -> u64 {
        self.samples
    }

    /// Waits until the next `samples` samples (at 16 kHz) are due.
    pub async fn wait_for(&mut self, samples: usize) {
        self.samples += samples as u64;
        if self.pace == Pace::RealTime {
            let nanos = u128::from(self.samples) * 1_000_000_000 / u128::from(SOURCE_SAMPLE_RATE);
            let due = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
            sleep_until(self.start + due).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn real_time_never_drifts_even_when_a_chunk_is_late() {
        let mut pacer = Pacer::start(Pace::RealTime);
        let start = pacer.started();
        for chunk in 1..=1000_u64 {
            if chunk == 500 {
                tokio::time::sleep(Duration::from_millis(230)).await;
            }
            pacer.wait_for(640).await;
            let due = Duration::from_millis(chunk * 40);
            let late = start.elapsed().checked_sub(due).expect("never early");
            // tokio's timer ticks in milliseconds and rounds up.
            let allowed = match chunk {
                500..=505 => Duration::from_millis(231),
                _ => Duration::from_millis(1),
            };
            assert!(late <= allowed, "chunk {chunk} is {late:?} late");
        }
        assert_eq!(pacer.samples(), 640_000);
    }

    #[tokio::test(start_paused = true)]
    async fn odd_chunks_are_due_when_their_last_sample_is() {
        let mut pacer = Pacer::start(Pace::RealTime);
        for size in [1_usize, 333, 7, 15_659] {
            pacer.wait_for(size).await;
        }
        assert_eq!(pacer.started().elapsed().as_millis(), 1000);
    }

    #[tokio::test(start_paused = true)]
    async fn fast_does_not_wait() {
        let mut pacer = Pacer::start(Pace::Fast);
        for _ in 0..1000 {
            pacer.wait_for(16_000).await;
        }
        assert_eq!(pacer.started().elapsed(), Duration::ZERO);
    }
}
