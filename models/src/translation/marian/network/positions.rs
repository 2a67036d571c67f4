//! Positions as sinusoids.

use super::rows::Rows;

/// [count, width]: sines in the first half of a row, cosines in the second.
#[expect(
    clippy::cast_precision_loss,
    reason = "positions and widths are at most some thousands"
)]
pub(super) fn sinusoids(count: usize, width: usize) -> Rows {
    let frequencies: Vec<f32> = (0..width)
        .step_by(2)
        .map(|index| 1.0 / 10_000_f32.powf(index as f32 / width as f32))
        .collect();
    let mut rows = Vec::with_capacity(count * width);
    for position in 0..count {
        let angles = frequencies.iter().map(|f| position as f32 * f);
        rows.extend(angles.clone().map(f32::sin));
        rows.extend(angles.map(f32::cos));
    }
    Rows::new(rows, width)
}
