//! Streaming change of sample rate.

use rubato::{
    Fft, FixedSync, Indexing, Resampler as _, audioadapter_buffers::direct::InterleavedSlice,
};

/// Input frames a step takes. Small, since it is delay: 10 ms at 48 kHz.
const STEP_FRAMES: usize = 480;

/// Changes the sample rate of a mono stream, piece by piece. The output is aligned with the input
/// (the filter's delay is taken out) and as long as the input, in seconds.
#[derive(Debug)]
pub struct Resampler {
    /// None where the rates are equal.
    rubato: Option<Fft<f32>>,
    from_hz: u64,
    to_hz: u64,
    /// Input that does not fill a step yet.
    pending: Vec<f32>,
    /// Output frames at the beginning that are the filter's delay and not ours to give.
    delay_left: usize,
    taken: u64,
    given: u64,
}

/// The sample rate cannot be changed.
#[derive(Debug, thiserror::Error)]
#[error("cannot resample from {from_hz} Hz to {to_hz} Hz: {reason}")]
pub struct ResampleError {
    from_hz: u64,
    to_hz: u64,
    reason: String,
}

impl Resampler {
    /// A stream from `from_hz` to `to_hz` samples a second.
    ///
    /// # Errors
    /// When a rate is 0 or the two have too small a common divisor for the filter.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, ResampleError> {
        let (from_hz, to_hz) = (u64::from(from_hz), u64::from(to_hz));
        let rubato = if from_hz == to_hz {
            None
        } else {
            let made = Fft::new(
                from_hz as usize,
                to_hz as usize,
                STEP_FRAMES,
                1,
                FixedSync::Input,
            );
            Some(made.map_err(|e| ResampleError {
                from_hz,
                to_hz,
                reason: e.to_string(),
            })?)
        };
        let delay_left = rubato.as_ref().map_or(0, Fft::output_delay);
        Ok(Self {
            rubato,
            from_hz,
            to_hz,
            pending: Vec::new(),
            delay_left,
            taken: 0,
            given: 0,
        })
    }

    /// Takes the next samples and gives those that are ready.
    ///
    /// # Errors
    /// When the filter fails (never seen; its buffers are sized by itself).
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<f32>, ResampleError> {
        self.taken += samples.len() as u64;
        let mut out = Vec::new();
        if self.rubato.is_none() {
            out.extend_from_slice(samples);
        } else {
            self.pending.extend_from_slice(samples);
            self.run(&mut out)?;
        }
        self.given += out.len() as u64;
        Ok(out)
    }

    /// Ends the stream and gives what is left of it.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn finish(mut self) -> Result<Vec<f32>, ResampleError> {
        let owed = (self.taken * self.to_hz).div_ceil(self.from_hz);
        let mut out = Vec::new();
        while self.rubato.is_some() && self.given + (out.len() as u64) < owed {
            self.pending.resize(self.pending.len() + STEP_FRAMES, 0.0);
            self.run(&mut out)?;
        }
        out.truncate(owed.saturating_sub(self.given) as usize);
        Ok(out)
    }

    /// Resamples all whole steps that are pending, onto the end of `out`.
    fn run(&mut self, out: &mut Vec<f32>) -> Result<(), ResampleError> {
        let Some(rubato) = &mut self.rubato else {
            return Ok(());
        };
        let fail = |reason: String| ResampleError {
            from_hz: self.from_hz,
            to_hz: self.to_hz,
            reason,
        };
        let frames = self.pending.len();
        let input =
            InterleavedSlice::new(&self.pending, 1, frames).map_err(|e| fail(e.to_string()))?;
        let mut used = 0;
        while frames - used >= rubato.input_frames_next() {
            let at = Indexing::new().input_offset(used);
            used += rubato.input_frames_next();
            let made = rubato
                .process(&input, Some(&at))
                .map_err(|e| fail(e.to_string()))?;
            let made = made.take_data();
            let skipped = self.delay_left.min(made.len());
            self.delay_left -= skipped;
            out.extend_from_slice(&made[skipped..]);
        }
        self.pending.drain(..used);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::f32::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    fn sine(hz: f32, rate: u32, seconds: f32) -> Vec<f32> {
        let count = (rate as f32 * seconds) as usize;
        (0..count)
            .map(|i| 0.5 * (TAU * hz * i as f32 / rate as f32).sin())
            .collect()
    }

    fn resample(samples: &[f32], from: u32, to: u32) -> Vec<f32> {
        let mut resampler = Resampler::new(from, to).unwrap();
        let mut out = resampler.push(samples).unwrap();
        out.extend(resampler.finish().unwrap());
        out
    }

    #[test]
    fn a_sine_stays_the_same_sine_in_place_and_length() {
        for (from, to) in [
            (48_000, 16_000),
            (44_100, 16_000),
            (8_000, 16_000),
            (24_000, 8_000),
        ] {
            let out = resample(&sine(440.0, from, 1.0), from, to);
            let expected = sine(440.0, to, 1.0);
            assert_eq!(out.len(), expected.len(), "{from} to {to}");
            let middle = to as usize / 10..to as usize * 9 / 10;
            let error: f32 = middle
                .clone()
                .map(|i| (out[i] - expected[i]).powi(2))
                .sum::<f32>()
                .sqrt();
            let signal: f32 = middle.map(|i| expected[i].powi(2)).sum::<f32>().sqrt();
            let snr_db = 20.0 * (signal / error).log10();
            assert!(snr_db > 60.0, "{from} to {to}: {snr_db} dB");
        }
    }

    proptest! {
        #[test]
        fn pieces_do_not_matter(pieces in prop::collection::vec(1_usize..700, 1..12)) {
            let total: usize = pieces.iter().sum();
            let input: Vec<f32> = sine(300.0, 48_000, 1.0).into_iter().cycle().take(total).collect();
            let whole = resample(&input, 48_000, 16_000);
            let mut resampler = Resampler::new(48_000, 16_000).unwrap();
            let mut out = Vec::new();
            let mut rest = &input[..];
            for piece in pieces {
                let (now, later) = rest.split_at(piece);
                out.extend(resampler.push(now).unwrap());
                rest = later;
            }
            out.extend(resampler.finish().unwrap());
            prop_assert_eq!(out, whole);
        }
    }
}
