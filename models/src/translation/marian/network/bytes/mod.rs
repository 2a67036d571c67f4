//! Matrices of signed bytes, multiplied with rows that become bytes on the way.
//!
//! Each output's weights have a scale of their own, and so has each row, so that the greatest magnitude
//! becomes 127: `x · w ≈ scale(x) scale(w) Σ bytes(x) bytes(w)`. A matrix that was trained with bytes
//! brings its scales, also that of the rows. The sums are exact, so every kernel gives the same numbers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod layout;
mod plain;
mod shelf;

use multiversion::multiversion;
use rayon::prelude::*;

pub(in crate::translation::marian) use self::shelf::Shelf;

use self::layout::{GROUP, Layout, Weights};
use super::rows::Rows;

/// Bytes that the widest kernel takes at once: rows are filled up with zeros to a multiple.
const CHUNK: usize = 64;
/// Fewer products than this are not worth a second thread, even one that is awake.
const WORTH_SHARING: usize = 100_000;
/// Outputs whose sums one task makes: whole groups.
const TASK: usize = 16 * GROUP;

/// A matrix `[outputs, inputs]`.
pub(in crate::translation::marian) struct ByteMatrix {
    weights: Weights,
    scaling: Scaling,
    inputs: usize,
}

/// What numbers were multiplied with to become bytes.
enum Scaling {
    /// Each row and each output's weights so that they fit: what one step is worth, for each output.
    Fitted(Vec<f32>),
    /// As the matrix was trained.
    Trained {
        /// What rows are multiplied with.
        row_steps: f32,
        /// What one step of a weight is worth.
        scale: f32,
        /// What one step of a sum is worth.
        worth: f32,
        /// Of each output's bytes.
        sums: Vec<i32>,
    },
}

impl Scaling {
    /// What the sums of products of outputs' bytes with those of a row mean, from output `first` on, with
    /// `bias` added.
    fn numbers(&self, first: usize, row_scale: f32, sums: &[i32], bias: &[f32], out: &mut [f32]) {
        let each = sums.iter().zip(bias).zip(out);
        match self {
            Self::Fitted(scales) => {
                for (((sum, bias), number), scale) in each.zip(&scales[first..]) {
                    *number = *sum as f32 * (scale * row_scale) + bias;
                }
            }
            // Marian multiplies rows that are 127 more and takes that away from the bias again. The
            // result is the same but for its rounding, which settles words that are nearly as good.
            Self::Trained { worth, sums, .. } => {
                for (((sum, bias), number), of_weights) in each.zip(&sums[first..]) {
                    let bias = bias - 127.0 * worth * *of_weights as f32;
                    *number = (sum + 127 * of_weights) as f32 * worth + bias;
                }
            }
        }
    }

    /// What one step of an output's weights is worth.
    fn scale(&self, output: usize) -> f32 {
        match self {
            Self::Fitted(scales) => scales[output],
            Self::Trained { scale, .. } => *scale,
        }
    }

    /// That of some of the outputs.
    fn select(&self, outputs: &[u32]) -> Self {
        match self {
            Self::Fitted(scales) => {
                Self::Fitted(outputs.iter().map(|o| scales[*o as usize]).collect())
            }
            Self::Trained {
                row_steps,
                scale,
                worth,
                sums,
            } => Self::Trained {
                row_steps: *row_steps,
                scale: *scale,
                worth: *worth,
                sums: outputs.iter().map(|o| sums[*o as usize]).collect(),
            },
        }
    }
}

