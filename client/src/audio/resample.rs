//! Any sample rate to 16 kHz, as a stream.

use interpret_models::SOURCE_SAMPLE_RATE;
use rubato::{
    Fft, FixedSync, Indexing, Resampler as _, WindowFunction,
    audioadapter_buffers::direct::InterleavedSlice,
};

/// Least input frames for one transform. Longer means a steeper filter and more delay; the delay
/// is trimmed away, and files can be read ahead, so quality wins.
const LEAST_BLOCK: u32 = 2048;

/// Highest rate that is taken: four times that of the finest sound cards. A transform is as long as the rate
/// where that shares no divisor with ours, and a damaged header may claim any.
const MOST_HZ: u32 = 768_000;

/// The rate cannot be converted, or the resampler failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot resample from {from_hz} Hz to 16000 Hz: {reason}")]
pub struct ResampleFailed {
    /// Rate of the input.
    pub from_hz: u32,
    /// What the resampler says.
    pub reason: String,
}

/// Resamples mono audio from one rate to 16 kHz. What comes out does not depend on how the input
/// is cut into pieces, is not delayed against it, and is `ceil(input * 16000 / rate)` samples long
/// in all.
///
/// ```
/// let mut resampler = interpret::audio::Resampler::new(48_000)?;
/// let mut out = Vec::new();
/// resampler.push(&[0.0; 4800], &mut out)?;
/// resampler.finish(&mut out)?;
/// assert_eq!(out.len(), 1600);
/// # Ok::<(), interpret::audio::ResampleFailed>(())
/// ```
pub struct Resampler {
    from_hz: u32,
    /// None where the rate is right already.
    fft: Option<Fft<f32>>,
    pending: Vec<f32>,
    scratch: Vec<f32>,
    /// Start-up delay not yet trimmed off, in output samples.
    to_trim: usize,
    received: u64,
    given: u64,
}

impl Resampler {
    /// Makes a resampler from `from_hz` samples a second.
    ///
    /// # Errors
    ///
    /// Where `from_hz` is 0 or above 768,000.
    pub fn new(from_hz: u32) -> Result<Self, ResampleFailed> {
        if from_hz > MOST_HZ {
            return Err(ResampleFailed {
                from_hz,
                reason: format!("no more than {MOST_HZ} Hz is taken"),
            });
        }
        let fft = if from_hz == SOURCE_SAMPLE_RATE {
            None
        } else {
            let fft = Fft::new_custom(
                from_hz as usize,
                SOURCE_SAMPLE_RATE as usize,
                even_block(from_hz),
                1,
                1,
                WindowFunction::BlackmanHarris2,
                FixedSync::Both,
            );
            Some(fft.map_err(|error| ResampleFailed {
                from_hz,
                reason: error.to_string(),
            })?)
        };
        Ok(Self {
            from_hz,
            to_trim: fft.as_ref().map_or(0, |fft| fft.output_delay()),
            scratch: vec![0.0; fft.as_ref().map_or(0, |fft| fft.output_frames_max())],
            fft,
            pending: Vec::new(),
            received: 0,
            given: 0,
        })
    }

    /// Rate of the input, in samples a second.
    #[must_use]
    pub fn from_hz(&self) -> u32 {
        self.from_hz
    }

    /// Takes more input and appends what is ready to `out`.
    ///
    /// # Errors
    ///
    /// Where the resampler itself fails.
    pub fn push(&mut self, input: &[f32], out: &mut Vec<f32>) -> Result<(), ResampleFailed> {
        self.received += input.len() as u64;
        let input = input.iter().copied().map(full_scale);
        if self.fft.is_none() {
            self.given += input.len() as u64;
            out.extend(input);
            return Ok(());
        }
        self.pending.extend(input);
        let mut used = 0;
        while let Some(frames) = self.block_frames()
            && self.pending.len() - used >= frames
        {
            self.transform(used, frames, out)?;
            used += frames;
        }
        self.pending.drain(..used);
        Ok(())
    }

    /// Ends the input: appends all that is still inside, and starts afresh.
    ///
    /// # Errors
    ///
    /// Where the resampler itself fails.
    pub fn finish(&mut self, out: &mut Vec<f32>) -> Result<(), ResampleFailed> {
        let promised = (self.received * u64::from(SOURCE_SAMPLE_RATE))
            .div_ceil(u64::from(self.from_hz.max(1)));
        while self.given < promised {
            let Some(frames) = self.block_frames() else {
                break;
            };
            let room = out.len() + usize::try_from(promised - self.given).unwrap_or(usize::MAX);
            self.pending.resize(frames, 0.0);
            self.transform(0, frames, out)?;
            self.pending.clear();
            out.truncate(room.min(out.len()));
        }
        self.given = 0;
        self.received = 0;
        if let Some(fft) = &mut self.fft {
            fft.reset();
            self.to_trim = fft.output_delay();
        }
        Ok(())
    }

    fn block_frames(&self) -> Option<usize> {
        self.fft.as_ref().map(|fft| fft.input_frames_next())
    }

