//! Change of sample rate with little delay, for sound that is being heard.

use rubato::{
    Async, FixedAsync, Indexing, Resampler as _, SincInterpolationParameters, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

use crate::audio::ResampleFailed;

/// Taps of the filter. Half of them are delay: 1.3 ms at 48 kHz.
const TAPS: usize = 128;
/// Steps a second: 5 ms of sound at a time.
const STEPS_PER_SECOND: u32 = 200;

/// The filter that all live resampling uses.
pub(super) fn filter() -> SincInterpolationParameters {
    SincInterpolationParameters::new(TAPS, WindowFunction::BlackmanHarris2)
}

/// Resamples mono sound in steps of 5 ms. Unlike [`crate::audio::Resampler`], which may look
/// ahead in a file, it gives what it has as soon as it can: the sound comes out a few milliseconds
/// late.
pub struct LiveResampler {
    /// None where the rates are equal.
    inner: Option<Async<f32>>,
    from_hz: u32,
    pending: Vec<f32>,
    scratch: Vec<f32>,
}

impl LiveResampler {
    /// From `from_hz` to `to_hz` samples a second.
    ///
    /// # Errors
    ///
    /// Where a rate is 0.
    pub fn new(from_hz: u32, to_hz: u32) -> Result<Self, ResampleFailed> {
        let inner = if from_hz == to_hz && from_hz > 0 {
            None
        } else {
            let ratio = f64::from(to_hz) / f64::from(from_hz);
            let step = (from_hz / STEPS_PER_SECOND).max(1) as usize;
            let made = Async::new_sinc(ratio, 1.0, &filter(), step, 1, FixedAsync::Input);
            Some(made.map_err(|error| ResampleFailed {
                from_hz,
                reason: error.to_string(),
            })?)
        };
        Ok(Self {
            scratch: vec![0.0; inner.as_ref().map_or(0, |inner| inner.output_frames_max())],
            inner,
            from_hz,
            pending: Vec::new(),
        })
    }

    /// Takes sound and appends what is ready to `out`.
    ///
    /// # Errors
    ///
    /// Where the resampler itself fails.
    pub fn push(&mut self, input: &[f32], out: &mut Vec<f32>) -> Result<(), ResampleFailed> {
        let Some(inner) = &mut self.inner else {
            out.extend_from_slice(input);
            return Ok(());
        };
        self.pending.extend_from_slice(input);
        let step = inner.input_frames_next();
        let mut used = 0;
        while self.pending.len() - used >= step {
            let written = convert(inner, &self.pending[used..used + step], &mut self.scratch)
                .map_err(|reason| ResampleFailed {
                    from_hz: self.from_hz,
                    reason,
                })?;
            out.extend_from_slice(&self.scratch[..written]);
            used += step;
        }
        self.pending.drain(..used);
        Ok(())
    }

    /// Silence that must follow the last sound for all of it to come out, in input samples.
    #[must_use]
    pub fn tail(&self) -> usize {
        match &self.inner {
            Some(inner) => inner.input_frames_next() + TAPS,
            None => 0,
        }
    }
}

/// One step: samples read are all of `input`; returns samples written.
pub(super) fn convert(
    resampler: &mut Async<f32>,
    input: &[f32],
    output: &mut [f32],
) -> Result<usize, String> {
    let input = InterleavedSlice::new(input, 1, input.len()).map_err(|e| e.to_string())?;
    let capacity = output.len();
    let mut output = InterleavedSlice::new_mut(output, 1, capacity).map_err(|e| e.to_string())?;
    resampler
        .process_into_buffer(&input, &mut output, None::<&Indexing>)
        .map(|(_, written)| written)
        .map_err(|e| e.to_string())
}

impl std::fmt::Debug for LiveResampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LiveResampler")
            .field("from_hz", &self.from_hz)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use super::*;

    fn tone(rate: u32, hz: f64) -> Vec<f32> {
        (0..rate)
            .map(|n| (0.5 * (TAU * hz * f64::from(n) / f64::from(rate)).sin()) as f32)
            .collect()
    }

    #[test]
    fn a_tone_keeps_its_length_its_level_and_comes_at_once() {
        for (from, to) in [
            (44_100, 16_000),
            (48_000, 16_000),
            (24_000, 48_000),
            (24_000, 44_100),
        ] {
            let mut resampler = LiveResampler::new(from, to).unwrap();
            let mut out = Vec::new();
            for piece in tone(from, 440.0).chunks(441) {
                resampler.push(piece, &mut out).unwrap();
            }
            let late = to as usize - out.len().min(to as usize);
            assert!(
                late < to as usize / 100,
                "{late} of {to} samples are missing"
            );
            let level = out[to as usize / 2..]
                .iter()
                .fold(0.0_f32, |a, b| a.max(b.abs()));
            assert!((level - 0.5).abs() < 0.01, "{from} to {to}: {level}");
            // The first rise of the tone: a quarter of a period, and the filter's delay.
            let rise = out.iter().position(|s| *s > 0.45).unwrap();
            assert!(rise < to as usize / 200, "{from} to {to}: after {rise}");
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_filtered_out() {
        let mut resampler = LiveResampler::new(48_000, 16_000).unwrap();
        let mut out = Vec::new();
        resampler.push(&tone(48_000, 11_000.0), &mut out).unwrap();
        let loudest = out[1000..].iter().fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!(loudest < 2e-3, "alias of {loudest}");
    }
}