impl ByteMatrix {
    /// `rows` are the weights of each output, so many `inputs`, whose steps are worth `scales` [outputs].
    pub(in crate::translation::marian) fn fitted<'a>(
        rows: impl ExactSizeIterator<Item = &'a [i8]>,
        scales: Vec<f32>,
        inputs: usize,
        shelf: &Shelf,
    ) -> Self {
        Self {
            weights: Weights::new(rows, inputs, Layout::best(), shelf),
            scaling: Scaling::Fitted(scales),
            inputs,
        }
    }

    /// `bytes` [outputs, inputs] are weights that were multiplied with `steps`; rows are to be
    /// multiplied with `row_steps`. Both are above 0.
    pub(in crate::translation::marian) fn given(
        bytes: &[i8],
        inputs: usize,
        steps: f32,
        row_steps: f32,
        shelf: &Shelf,
    ) -> Self {
        let sums = bytes.chunks_exact(inputs);
        let sums = sums.map(|bytes| bytes.iter().map(|byte| i32::from(*byte)).sum());
        Self {
            weights: Weights::new(bytes.chunks_exact(inputs), inputs, Layout::best(), shelf),
            scaling: Scaling::Trained {
                row_steps,
                scale: 1.0 / steps,
                worth: 1.0 / (row_steps * steps),
                sums: sums.collect(),
            },
            inputs,
        }
    }

    /// The matrix of some of the outputs.
    pub(in crate::translation::marian) fn select(&self, outputs: &[u32]) -> Self {
        Self {
            weights: self.weights.select(outputs),
            scaling: self.scaling.select(outputs),
            inputs: self.inputs,
        }
    }

    /// Rounds `weights` [outputs, inputs].
    pub(super) fn quantize(weights: &[f32], inputs: usize, shelf: &Shelf) -> Self {
        let (bytes, scales) = quantized(weights, inputs);
        Self::fitted(bytes.chunks_exact(inputs), scales, inputs, shelf)
    }

    /// [rows, inputs] to [rows, outputs], to each of which `bias` [outputs] is added: as many of the
    /// first outputs as there are biases.
    pub(in crate::translation::marian) fn product(&self, rows: &Rows, bias: &[f32]) -> Rows {
        let outputs = bias.len();
        assert!(rows.width() == self.inputs && outputs <= self.weights.outputs());
        let given = match self.scaling {
            Scaling::Fitted(_) => None,
            Scaling::Trained { row_steps, .. } => Some(row_steps),
        };
        let padded = self.weights.padded();
        let (bytes, row_scales) = quantize(rows.numbers(), self.inputs, padded, given);
        let mut product = Rows::zeros(rows.count(), outputs);
        let task = |index: usize, parts: &mut [&mut [f32]], sums: &mut [i32]| {
            let first = index * TASK;
            let some = parts.first().map_or(0, |part| part.len());
            let width = some.next_multiple_of(GROUP);
            let sums = &mut sums[..width * parts.len()];
            self.weights.sums(first..first + some, &bytes, sums);
            let bias = &bias[first..first + some];
            for ((part, sums), scale) in parts.iter_mut().zip(sums.chunks(width)).zip(&row_scales) {
                self.scaling.numbers(first, *scale, sums, bias, part);
            }
        };
        let shared = outputs * padded * rows.count() >= WORTH_SHARING;
        if rows.count() == 1 {
            let one = |(index, part): (usize, &mut [f32])| task(index, &mut [part], &mut [0; TASK]);
            let numbers = product.numbers_mut();
            if shared {
                numbers.par_chunks_mut(TASK).enumerate().for_each(one);
            } else {
                numbers.chunks_mut(TASK).enumerate().for_each(one);
            }
            return product;
        }
        // For each task, its part of each row.
        let mut tasks: Vec<Vec<&mut [f32]>> = Vec::new();
        tasks.resize_with(outputs.div_ceil(TASK), || Vec::with_capacity(rows.count()));
        for row in product.iter_mut() {
            for (task, part) in tasks.iter_mut().zip(row.chunks_mut(TASK)) {
                task.push(part);
            }
        }
        let several = |(index, mut parts): (usize, Vec<&mut [f32]>)| {
            let mut sums = vec![0; TASK * parts.len()];
            task(index, &mut parts, &mut sums);
        };
        if shared {
            tasks.into_par_iter().enumerate().for_each(several);
        } else {
            tasks.into_iter().enumerate().for_each(several);
        }
        product
    }

    /// The weights of one output.
    pub(in crate::translation::marian) fn row(&self, output: usize) -> Vec<f32> {
        let scale = self.scaling.scale(output);
        let bytes = self.weights.row(output).take(self.inputs);
        bytes.map(|byte| f32::from(byte) * scale).collect()
    }
}