    fn transform(
        &mut self,
        from: usize,
        frames: usize,
        out: &mut Vec<f32>,
    ) -> Result<(), ResampleFailed> {
        let Some(fft) = &mut self.fft else {
            return Ok(());
        };
        let from_hz = self.from_hz;
        let failed = |reason: String| ResampleFailed { from_hz, reason };
        let block = InterleavedSlice::new(&self.pending[from..from + frames], 1, frames)
            .map_err(|error| failed(error.to_string()))?;
        let capacity = self.scratch.len();
        let mut result = InterleavedSlice::new_mut(&mut self.scratch, 1, capacity)
            .map_err(|error| failed(error.to_string()))?;
        let (_, written) = fft
            .process_into_buffer(&block, &mut result, None::<&Indexing>)
            .map_err(|error| failed(error.to_string()))?;
        let skip = self.to_trim.min(written);
        self.to_trim -= skip;
        self.given += (written - skip) as u64;
        out.extend_from_slice(&self.scratch[skip..written]);
        Ok(())
    }
}

/// A sample within full scale; what is no number becomes silence. Sums of what floats can hold beyond that are no
/// numbers any more, and the transform panics at them.
fn full_scale(sample: f32) -> f32 {
    match sample.is_finite() {
        true => sample.clamp(-1.0, 1.0),
        false => 0.0,
    }
}

/// Input frames for one transform: an even number of the smallest blocks that both rates divide
/// into, because the delay, half a transform, must be whole samples at both rates.
fn even_block(from_hz: u32) -> usize {
    let smallest = from_hz / gcd(from_hz, SOURCE_SAMPLE_RATE).max(1);
    let pair = smallest.max(1) * 2;
    (LEAST_BLOCK.div_ceil(pair) * pair) as usize
}

fn gcd(a: u32, b: u32) -> u32 {
    if b == 0 { a } else { gcd(b, a % b) }
}

impl std::fmt::Debug for Resampler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resampler")
            .field("from_hz", &self.from_hz)
            .field("received", &self.received)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::f64::consts::TAU;

    use proptest::prelude::*;

    use super::*;

    fn sine(rate: u32, hz: f64, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|n| (0.5 * (TAU * hz * n as f64 / f64::from(rate)).sin()) as f32)
            .collect()
    }

    fn resample(rate: u32, input: &[f32], cuts: usize) -> Vec<f32> {
        let mut resampler = Resampler::new(rate).unwrap();
        let mut out = Vec::new();
        for piece in input.chunks(cuts) {
            resampler.push(piece, &mut out).unwrap();
        }
        resampler.finish(&mut out).unwrap();
        out
    }

    #[test]
    fn what_no_sound_can_be_is_clipped_or_silent() {
        let odd = [3e38, -3e38, f32::NAN, f32::INFINITY, 0.5];
        let input: Vec<f32> = odd.into_iter().cycle().take(48_000).collect();
        for rate in [16_000, 44_100, 48_000] {
            // The filter swings over a little.
            for sample in resample(rate, &input, 1_000) {
                assert!(sample.abs() <= 2.0, "{rate} Hz: {sample}");
            }
        }
    }

    /// Power of `reference` over the power of the difference, in dB, away from the edges.
    fn snr_db(reference: &[f32], heard: &[f32]) -> f64 {
        let inner = 1000..reference.len().min(heard.len()) - 1000;
        let (mut signal, mut noise) = (0.0, 0.0);
        for n in inner {
            signal += f64::from(reference[n]).powi(2);
            noise += f64::from(reference[n] - heard[n]).powi(2);
        }
        10.0 * (signal / noise.max(1e-30)).log10()
    }

    #[test]
    fn rates_that_nothing_has_are_refused() {
        assert!(Resampler::new(MOST_HZ - 1).is_ok());
        for rate in [0, MOST_HZ + 1, 0x8000_0001, u32::MAX] {
            assert!(Resampler::new(rate).is_err(), "{rate}");
        }
    }

    #[test]
    fn a_sine_stays_the_same_sine_at_the_same_time() {
        for rate in [8_000, 11_025, 22_050, 44_100, 48_000, 96_000, 192_000] {
            for hz in [220.0, 1000.0, 3000.0] {
                let heard = resample(rate, &sine(rate, hz, rate as usize * 2), 1000);
                let snr = snr_db(&sine(16_000, hz, 32_000), &heard);
                assert!(snr > 60.0, "{rate} Hz, {hz} Hz tone: {snr:.1} dB");
            }
        }
    }

    #[test]
    fn what_16_khz_cannot_hold_is_filtered_out_and_not_folded_down() {
        let heard = resample(48_000, &sine(48_000, 11_000.0, 96_000), 1000);
        let loudest = heard[1000..31_000]
            .iter()
            .fold(0.0_f32, |a, b| a.max(b.abs()));
        assert!(loudest < 0.5e-3, "alias of {loudest}");
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn pieces_do_not_matter_and_length_is_exact(
            rate in prop::sample::select(vec![8_000_u32, 11_025, 16_000, 44_100, 48_000, 96_000]),
            length in 1_usize..30_000,
            cuts in 1_usize..5_000,
        ) {
            let input = sine(rate, 300.0, length);
            let whole = resample(rate, &input, length);
            let pieces = resample(rate, &input, cuts);
            prop_assert_eq!(whole.len(), (length * 16_000).div_ceil(rate as usize));
            prop_assert_eq!(whole, pieces);
        }
    }
}
