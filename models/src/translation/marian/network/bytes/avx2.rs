//! The products on processors with AVX2.
//!
//! `vpmaddubsw` multiplies unsigned with signed bytes and adds pairs in 16 bits. So the values give up
//! their sign to the weights first (`vpsignb`); as neither is below -127, no pair saturates.

#![expect(unsafe_code, reason = "vector instructions read memory by pointers")]

use std::arch::x86_64::{
    __m256i, _MM_HINT_T0, _mm_add_epi32, _mm_cvtsi128_si32, _mm_prefetch, _mm_shuffle_epi32,
    _mm256_abs_epi8, _mm256_add_epi32, _mm256_castsi256_si128, _mm256_extracti128_si256,
    _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16, _mm256_set1_epi16,
    _mm256_setzero_si256, _mm256_sign_epi8,
};

use super::layout::GROUP;

/// Bytes of a vector.
const STEP: usize = 32;

/// Bytes ahead of the weights in use that are fetched from memory: a quarter faster than without.
const AHEAD: usize = 1_024;

/// As [`super::plain::sums_of_products`]. Panics on a processor without AVX2.
pub(super) fn sums_of_products(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    assert!(std::arch::is_x86_feature_detected!("avx2"));
    assert!(padded.is_multiple_of(STEP));
    let width = (weights.len() / padded).next_multiple_of(GROUP);
    assert_eq!(sums.len(), width * (rows.len() / padded));
    // SAFETY: the processor has AVX2, asserted above.
    unsafe {
        if rows.len() == padded {
            // Memory bounds the speed: it is read strictly in order.
            all::<1, 1>(weights, rows, padded, sums);
        } else {
            all::<2, 4>(weights, rows, padded, sums);
        }
    }
}

/// All sums, a block of `OUTPUTS` times `ROWS` at a time.
///
/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
unsafe fn all<const OUTPUTS: usize, const ROWS: usize>(
    weights: &[i8],
    rows: &[i8],
    padded: usize,
    sums: &mut [i32],
) {
    let width = (weights.len() / padded).next_multiple_of(GROUP);
    let mut blocks = weights.chunks_exact(OUTPUTS * padded);
    let mut output = 0;
    for weights in blocks.by_ref() {
        let mut some = rows.chunks_exact(ROWS * padded);
        let mut row = 0;
        for rows in some.by_ref() {
            // SAFETY: the caller's.
            let block = unsafe { block::<OUTPUTS, ROWS>(weights, rows, padded) };
            for (at, block) in block.iter().enumerate() {
                for (of, sum) in block.iter().enumerate() {
                    sums[(row + of) * width + output + at] = *sum;
                }
            }
            row += ROWS;
        }
        for rows in some.remainder().chunks_exact(padded) {
            // SAFETY: the caller's.
            let block = unsafe { block::<OUTPUTS, 1>(weights, rows, padded) };
            for (at, [sum]) in block.iter().enumerate() {
                sums[row * width + output + at] = *sum;
            }
            row += 1;
        }
        output += OUTPUTS;
    }
    for weights in blocks.remainder().chunks_exact(padded) {
        for (row, rows) in rows.chunks_exact(padded).enumerate() {
            // SAFETY: the caller's.
            let [[sum]] = unsafe { block::<1, 1>(weights, rows, padded) };
            sums[row * width + output] = sum;
        }
        output += 1;
    }
}

/// Sums of the products of `OUTPUTS` stretches of weights with `ROWS` rows, each `padded` long.
///
/// # Safety
/// The processor has AVX2.
#[target_feature(enable = "avx2")]
#[inline]
unsafe fn block<const OUTPUTS: usize, const ROWS: usize>(
    weights: &[i8],
    rows: &[i8],
    padded: usize,
) -> [[i32; ROWS]; OUTPUTS] {
    assert!(weights.len() >= OUTPUTS * padded && rows.len() >= ROWS * padded);
    let ones = _mm256_set1_epi16(1);
    let mut totals = [[_mm256_setzero_si256(); ROWS]; OUTPUTS];
    for at in (0..padded).step_by(STEP) {
        // SAFETY: `padded` is a multiple of STEP, so `at + STEP <= padded`; both slices hold as many
        // stretches of `padded` as asserted above.
        let load = |from: &[i8], which: usize| unsafe {
            _mm256_loadu_si256(from.as_ptr().add(which * padded + at).cast())
        };
        _mm_prefetch::<_MM_HINT_T0>(weights.as_ptr().wrapping_add(at + AHEAD));
        let weights: [__m256i; OUTPUTS] = std::array::from_fn(|output| load(weights, output));
        for row in 0..ROWS {
            let values = load(rows, row);
            let magnitudes = _mm256_abs_epi8(values);
            for (totals, weights) in totals.iter_mut().zip(weights) {
                let signed = _mm256_sign_epi8(weights, values);
                let products = _mm256_madd_epi16(_mm256_maddubs_epi16(magnitudes, signed), ones);
                totals[row] = _mm256_add_epi32(totals[row], products);
            }
        }
    }
    let mut sums = [[0; ROWS]; OUTPUTS];
    for (sums, totals) in sums.iter_mut().zip(totals) {
        for (sum, total) in sums.iter_mut().zip(totals) {
            *sum = sum_of(total);
        }
    }
    sums
}

/// Sum of eight numbers.
#[target_feature(enable = "avx2")]
#[inline]
fn sum_of(numbers: __m256i) -> i32 {
    let four = _mm_add_epi32(
        _mm256_castsi256_si128(numbers),
        _mm256_extracti128_si256::<1>(numbers),
    );
    let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b01_00_11_10>(four));
    _mm_cvtsi128_si32(_mm_add_epi32(two, _mm_shuffle_epi32::<0b10_11_00_01>(two)))
}
