//! Convolution over time of 8-bit values with 8-bit weights, for processors with AVX2.
//!
//! Two instructions do the work: `vpmaddubsw` multiplies 32 pairs of bytes and adds them two by two,
//! `vpmaddwd` adds the sums two by two; where they run on different ports, that is twice what the same
//! processor does in f32 or with 16-bit numbers. Eight moments of time lie in one vector, each the
//! values of four channels, so that no result needs to be transposed.
//!
//! `vpmaddubsw` saturates at 16 bits. Values are kept so small that no sum of two products gets there,
//! whatever they are: the greatest allowed one follows from the weights.

#![expect(unsafe_code, reason = "vector instructions read memory by pointers")]

use std::arch::x86_64::{
    _mm256_add_epi32, _mm256_loadu_si256, _mm256_madd_epi16, _mm256_maddubs_epi16,
    _mm256_set1_epi16, _mm256_set1_epi32, _mm256_setzero_si256, _mm256_storeu_si256,
};

/// Outputs whose sums are kept in registers together.
const OUTPUTS: usize = 2;
/// Vectors of moments whose sums are kept in registers together: with [`OUTPUTS`], ten sums, two
/// weights, a value, its products and the ones that add them fill fifteen of sixteen registers.
const VECTORS: usize = 5;
/// Moments of a vector.
const LANES: usize = 8;
/// Moments of a tile.
const TILE: usize = VECTORS * LANES;
/// Channels whose values lie together.
pub(super) const TOGETHER: usize = 4;
/// Output channels that one task works on: its weights stay in the nearest caches.
pub(super) const TASK: usize = 16;
/// Tiles after which a task turns to its next outputs: the values stay in the second cache.
const TILES_AT_ONCE: usize = 20;

/// Weights, ordered as the tiles take them.
#[derive(Debug)]
pub(super) struct Weights {
    /// `[outputs / OUTPUTS, channels / TOGETHER, taps, OUTPUTS]`, each four signed bytes.
    packed: Vec<[i8; TOGETHER]>,
    outputs: Vec<Output>,
    channels: usize,
    taps: usize,
    greatest: u8,
}

/// What belongs to the weights of one output.
#[derive(Debug, Clone, Copy)]
pub(super) struct Output {
    /// Value of one step of the weights.
    pub(super) scale: f32,
    /// Sum of all of them: what a zero point of one adds to each result.
    pub(super) sum: i32,
}

impl Weights {
    /// Takes `[channels, channels, taps]` bytes, whose zero is `zero_point` and whose steps are worth
    /// `scale`. `channels` is a multiple of [`TASK`].
    ///
    /// An output whose weights go beyond a signed byte gets coarser steps.
    pub(super) fn new(
        bytes: &[u8],
        zero_point: u8,
        scale: f32,
        channels: usize,
        taps: usize,
    ) -> Self {
        let mut weights = Self {
            packed: vec![[0; TOGETHER]; channels * channels / TOGETHER * taps],
            outputs: Vec::with_capacity(channels),
            channels,
            taps,
            greatest: 0,
        };
        let mut greatest_pair = 1;
        for (output, bytes) in bytes.chunks_exact(channels * taps).enumerate() {
            let centred = |byte: u8| i16::from(byte) - i16::from(zero_point);
            let most = bytes.iter().map(|byte| centred(*byte).abs()).max();
            let coarser = f32::from(most.unwrap_or(0).max(127)) / 127.0;
            let weight = |input: usize, tap: usize| {
                (f32::from(centred(bytes[input * taps + tap])) / coarser).round() as i8
            };
            let mut sum = 0;
            for group in 0..channels / TOGETHER {
                for tap in 0..taps {
                    let four = std::array::from_fn(|i| weight(group * TOGETHER + i, tap));
                    sum += four.iter().copied().map(i32::from).sum::<i32>();
                    greatest_pair = greatest_pair.max(greatest_sum(four));
                    let at = weights.place(output, group, tap);
                    weights.packed[at] = four;
                }
            }
            weights.outputs.push(Output {
                scale: scale * coarser,
                sum,
            });
        }
        weights.greatest = (i32::from(i16::MAX) / greatest_pair).min(255) as u8;
        weights
    }

    fn place(&self, output: usize, group: usize, tap: usize) -> usize {
        let block = output / OUTPUTS;
        let groups = self.channels / TOGETHER;
        ((block * groups + group) * self.taps + tap) * OUTPUTS + output % OUTPUTS
    }

    /// Channels in and out.
    pub(super) fn channels(&self) -> usize {
        self.channels
    }

