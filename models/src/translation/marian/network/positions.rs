//! Positions as sinusoids.

use super::rows::Rows;

/// The frequencies of a network of this width, as Transformers computes them.
pub(super) fn frequencies(width: usize) -> Vec<f32> {
    let even = (0..width).step_by(2);
    even.map(|index| 1.0 / 10_000_f32.powf(index as f32 / width as f32))
        .collect()
}

/// [count, 2 frequencies]: sines in the first half of a row, cosines in the second.
pub(super) fn sinusoids(count: usize, frequencies: &[f32]) -> Rows {
    let width = 2 * frequencies.len();
    let mut rows = Vec::with_capacity(count * width);
    for position in 0..count {
        let angles = frequencies.iter().map(|f| position as f32 * f);
        rows.extend(angles.clone().map(f32::sin));
        rows.extend(angles.map(f32::cos));
    }
    Rows::new(rows, width)
}
