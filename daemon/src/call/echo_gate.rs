//! A telephone line gives back what is played into it, and what is given back must not be interpreted.
//!
//! Where something is played, what comes from the line is replaced by silence, unless it is louder than
//! the echo can be. How loud that is is learnt: the loudest that came back while nobody spoke, against
//! what was played. A canceller would need a line that is linear and whose delay stays; telephone lines
//! are neither (G.711 is not linear, and packets have no fixed delay), but their echo is never louder
//! than what was played.

use std::collections::VecDeque;

/// Length of what is judged at once.
const BLOCK_MS: u32 = 10;
/// An echo may come so late.
const REACH_MS: u32 = 700;
/// Below this level nothing is played, in dB of full scale.
const SILENT: f32 = -55.0;
/// How much of what is played comes back at most, before any was measured, in dB; and the loudest echo
/// that is believed.
const LOUDEST: f32 = -6.0;
/// The faintest echo that is told from none, in dB.
const FAINTEST: f32 = -40.0;
/// Speech must be so much louder than the echo, in dB.
const MARGIN: f32 = 5.0;
/// What was learnt fades by so much in a second of playing, in dB: lines change.
const FADE: f32 = 3.0;
/// Blocks in a row that must be louder.
const SURE: u32 = 2;
/// Once somebody speaks, the gate stays open for so long after each loud block: words have faint ends.
const HOLD_MS: u32 = 240;

/// The gate of one leg.
#[derive(Debug)]
pub struct EchoGate {
    /// Samples of a block.
    block: usize,
    /// Levels of what was played lately, block by block.
    played: VecDeque<f32>,
    /// Samples of what was played that fill no block yet.
    rest: Vec<f32>,
    /// The loudest echo against what was played, in dB.
    coupling: f32,
    /// Loud blocks in a row.
    loud: u32,
    /// Blocks for which the gate stays open.
    open: u32,
}

impl EchoGate {
    /// A gate for a line of so many samples a second, about which nothing is known yet.
    #[must_use]
    pub fn new(sample_rate_hz: u32) -> Self {
        Self {
            block: (sample_rate_hz * BLOCK_MS / 1_000).max(1) as usize,
            played: VecDeque::new(),
            rest: Vec::new(),
            coupling: LOUDEST,
            loud: 0,
            open: 0,
        }
    }

    /// Takes what is played into the line now.
    pub fn play(&mut self, samples: &[f32]) {
        self.rest.extend_from_slice(samples);
        let whole = self.rest.len() / self.block * self.block;
        for block in self.rest[..whole].chunks(self.block) {
            if self.played.len() == (REACH_MS / BLOCK_MS) as usize {
                self.played.pop_front();
            }
            self.played.push_back(level(block));
        }
        self.rest.drain(..whole);
    }

    /// Silences what may be echo in `samples`, which come from the line now.
    pub fn pass(&mut self, samples: &mut [f32]) {
        let played = self
            .played
            .iter()
            .copied()
            .fold(f32::NEG_INFINITY, f32::max);
        for block in samples.chunks_mut(self.block) {
            if played > SILENT && !self.is_speech(level(block), played) {
                block.fill(0.0);
            }
        }
    }

    fn is_speech(&mut self, heard: f32, played: f32) -> bool {
        if heard > (played + self.coupling + MARGIN).max(SILENT) {
            self.loud += 1;
            if self.loud >= SURE {
                self.open = HOLD_MS / BLOCK_MS;
            }
        } else {
            self.loud = 0;
            self.open = self.open.saturating_sub(1);
        }
        let speech = self.open > 0;
        if !speech {
            let faded = self.coupling - FADE * BLOCK_MS as f32 / 1_000.0;
            self.coupling = faded.max(heard - played).clamp(FAINTEST, LOUDEST);
        }
        speech
    }
}

/// Mean level in dB of full scale.
fn level(block: &[f32]) -> f32 {
    let power = block.iter().map(|s| s * s).sum::<f32>() / block.len().max(1) as f32;
    10.0 * power.max(1e-10).log10()
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE: u32 = 8_000;

    /// Noise in syllables: 160 ms on, 90 ms off, at about -20 dB where on.
    fn voice(ms: u32, seed: u32) -> Vec<f32> {
        let mut state = seed;
        let samples = RATE * ms / 1_000;
        let noise = (0..samples).map(|n| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let white = (state >> 8) as f32 / (1 << 23) as f32 - 1.0;
            let on = (n * 1_000 / RATE) % 250 < 160;
            if on { white * 0.17 } else { 0.0 }
        });
        noise.collect()
    }

    /// What is left of a line's sound, 20 ms at a time.
    fn run(played: &[f32], line: impl Fn(usize) -> f32) -> Vec<f32> {
        let mut gate = EchoGate::new(RATE);
        let mut passed = Vec::new();
        for (index, frame) in played.chunks(160).enumerate() {
            let mut heard: Vec<f32> = (0..frame.len()).map(|n| line(index * 160 + n)).collect();
            gate.pass(&mut heard);
            gate.play(frame);
            passed.extend(heard);
        }
        passed
    }

    fn power(samples: &[f32]) -> f32 {
        samples.iter().map(|s| s * s).sum()
    }

    #[test]
    fn echoes_of_any_delay_and_loudness_are_silenced() {
        let played = voice(8_000, 1);
        for delay_ms in [20, 60, 150, 300, 500] {
            for db in [-6.0_f32, -10.0, -20.0, -30.0] {
                let delay = (RATE * delay_ms / 1_000) as usize;
                let gain = 10.0_f32.powf(db / 20.0);
                let echo = |n: usize| {
                    if n < delay {
                        0.0
                    } else {
                        played[n - delay] * gain
                    }
                };
                let passed = power(&run(&played, echo));
                let all: f32 = (0..played.len()).map(|n| echo(n).powi(2)).sum();
                assert!(
                    passed < all * 0.01,
                    "{delay_ms} ms, {db} dB: {passed} of {all}"
                );
            }
        }
    }

    #[test]
    fn an_interruption_is_heard_over_an_echo_that_is_known() {
        let played = voice(10_000, 1);
        let spoken = voice(2_000, 7);
        let begin = 6 * RATE as usize;
        let line = |n: usize| {
            let echo = if n < 1_600 {
                0.0
            } else {
                played[n - 1_600] * 0.2
            };
            let speech = n
                .checked_sub(begin)
                .and_then(|n| spoken.get(n))
                .unwrap_or(&0.0);
            echo + speech
        };
        let passed = run(&played, line);
        let heard = power(&passed[begin..begin + spoken.len()]);
        assert!(
            heard > power(&spoken) * 0.8,
            "{heard} of {}",
            power(&spoken)
        );
    }

    #[test]
    fn where_nothing_is_played_everything_passes() {
        let spoken = voice(2_000, 3);
        let silence = vec![0.0; spoken.len()];
        let passed = run(&silence, |n| spoken[n] * 0.01);
        assert!((power(&passed) / power(&spoken) - 1e-4).abs() < 1e-6);
    }
}