/// Weights [outputs, inputs] in 8 bits, and what one step is worth for each output.
pub(crate) fn quantized(weights: &[f32], inputs: usize) -> (Vec<i8>, Vec<f32>) {
    quantize(weights, inputs, inputs, None)
}

/// Rows of `width` numbers, multiplied with `given` if there is one and so that they fit otherwise, as
/// rows of `padded` bytes; and what a step is worth in each.
fn quantize(
    numbers: &[f32],
    width: usize,
    padded: usize,
    given: Option<f32>,
) -> (Vec<i8>, Vec<f32>) {
    let rows = numbers.len() / width;
    let mut bytes = vec![0; rows * padded];
    let each = numbers
        .chunks_exact(width)
        .zip(bytes.chunks_exact_mut(padded));
    let scales = each
        .map(|(numbers, bytes)| round(numbers, given, bytes))
        .collect();
    (bytes, scales)
}

/// One row of it.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn round(numbers: &[f32], given: Option<f32>, bytes: &mut [i8]) -> f32 {
    let (steps, scale) = if let Some(steps) = given {
        (steps, 1.0 / steps)
    } else {
        let greatest = greatest(numbers);
        let steps = if greatest > 0.0 {
            127.0 / greatest
        } else {
            0.0
        };
        (steps, greatest / 127.0)
    };
    for (byte, number) in bytes.iter_mut().zip(numbers) {
        // Adding 1.5 * 2^23 rounds, and leaves the whole number in the low bits.
        let rounded = (number * steps).clamp(-127.0, 127.0) + 12_582_912.0;
        *byte = rounded.to_bits() as i8;
    }
    scale
}

