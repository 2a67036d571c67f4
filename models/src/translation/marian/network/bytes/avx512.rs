//! The products on processors with AVX-512 and its `vpdpbusd` (VNNI).
//!
//! It multiplies four unsigned bytes with four signed ones and adds them to a sum, sixteen times. The
//! weights lie so that these are sums of sixteen outputs, and are unsigned: 128 more than they were, which
//! is taken away again with 128 times the sum of the row.

#![expect(unsafe_code, reason = "vector instructions read memory by pointers")]

use std::arch::x86_64::{
    __m512i, _mm512_add_epi32, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_storeu_si512, _mm512_sub_epi32,
};

use super::{CHUNK, layout::GROUP};

/// Rows of a block.
const ROWS: usize = 6;
/// Groups of a block of several rows: with these rows, and four vectors of weights, all registers.
const GROUPS: usize = 4;

/// Whether this processor has the instructions.
pub(super) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512vnni")
}

/// Sums of the products of `weights` [groups, padded / 4, GROUP, 4] with `rows` [rows, padded]: [rows,
/// outputs]. Panics on a processor without the instructions.
pub(super) fn sums_of_products(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    assert!(available());
    assert!(padded.is_multiple_of(CHUNK));
    let groups = weights.len() / (padded * GROUP);
    assert_eq!(sums.len(), groups * GROUP * (rows.len() / padded));
    // SAFETY: the processor has the instructions, asserted above.
    unsafe { all(weights, rows, padded, sums) }
}

/// # Safety
/// The processor has AVX-512 BW and VNNI.
#[target_feature(enable = "avx512bw,avx512vnni")]
unsafe fn all(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    let width = weights.len() / padded;
    let mut added = Vec::with_capacity(rows.len() / padded);
    for row in rows.chunks_exact(padded) {
        added.push(128 * row.iter().map(|value| i32::from(*value)).sum::<i32>());
    }
    if let [added] = added[..] {
        for (weights, sums) in weights
            .chunks_exact(GROUP * padded)
            .zip(sums.chunks_exact_mut(GROUP))
        {
            // SAFETY: the caller's.
            unsafe { one(weights, rows, added, sums) };
        }
        return;
    }
    let mut blocks = weights.chunks_exact(GROUPS * GROUP * padded);
    let mut output = 0;
    for weights in blocks.by_ref() {
        // SAFETY: the caller's.
        unsafe { group::<GROUPS>(weights, rows, padded, &added, &mut sums[output..], width) };
        output += GROUPS * GROUP;
    }
    for weights in blocks.remainder().chunks_exact(GROUP * padded) {
        // SAFETY: the caller's.
        unsafe { group::<1>(weights, rows, padded, &added, &mut sums[output..], width) };
        output += GROUP;
    }
}

/// All rows with some groups; `sums` are rows of `width` from the first of these groups' outputs on.
///
/// # Safety
/// The processor has AVX-512 BW and VNNI.
#[target_feature(enable = "avx512bw,avx512vnni")]
#[inline]
unsafe fn group<const GROUPS: usize>(
    weights: &[i8],
    rows: &[i8],
    padded: usize,
    added: &[i32],
    sums: &mut [i32],
    width: usize,
) {
    let mut first = 0;
    while first < added.len() {
        let rows = &rows[first * padded..];
        let (some, sums) = (&added[first..], &mut sums[first * width..]);
        // SAFETY: the caller's.
        unsafe {
            match some.len() {
                1 => block::<GROUPS, 1>(weights, rows, padded, some, sums, width),
                2 => block::<GROUPS, 2>(weights, rows, padded, some, sums, width),
                3 => block::<GROUPS, 3>(weights, rows, padded, some, sums, width),
                4 => block::<GROUPS, 4>(weights, rows, padded, some, sums, width),
                5 => block::<GROUPS, 5>(weights, rows, padded, some, sums, width),
                _ => block::<GROUPS, ROWS>(weights, rows, padded, some, sums, width),
            }
        }
        first += ROWS;
    }
}

/// # Safety
/// The processor has AVX-512 BW and VNNI.
#[target_feature(enable = "avx512bw,avx512vnni")]
#[inline]
unsafe fn block<const GROUPS: usize, const ROWS: usize>(
    weights: &[i8],
    rows: &[i8],
    padded: usize,
    added: &[i32],
    sums: &mut [i32],
    width: usize,
) {
    assert!(weights.len() >= GROUPS * GROUP * padded && rows.len() >= ROWS * padded);
    assert!(sums.len() >= (ROWS - 1) * width + GROUPS * GROUP);
    let mut totals = [[_mm512_setzero_si512(); GROUPS]; ROWS];
    for at in 0..padded / 4 {
        // SAFETY: a group is `GROUP * padded` bytes, `padded / 4` vectors of CHUNK, and there are as many
        // groups and rows as asserted above.
        let (four, values): ([__m512i; GROUPS], [__m512i; ROWS]) = unsafe {
            (
                std::array::from_fn(|group| {
                    let place = group * GROUP * padded + at * CHUNK;
                    _mm512_loadu_si512(weights.as_ptr().add(place).cast())
                }),
                std::array::from_fn(|row| {
                    let four = rows.as_ptr().add(row * padded + at * 4);
                    _mm512_set1_epi32(four.cast::<i32>().read_unaligned())
                }),
            )
        };
        for (totals, values) in totals.iter_mut().zip(values) {
            for (total, weights) in totals.iter_mut().zip(four) {
                *total = _mm512_dpbusd_epi32(*total, weights, values);
            }
        }
    }
    for (row, totals) in totals.iter().enumerate() {
        for (group, total) in totals.iter().enumerate() {
            let sum = _mm512_sub_epi32(*total, _mm512_set1_epi32(added[row]));
            let out = &mut sums[row * width + group * GROUP..][..GROUP];
            // SAFETY: `out` is as long as a vector.
            unsafe { _mm512_storeu_si512(out.as_mut_ptr().cast(), sum) };
        }
    }
}

/// One row with one group, which is read strictly in order: memory bounds the speed.
///
/// # Safety
/// The processor has AVX-512 BW and VNNI.
#[target_feature(enable = "avx512bw,avx512vnni")]
#[inline]
unsafe fn one(weights: &[i8], row: &[i8], added: i32, sums: &mut [i32]) {
    /// Sums side by side, so that none waits for the one before.
    const ABREAST: usize = 4;
    assert!(weights.len() >= GROUP * row.len() && sums.len() >= GROUP);
    let mut totals = [_mm512_setzero_si512(); ABREAST];
    for at in (0..row.len() / 4).step_by(ABREAST) {
        for (which, total) in totals.iter_mut().enumerate() {
            let place = (at + which) * CHUNK;
            // SAFETY: rows are multiples of CHUNK, so of 4 * ABREAST, and the weights are as many vectors
            // as the row has fours, asserted above.
            *total = unsafe {
                let four = _mm512_loadu_si512(weights.as_ptr().add(place).cast());
                let values = row
                    .as_ptr()
                    .add((at + which) * 4)
                    .cast::<i32>()
                    .read_unaligned();
                _mm512_dpbusd_epi32(*total, four, _mm512_set1_epi32(values))
            };
        }
    }
    let total = _mm512_add_epi32(
        _mm512_add_epi32(totals[0], totals[1]),
        _mm512_add_epi32(totals[2], totals[3]),
    );
    let sum = _mm512_sub_epi32(total, _mm512_set1_epi32(added));
    // SAFETY: `sums` is at least as long as a vector, asserted above.
    unsafe { _mm512_storeu_si512(sums.as_mut_ptr().cast(), sum) };
}