    /// Taps of the filter, an odd number.
    pub(super) fn taps(&self) -> usize {
        self.taps
    }

    /// Greatest value they may be convolved with.
    pub(super) fn greatest(&self) -> u8 {
        self.greatest
    }

    /// What belongs to the weights of an output.
    pub(super) fn output(&self, output: usize) -> Output {
        self.outputs[output]
    }
}

/// Greatest magnitude that one of the two sums of two products reaches, by units of the values.
fn greatest_sum(weights: [i8; TOGETHER]) -> i32 {
    let (pairs, _) = weights.as_chunks::<2>();
    let one_sign = |pair: &[i8; 2], sign: i32| -> i32 {
        pair.iter()
            .map(|weight| (sign * i32::from(*weight)).max(0))
            .sum()
    };
    let sums = pairs
        .iter()
        .map(|pair| one_sign(pair, 1).max(one_sign(pair, -1)));
    sums.max().unwrap_or(0)
}

/// Where values lie: a row for each [`TOGETHER`] channels, one moment after the other, with room on
/// both sides for what the taps reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Layout {
    /// Moments of values.
    pub(super) length: usize,
    /// Moments between two taps.
    pub(super) dilation: usize,
    /// Moments before the values.
    pub(super) before: usize,
    /// Length of a row.
    pub(super) stride: usize,
}

impl Layout {
    pub(super) fn new(length: usize, dilation: usize, taps: usize) -> Self {
        let before = dilation * (taps - 1) / 2;
        Self {
            length,
            dilation,
            before,
            stride: length.next_multiple_of(TILE) + 2 * before,
        }
    }
}

/// Convolves `values` (rows as `layout` says, none above [`Weights::greatest`]) for the outputs
/// `first..first + TASK`, and gives each finished stretch of an output to `done`: its number from
/// `first` on, where it begins, its sums.
pub(super) fn convolve(
    weights: &Weights,
    values: &[[u8; TOGETHER]],
    layout: Layout,
    first: usize,
    mut done: impl FnMut(usize, usize, &[i32]),
) {
    let groups = weights.channels / TOGETHER;
    assert_eq!(values.len(), groups * layout.stride, "rows of the layout");
    assert_eq!(layout.before, layout.dilation * (weights.taps - 1) / 2);
    assert!(first.is_multiple_of(TASK) && first + TASK <= weights.channels);
    assert!(std::arch::is_x86_feature_detected!("avx2"));
    let block_length = groups * weights.taps * OUTPUTS;
    let all = layout.length.div_ceil(TILE);
    let mut sums = [[0_i32; TILE]; OUTPUTS];
    for begin in (0..all).step_by(TILES_AT_ONCE) {
        for block in 0..TASK / OUTPUTS {
            let at = (first / OUTPUTS + block) * block_length;
            let block_weights = &weights.packed[at..at + block_length];
            for tile in begin..(begin + TILES_AT_ONCE).min(all) {
                let start = tile * TILE;
                // SAFETY: the processor has AVX2, asserted above. The tile reads rows of `values`
                // from `start` on, TILE moments at each of the `taps` offsets, the greatest of
                // which is 2 * before; `start + TILE <= stride - 2 * before`, as the stride is the
                // length rounded up to tiles with `before` twice; and `values` holds `groups` rows.
                unsafe {
                    sum_tile(
                        block_weights,
                        &values[start..],
                        layout,
                        groups,
                        weights.taps,
                        &mut sums,
                    );
                }
                let count = TILE.min(layout.length - start);
                for (output, sums) in sums.iter().enumerate() {
                    done(block * OUTPUTS + output, start, &sums[..count]);
                }
            }
        }
    }
}