/// The greatest magnitude.
#[inline(always)]
fn greatest(numbers: &[f32]) -> f32 {
    const LANES: usize = 16;
    let more = |most: f32, x: f32| if x.abs() > most { x.abs() } else { most };
    let mut lanes = [0.0_f32; LANES];
    let (wide, rest) = numbers.as_chunks::<LANES>();
    for numbers in wide {
        for (lane, number) in lanes.iter_mut().zip(numbers) {
            *lane = more(*lane, *number);
        }
    }
    lanes.iter().chain(rest).copied().fold(0.0, more)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_kernel_gives_the_same_sums(
            outputs in 1_usize..150,
            rows in 1_usize..15,
            inputs in 1_usize..200,
            (first, some) in (0_usize..3, 1_usize..150),
            seed in any::<u64>(),
            extreme in any::<bool>(),
        ) {
            let mut state = seed | 1;
            let mut byte = || {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                let byte = (state >> 56) as i8;
                // Sums of the greatest products are the ones that would saturate.
                match (extreme, byte < 0) {
                    (true, true) => -127,
                    (true, false) => 127,
                    (false, _) => byte.max(-127),
                }
            };
            let bytes: Vec<i8> = (0..outputs * inputs).map(|_| byte()).collect();
            let padded = inputs.next_multiple_of(CHUNK);
            let mut values = vec![0; rows * padded];
            for row in values.chunks_exact_mut(padded) {
                row[..inputs].fill_with(&mut byte);
            }
            let first = (first * GROUP).min((outputs - 1) / GROUP * GROUP);
            let range = first..(first + some).min(outputs);
            let width = range.len().next_multiple_of(GROUP);
            let mut expected = Vec::new();
            for values in values.chunks_exact(padded) {
                for output in range.clone() {
                    let weights = &bytes[output * inputs..][..inputs];
                    let products = weights.iter().zip(values);
                    expected.push(products.map(|(w, x)| i32::from(*w) * i32::from(*x)).sum::<i32>());
                }
            }
            let shelf = Shelf::default();
            for layout in Layout::all() {
                let weights = Weights::new(bytes.chunks_exact(inputs), inputs, layout, &shelf);
                let mut sums = vec![0; rows * width];
                weights.sums(range.clone(), &values, &mut sums);
                let found: Vec<i32> = sums
                    .chunks_exact(width)
                    .flat_map(|sums| &sums[..range.len()])
                    .copied()
                    .collect();
                prop_assert_eq!(&found, &expected, "{:?}", layout);
                for output in 0..outputs {
                    let row = weights.row(output).take(inputs);
                    prop_assert!(row.eq(bytes[output * inputs..][..inputs].iter().copied()));
                }
                let order: Vec<u32> = (0..outputs as u32).rev().step_by(2).collect();
                let selected = weights.select(&order);
                for (place, output) in order.iter().enumerate() {
                    prop_assert!(selected.row(place).eq(weights.row(*output as usize)));
                }
            }
        }

        #[test]
        fn products_are_near_those_of_the_numbers(
            (inputs, outputs) in (1_usize..70, 1_usize..300),
            count in 1_usize..6,
            seed in any::<u32>(),
        ) {
            let mut state = seed | 1;
            let mut number = || {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                f64::from(state >> 8) as f32 / f64::from(1_u32 << 23) as f32 - 1.0
            };
            let weights: Vec<f32> = (0..inputs * outputs).map(|_| number()).collect();
            let bias: Vec<f32> = (0..outputs).map(|_| number()).collect();
            let rows = Rows::new((0..inputs * count).map(|_| number()).collect(), inputs);
            let matrix = ByteMatrix::quantize(&weights, inputs, &Shelf::default());
            let product = matrix.product(&rows, &bias);
            prop_assert_eq!((product.count(), product.width()), (count, outputs));
            // Each factor is wrong by half a 127th of at most 1.
            let allowed = inputs as f32 * (1.0 / 127.0 + 1e-4);
            for (row, results) in rows.iter().zip(product.iter()) {
                for (output, result) in results.iter().enumerate() {
                    let weights = &weights[output * inputs..][..inputs];
                    let exact: f32 = weights.iter().zip(row).map(|(w, x)| w * x).sum();
                    prop_assert!((result - exact - bias[output]).abs() <= allowed);
                }
            }
            for (output, weights) in weights.chunks_exact(inputs).enumerate() {
                for (kept, weight) in matrix.row(output).iter().zip(weights) {
                    prop_assert!((kept - weight).abs() <= 0.5 / 127.0 + 1e-6);
                }
            }
        }
    }

    #[test]
    fn numbers_that_are_none_do_no_harm() {
        let matrix = ByteMatrix::quantize(&[0.0, 0.0, 1.0, f32::NAN], 2, &Shelf::default());
        let rows = Rows::new(vec![f32::INFINITY, 1.0], 2);
        assert_eq!(matrix.product(&rows, &[0.0, 0.0]).count(), 1);
    }

    #[test]
    fn large_products_are_shared_among_threads_and_the_same() {
        let (inputs, outputs) = (64, 70_000);
        let weights: Vec<f32> = (0..inputs * outputs)
            .map(|at| (at % 255) as f32 - 127.0)
            .collect();
        let matrix = ByteMatrix::quantize(&weights, inputs, &Shelf::default());
        let rows = Rows::new((0..2 * inputs).map(|at| at as f32).collect(), inputs);
        let product = matrix.product(&rows, &vec![0.5; outputs]);
        for output in [0, TASK - 1, TASK, outputs - 1] {
            let one = ByteMatrix::quantize(
                &weights[output * inputs..][..inputs],
                inputs,
                &Shelf::default(),
            );
            let alone = one.product(&rows, &[0.5]);
            for (all, alone) in product.iter().zip(alone.iter()) {
                assert_eq!(all[output].to_bits(), alone[0].to_bits());
            }
        }
    }
}
