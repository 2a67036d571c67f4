//! The products on processors with AVX-512 and its `vpdpbusd` (VNNI), for several rows at once: there
//! arithmetic is the limit, not memory.
//!
//! It multiplies unsigned with signed bytes, so the values give up their sign to the weights first.

#![expect(unsafe_code, reason = "vector instructions read memory by pointers")]

use std::arch::x86_64::{
    __m512i, _mm512_abs_epi8, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_mask_sub_epi8,
    _mm512_movepi8_mask, _mm512_reduce_add_epi32, _mm512_setzero_si512,
};

use super::{
    CHUNK,
    blocks::{Kernel, blocks},
};

/// Whether this processor has the instructions.
pub(super) fn available() -> bool {
    std::arch::is_x86_feature_detected!("avx512bw")
        && std::arch::is_x86_feature_detected!("avx512vnni")
}

/// As [`super::sums_of_products`]. Panics on a processor without the instructions.
pub(super) fn sums_of_products(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    assert!(available());
    assert!(padded.is_multiple_of(CHUNK));
    assert_eq!(sums.len(), weights.len() / padded * (rows.len() / padded));
    // SAFETY: the processor has the instructions, asserted above.
    unsafe { all(weights, rows, padded, sums) }
}

/// # Safety
/// The processor has AVX-512 BW and VNNI.
#[target_feature(enable = "avx512bw,avx512vnni")]
unsafe fn all(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    // SAFETY: the caller's.
    unsafe { blocks::<Avx512, 4, 4>(weights, rows, padded, sums) }
}

struct Avx512;

impl Kernel for Avx512 {
    #[target_feature(enable = "avx512bw,avx512vnni")]
    #[inline]
    unsafe fn block<const OUTPUTS: usize, const ROWS: usize>(
        weights: &[i8],
        rows: &[i8],
        padded: usize,
    ) -> [[i32; ROWS]; OUTPUTS] {
        assert!(weights.len() >= OUTPUTS * padded && rows.len() >= ROWS * padded);
        let zero = _mm512_setzero_si512();
        let mut totals = [[zero; ROWS]; OUTPUTS];
        for at in (0..padded).step_by(CHUNK) {
            // SAFETY: `padded` is a multiple of CHUNK, so `at + CHUNK <= padded`; both slices hold as
            // many stretches of `padded` as asserted above.
            let load = |from: &[i8], which: usize| unsafe {
                _mm512_loadu_si512(from.as_ptr().add(which * padded + at).cast())
            };
            let weights: [__m512i; OUTPUTS] = std::array::from_fn(|output| load(weights, output));
            for row in 0..ROWS {
                let values = load(rows, row);
                let (magnitudes, negative) = (_mm512_abs_epi8(values), _mm512_movepi8_mask(values));
                for (totals, weights) in totals.iter_mut().zip(weights) {
                    let signed = _mm512_mask_sub_epi8(weights, negative, zero, weights);
                    totals[row] = _mm512_dpbusd_epi32(totals[row], magnitudes, signed);
                }
            }
        }
        totals.map(|totals| totals.map(|total| _mm512_reduce_add_epi32(total)))
    }
}
