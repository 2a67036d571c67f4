//! The order in which a kernel goes through weights and rows.

#![expect(
    unsafe_code,
    reason = "a kernel needs a processor that its caller has asked about"
)]

/// A processor's way to multiply bytes.
pub(super) trait Kernel {
    /// Sums of the products of `OUTPUTS` stretches of weights with `ROWS` rows, each `padded` long.
    ///
    /// # Safety
    /// The processor must have what the kernel needs.
    unsafe fn block<const OUTPUTS: usize, const ROWS: usize>(
        weights: &[i8],
        rows: &[i8],
        padded: usize,
    ) -> [[i32; ROWS]; OUTPUTS];
}

/// All sums, a block of `OUTPUTS` times `ROWS` at a time. Inlined, so that the blocks are too, into a
/// function with the kernel's instructions.
///
/// # Safety
/// As [`Kernel::block`].
#[inline(always)]
pub(super) unsafe fn blocks<K: Kernel, const OUTPUTS: usize, const ROWS: usize>(
    weights: &[i8],
    rows: &[i8],
    padded: usize,
    sums: &mut [i32],
) {
    let count = rows.len() / padded;
    let mut weights = weights.chunks_exact(OUTPUTS * padded);
    let mut sums = sums.chunks_exact_mut(OUTPUTS * count);
    for (weights, sums) in weights.by_ref().zip(sums.by_ref()) {
        let mut each = rows.chunks_exact(ROWS * padded);
        let mut first = 0;
        for rows in each.by_ref() {
            // SAFETY: the caller's.
            let block = unsafe { K::block::<OUTPUTS, ROWS>(weights, rows, padded) };
            for (sums, block) in sums.chunks_exact_mut(count).zip(block) {
                sums[first..first + ROWS].copy_from_slice(&block);
            }
            first += ROWS;
        }
        for row in each.remainder().chunks_exact(padded) {
            // SAFETY: the caller's.
            let block = unsafe { K::block::<OUTPUTS, 1>(weights, row, padded) };
            for (sums, [sum]) in sums.chunks_exact_mut(count).zip(block) {
                sums[first] = sum;
            }
            first += 1;
        }
    }
    let rest = weights.remainder().chunks_exact(padded);
    for (weights, sums) in rest.zip(sums.into_remainder().chunks_exact_mut(count)) {
        for (row, sum) in rows.chunks_exact(padded).zip(sums) {
            // SAFETY: the caller's.
            [[*sum]] = unsafe { K::block::<1, 1>(weights, row, padded) };
        }
    }
}
