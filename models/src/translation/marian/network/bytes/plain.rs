//! The products on any processor.

use super::layout::GROUP;

/// Sums of the products of `weights` [outputs, padded] with `rows` [rows, padded]: [rows, outputs], these
/// filled up to a multiple of [`GROUP`].
pub(super) fn sums_of_products(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    let width = (weights.len() / padded).next_multiple_of(GROUP);
    for (row, sums) in rows.chunks_exact(padded).zip(sums.chunks_exact_mut(width)) {
        for (weights, sum) in weights.chunks_exact(padded).zip(sums) {
            *sum = weights
                .iter()
                .zip(row)
                .map(|(weight, value)| i32::from(*weight) * i32::from(*value))
                .sum();
        }
    }
}