/// Sums of [`TILE`] moments of [`OUTPUTS`] outputs.
///
/// # Safety
/// The processor has AVX2; `values` reaches at least `(groups - 1) * stride + (taps - 1) * dilation +
/// TILE` far, `weights` `groups * taps * OUTPUTS`.
#[target_feature(enable = "avx2")]
unsafe fn sum_tile(
    weights: &[[i8; TOGETHER]],
    values: &[[u8; TOGETHER]],
    layout: Layout,
    groups: usize,
    taps: usize,
    sums: &mut [[i32; TILE]; OUTPUTS],
) {
    debug_assert!(
        values.len() >= (groups - 1) * layout.stride + (taps - 1) * layout.dilation + TILE
    );
    debug_assert!(weights.len() >= groups * taps * OUTPUTS);
    let ones = _mm256_set1_epi16(1);
    let mut totals = [[_mm256_setzero_si256(); VECTORS]; OUTPUTS];
    let mut weight = weights.as_ptr();
    for group in 0..groups {
        for tap in 0..taps {
            let mut repeated = [_mm256_setzero_si256(); OUTPUTS];
            for repeated in &mut repeated {
                // SAFETY: within `weights` by what the caller promises.
                unsafe {
                    *repeated =
                        _mm256_set1_epi32(i32::from_ne_bytes((*weight).map(i8::cast_unsigned)));
                    weight = weight.add(1);
                }
            }
            for vector in 0..VECTORS {
                // SAFETY: within `values` by what the caller promises.
                let moments = unsafe {
                    let at = group * layout.stride + tap * layout.dilation + vector * LANES;
                    _mm256_loadu_si256(values.as_ptr().add(at).cast())
                };
                for (totals, weights) in totals.iter_mut().zip(repeated) {
                    let products = _mm256_madd_epi16(_mm256_maddubs_epi16(moments, weights), ones);
                    totals[vector] = _mm256_add_epi32(totals[vector], products);
                }
            }
        }
    }
    for (sums, totals) in sums.iter_mut().zip(totals) {
        for (vector, total) in totals.into_iter().enumerate() {
            // SAFETY: a row of `sums` holds VECTORS * LANES numbers.
            unsafe { _mm256_storeu_si256(sums.as_mut_ptr().add(vector * LANES).cast(), total) };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The convolution as its definition has it.
    fn plain(
        weights: impl Fn(usize, usize, usize) -> i32,
        values: &[Vec<u8>],
        taps: usize,
        dilation: usize,
    ) -> Vec<Vec<i32>> {
        let (channels, length) = (values.len(), values[0].len());
        let one = |output: usize, moment: usize| {
            let mut sum = 0;
            for (input, values) in values.iter().enumerate() {
                for tap in 0..taps {
                    let at = (moment + tap * dilation).checked_sub(dilation * (taps - 1) / 2);
                    let value = at.and_then(|at| values.get(at)).copied().unwrap_or(0);
                    sum += weights(output, input, tap) * i32::from(value);
                }
            }
            sum
        };
        let row = |output: usize| (0..length).map(|moment| one(output, moment)).collect();
        (0..channels).map(row).collect()
    }

    fn noise(seed: u64) -> impl FnMut() -> u8 {
        let mut state = seed | 1;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005);
            state = state.wrapping_add(1_442_695_040_888_963_407);
            (state >> 33) as u8
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]
        #[test]
        fn sums_are_those_of_the_definition(
            seed in any::<u64>(),
            blocks in 1_usize..3,
            half in 0_usize..6,
            dilation in 1_usize..6,
            length in 1_usize..1_700,
            zero in any::<u8>(),
            even in any::<bool>(),
        ) {
            let (channels, taps) = (blocks * TASK, 2 * half + 1);
            let mut noise = noise(seed);
            let bytes: Vec<u8> = (0..channels * channels * taps).map(|_| noise()).collect();
            let weights = Weights::new(&bytes, zero, 0.1, channels, taps);
            // Extreme values are the ones that would saturate.
            let most = weights.greatest();
            let values: Vec<Vec<u8>> = (0..channels)
                .map(|_| (0..length).map(|_| if even { noise() % most } else { most }).collect())
                .collect();
            let layout = Layout::new(length, dilation, taps);
            let mut rows = vec![[0; TOGETHER]; channels / TOGETHER * layout.stride];
            for (group, row) in rows.chunks_exact_mut(layout.stride).enumerate() {
                for moment in 0..length {
                    row[layout.before + moment] =
                        std::array::from_fn(|i| values[group * TOGETHER + i][moment]);
                }
            }
            let mut sums = vec![vec![0; length]; channels];
            for first in (0..channels).step_by(TASK) {
                convolve(&weights, &rows, layout, first, |output, start, part| {
                    sums[first + output][start..start + part.len()].copy_from_slice(part);
                });
            }
            let stored = |output: usize, input: usize, tap: usize| {
                let four = weights.packed[weights.place(output, input / TOGETHER, tap)];
                i32::from(four[input % TOGETHER])
            };
            prop_assert_eq!(sums, plain(stored, &values, taps, dilation));
            for output in 0..channels {
                let Output { scale, sum } = weights.output(output);
                let mut total = 0;
                for at in 0..channels * taps {
                    let stored = stored(output, at / taps, at % taps);
                    let given = i32::from(bytes[output * channels * taps + at]) - i32::from(zero);
                    prop_assert!((stored as f32 * scale - given as f32 * 0.1).abs() <= scale * 0.501);
                    total += stored;
                }
                prop_assert_eq!(total, sum);
            }
        }
    }
}
