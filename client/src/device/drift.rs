//! Two clocks that should be equal and are not.
//!
//! A microphone and a loudspeaker each have a crystal of their own; 100 parts in a million apart is
//! usual, and makes a third of a second in an hour. Sound that goes from one clock to the other
//! through a ring would fill it or empty it. The reader therefore resamples by a ratio that it
//! keeps adjusting so that the ring stays as full as it is meant to be.

use std::sync::Arc;

use ringbuf::{
    HeapCons,
    traits::{Consumer, Observer},
};
use rubato::{Adjustable as _, Async, FixedAsync, Resampler as _};

use super::{
    health::Health,
    live_resampler::{convert, filter},
};
use crate::audio::ResampleFailed;

/// Greatest correction: a thousandth. Real clocks are ten times closer.
const MOST: f64 = 1e-3;
/// Correction for each second that the ring is too full, in 1/s. With the integral's gain at a
/// quarter of its square the loop is critically damped: it settles within a few minutes and does
/// not swing, and 1 ms of jitter moves the pitch by only 20 parts in a million.
const PROPORTIONAL: f64 = 0.02;
const INTEGRAL: f64 = PROPORTIONAL * PROPORTIONAL / 4.0;
/// A ring that holds so many times what it should was not read for a while: clocks alone never do that.
const MOST_OVER: usize = 3;
/// Callbacks come in bursts; the fill is averaged over about this many seconds.
const SMOOTHING_S: f64 = 1.0;

/// Finds by how much the writer's clock is faster than the reader's, from how full the ring is
/// (a proportional-integral controller).
#[derive(Debug, Clone)]
pub struct DriftControl {
    target_s: f64,
    fill_s: Option<f64>,
    integral: f64,
}

impl DriftControl {
    /// Keeps `target_s` seconds of sound in the ring.
    #[must_use]
    pub fn new(target_s: f64) -> Self {
        Self {
            target_s,
            fill_s: None,
            integral: 0.0,
        }
    }

    /// Takes what the ring holds now (seconds of sound), `elapsed_s` after the last time. Returns
    /// the correction: 1e-4 where the writer is 100 parts in a million fast.
    pub fn update(&mut self, fill_s: f64, elapsed_s: f64) -> f64 {
        let share = (elapsed_s / SMOOTHING_S).min(1.0);
        let smoothed = match self.fill_s {
            Some(before) => before + (fill_s - before) * share,
            None => fill_s,
        };
        self.fill_s = Some(smoothed);
        let error = smoothed - self.target_s;
        self.integral = (self.integral + INTEGRAL * error * elapsed_s).clamp(-MOST, MOST);
        (PROPORTIONAL * error + self.integral).clamp(-MOST, MOST)
    }

    /// Starts again from an unknown fill; what is known of the clocks stays.
    pub fn restart(&mut self) {
        self.fill_s = None;
    }
}

/// Reads a ring that another clock fills, at this clock and at 16 kHz.
pub struct Follower {
    ring: HeapCons<f32>,
    from_hz: u32,
    resampler: Async<f32>,
    control: DriftControl,
    target: usize,
    input: Vec<f32>,
    flowing: bool,
    health: Arc<Health>,
}

impl Follower {
    /// Reads `ring` (mono, `from_hz`) in pieces of `piece` samples at 16 kHz, keeping about
    /// `target_s` seconds in the ring: more than its writer brings at a time.
    ///
    /// # Errors
    ///
    /// Where the rate cannot be converted.
    pub fn new(
        ring: HeapCons<f32>,
        from_hz: u32,
        piece: usize,
        target_s: f64,
        health: Arc<Health>,
    ) -> Result<Self, ResampleFailed> {
        let ratio = f64::from(interpret_models::SOURCE_SAMPLE_RATE) / f64::from(from_hz);
        let most = 1.0 + 2.0 * MOST;
        let resampler = Async::new_sinc(ratio, most, &filter(), piece, 1, FixedAsync::Output)
            .map_err(|error| ResampleFailed {
                from_hz,
                reason: error.to_string(),
            })?;
        Ok(Self {
            ring,
            from_hz,
            input: vec![0.0; resampler.input_frames_max()],
            resampler,
            control: DriftControl::new(target_s),
            target: (target_s * f64::from(from_hz)) as usize,
            flowing: false,
            health,
        })
    }

    /// Fills `piece` with the next sound; with silence where the ring has none, which counts as an
    /// underrun if it had some before.
    ///
    /// # Errors
    ///
    /// Where the resampler itself fails.
    pub fn read(&mut self, piece: &mut [f32]) -> Result<(), ResampleFailed> {
        let held = self.ring.occupied_len();
        let needed = self.resampler.input_frames_next();
        let enough = if self.flowing {
            MOST_OVER * self.target
        } else {
            self.target
        };
        if held >= enough {
            // A writer that was alone for a while has filled the ring: begin at the target.
            self.ring.skip(held - self.target);
            self.control.restart();
            self.flowing = true;
        } else if self.flowing && held < needed {
            self.health.underrun();
            self.flowing = false;
        }
        if !self.flowing {
            piece.fill(0.0);
            return Ok(());
        }
        let failed = |reason| ResampleFailed {
            from_hz: self.from_hz,
            reason,
        };
        let held = self.ring.occupied_len() as f64 / f64::from(self.from_hz);
        let elapsed = piece.len() as f64 / f64::from(interpret_models::SOURCE_SAMPLE_RATE);
        let fast = self.control.update(held, elapsed);
        self.resampler
            .set_resample_ratio_relative(1.0 / (1.0 + fast), true)
            .map_err(|error| failed(error.to_string()))?;
        let needed = self.resampler.input_frames_next().min(self.input.len());
        let had = self.ring.pop_slice(&mut self.input[..needed]);
        if had < needed {
            // One sample more than before the ratio was set, and it is not there.
            self.health.underrun();
            self.flowing = false;
            self.input[had..needed].fill(0.0);
        }
        convert(&mut self.resampler, &self.input[..needed], piece).map_err(failed)?;
        Ok(())
    }
}

impl std::fmt::Debug for Follower {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Follower")
            .field("from_hz", &self.from_hz)
            .field("control", &self.control)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
