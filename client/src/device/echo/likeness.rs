//! Whether what is heard is what was played: the correlation of both, at the delay where it is greatest.
//!
//! It needs to know neither the delay nor the room, so it also holds where a canceller has still to learn:
//! just after a device's buffer has run empty, or the laptop was moved.

use std::collections::VecDeque;

use super::FRAME;

/// Samples that become one: speech is told by what lies below 2 kHz.
const DECIMATION: usize = 4;
/// Samples a second after that.
const RATE_HZ: usize = interpret_models::SOURCE_SAMPLE_RATE as usize / DECIMATION;
/// How much of what is heard is compared: .2 s, more than a syllable. In less, voices are like each other.
const COMPARED: usize = RATE_HZ / 5;
/// The longest delay that is looked for, of devices and the room: .5 s.
const LONGEST_DELAY: usize = RATE_HZ / 2;
/// Flattens the spectrum of speech, which falls: else all voices are alike.
const EMPHASIS: f32 = 0.9;

/// Compares the newest of what is heard with what was played lately.
#[derive(Debug)]
pub(super) struct Likeness {
    heard: Lately,
    played: Lately,
}

impl Likeness {
    pub(super) fn new() -> Self {
        Self {
            heard: Lately::new(COMPARED),
            played: Lately::new(COMPARED + LONGEST_DELAY),
        }
    }

    /// Takes what was heard and what was played in the same 4 ms.
    pub(super) fn take(&mut self, heard: &[f32; FRAME], played: &[f32; FRAME]) {
        self.heard.take(heard);
        self.played.take(played);
    }

    /// How like they are, at the delay where they are most: 0 to 1.
    pub(super) fn now(&mut self) -> f32 {
        let heard = self.heard.newest();
        let played = self.played.newest();
        let heard_power = power(heard);
        if heard.len() < COMPARED || played.len() < COMPARED || heard_power <= 0.0 {
            return 0.0;
        }
        let mut played_power = power(&played[..COMPARED]);
        let mut most: f32 = 0.0;
        for (at, window) in played.windows(COMPARED).enumerate() {
            if at > 0 {
                played_power += window[COMPARED - 1].powi(2) - played[at - 1].powi(2);
            }
            let dot: f32 = heard.iter().zip(window).map(|(h, p)| h * p).sum();
            // Where nothing was played, nothing can return.
            most = most.max(dot * dot / played_power.max(heard_power * 1e-6));
        }
        (most / heard_power).sqrt().min(1.0)
    }
}

fn power(samples: &[f32]) -> f32 {
    samples.iter().map(|s| s * s).sum()
}

/// The newest samples of a sound, with its spectrum flattened.
#[derive(Debug)]
struct Lately {
    samples: VecDeque<f32>,
    most: usize,
    before: f32,
}

impl Lately {
    fn new(most: usize) -> Self {
        Self {
            samples: VecDeque::with_capacity(most + FRAME),
            most,
            before: 0.0,
        }
    }

    fn take(&mut self, frame: &[f32; FRAME]) {
        for samples in frame.chunks(DECIMATION) {
            let mean = samples.iter().sum::<f32>() / DECIMATION as f32;
            self.samples.push_back(mean - EMPHASIS * self.before);
            self.before = mean;
        }
        let surplus = self.samples.len().saturating_sub(self.most);
        self.samples.drain(..surplus);
    }

    fn newest(&mut self) -> &[f32] {
        self.samples.make_contiguous()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DULL: usize = 8;

    /// Noise, another for each seed, dull as speech is: what lies above 2 kHz is not compared.
    fn noise(frames: usize, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let next = |_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        };
        let white: Vec<f32> = (0..frames * FRAME + 2 * DULL).map(next).collect();
        let dull = |from: &[f32]| -> Vec<f32> {
            let means = from.windows(DULL + 1);
            means
                .map(|from| from.iter().sum::<f32>() / DULL as f32)
                .collect()
        };
        dull(&dull(&white))
    }

    fn likeness(heard: &[f32], played: &[f32]) -> f32 {
        let mut likeness = Likeness::new();
        let frames = |samples: &[f32]| samples.as_chunks::<FRAME>().0.to_vec();
        for (heard, played) in frames(heard).iter().zip(&frames(played)) {
            likeness.take(heard, played);
        }
        likeness.now()
    }

    #[test]
    fn what_returns_is_known_at_any_delay_and_loudness() {
        let played = noise(400, 1);
        for delay in [64, 1_001, 4_802, 7_900] {
            for gain in [0.5, 0.01] {
                let mut heard = vec![0.0; delay];
                heard.extend(played[..played.len() - delay].iter().map(|s| s * gain));
                // A delay need not be a whole number of the samples that are compared.
                let alike = likeness(&heard, &played);
                assert!(alike > 0.8, "{delay}: {alike}");
            }
        }
    }

    #[test]
    fn somebody_else_is_somebody_else() {
        let (played, other) = (noise(400, 1), noise(400, 2));
        let alike = likeness(&other, &played);
        assert!(alike < 0.3, "{alike}");
        assert!(likeness(&other, &vec![0.0; other.len()]) < 1e-3);
        assert!(likeness(&vec![0.0; played.len()], &played) < 1e-3);
    }

    #[test]
    fn whoever_speaks_as_loudly_as_what_returns_is_heard_beside_it() {
        let (played, other) = (noise(400, 1), noise(400, 2));
        let both: Vec<f32> = played.iter().zip(&other).map(|(p, o)| p + o).collect();
        let alike = likeness(&both, &played);
        assert!((0.6..0.8).contains(&alike), "{alike}");
    }
}
