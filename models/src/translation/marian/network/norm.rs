//! Layer normalisation (Ba, Kiros and Hinton 2016).

use candle_core::Result;
use candle_nn::VarBuilder;

use super::rows::Rows;

const EPSILON: f32 = 1e-5;

pub(super) struct Norm {
    gain: Vec<f32>,
    shift: Vec<f32>,
}

impl Norm {
    /// Reads `weight` and `bias`, [width] each.
    pub(super) fn read(width: usize, builder: &VarBuilder<'_>) -> Result<Self> {
        Ok(Self {
            gain: builder.get(width, "weight")?.to_vec1()?,
            shift: builder.get(width, "bias")?.to_vec1()?,
        })
    }

    /// Brings each row to mean 0 and variance 1, then to its gain and shift.
    pub(super) fn apply(&self, mut rows: Rows) -> Rows {
        let width = rows.width() as f32;
        for row in rows.iter_mut() {
            let mean = row.iter().sum::<f32>() / width;
            let variance = row.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / width;
            let scale = (variance + EPSILON).sqrt().recip();
            for ((number, gain), shift) in row.iter_mut().zip(&self.gain).zip(&self.shift) {
                *number = (*number - mean) * scale * gain + shift;
            }
        }
        rows
    }
}
