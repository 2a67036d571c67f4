//! Layer normalisation (Ba, Kiros and Hinton 2016).

use candle_core::Result;

use super::rows::Rows;
use crate::translation::marian::weights::At;

pub(in crate::translation::marian) struct Norm {
    gain: Vec<f32>,
    shift: Vec<f32>,
    /// Added to the variance.
    epsilon: f32,
}

impl Norm {
    /// `gain` and `shift` are [width] each.
    pub(in crate::translation::marian) fn new(
        gain: Vec<f32>,
        shift: Vec<f32>,
        epsilon: f32,
    ) -> Self {
        Self {
            gain,
            shift,
            epsilon,
        }
    }

    /// Reads `weight` and `bias`, as PyTorch writes them.
    pub(super) fn read(width: usize, at: &At<'_>) -> Result<Self> {
        let numbers = |name| at.numbers(name, width);
        Ok(Self::new(numbers("weight")?, numbers("bias")?, 1e-5))
    }

    /// Brings each row to mean 0 and variance 1, then to its gain and shift.
    pub(in crate::translation::marian) fn apply(&self, mut rows: Rows) -> Rows {
        let width = rows.width() as f32;
        for row in rows.iter_mut() {
            let mean = row.iter().sum::<f32>() / width;
            let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / width;
            let deviation = (variance + self.epsilon).sqrt();
            for ((number, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
                *number = gain * ((*number - mean) / deviation) + shift;
            }
        }
        rows
    }
}
