//! The products on any processor.

/// As [`super::sums_of_products`].
pub(super) fn sums_of_products(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    let count = rows.len() / padded;
    for (weights, sums) in weights
        .chunks_exact(padded)
        .zip(sums.chunks_exact_mut(count))
    {
        for (row, sum) in rows.chunks_exact(padded).zip(sums) {
            *sum = weights
                .iter()
                .zip(row)
                .map(|(weight, value)| i32::from(*weight) * i32::from(*value))
                .sum();
        }
    }
}
