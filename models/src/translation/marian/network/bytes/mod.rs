//! Matrices of signed bytes, multiplied with rows that become bytes on the way.
//!
//! Each output's weights have a scale of their own, and so has each row, so that the greatest magnitude
//! becomes 127: `x · w ≈ scale(x) scale(w) Σ bytes(x) bytes(w)`. A matrix that was trained with bytes
//! brings its scales, also that of the rows. The sums are exact, so every kernel gives the same numbers.

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
#[cfg(target_arch = "x86_64")]
mod blocks;
mod plain;

use rayon::prelude::*;

use super::rows::Rows;

/// Bytes that the widest kernel takes at once: rows are filled up with zeros to a multiple.
const CHUNK: usize = 64;
/// Fewer products than this are not worth a second thread, even one that is awake.
const WORTH_SHARING: usize = 100_000;
/// Outputs whose sums one task makes.
const TASK: usize = 256;

/// A matrix `[outputs, inputs]`.
pub(in crate::translation::marian) struct ByteMatrix {
    /// [outputs, padded].
    bytes: Vec<i8>,
    scaling: Scaling,
    inputs: usize,
    padded: usize,
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
    /// What a sum of products of one output's bytes with those of a row means, `bias` added.
    fn number(&self, output: usize, row_scale: f32, sum: i32, bias: f32) -> f32 {
        match self {
            Self::Fitted(scales) => sum as f32 * (scales[output] * row_scale) + bias,
            // Marian multiplies rows that are 127 more and takes that away from the bias again. The
            // result is the same but for its rounding, which settles words that are nearly as good.
            Self::Trained { worth, sums, .. } => {
                let bias = bias - 127.0 * worth * sums[output] as f32;
                (sum + 127 * sums[output]) as f32 * worth + bias
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
}

impl ByteMatrix {
    /// `bytes` [outputs, inputs] are weights whose steps are worth `scales` [outputs].
    pub(in crate::translation::marian) fn fitted(
        bytes: &[i8],
        scales: Vec<f32>,
        inputs: usize,
    ) -> Self {
        let padded = inputs.next_multiple_of(CHUNK);
        Self {
            bytes: filled(bytes, inputs, padded),
            scaling: Scaling::Fitted(scales),
            inputs,
            padded,
        }
    }

    /// `bytes` [outputs, inputs] are weights that were multiplied with `steps`; rows are to be
    /// multiplied with `row_steps`. Both are above 0.
    pub(in crate::translation::marian) fn given(
        bytes: &[i8],
        inputs: usize,
        steps: f32,
        row_steps: f32,
    ) -> Self {
        let padded = inputs.next_multiple_of(CHUNK);
        Self {
            bytes: filled(bytes, inputs, padded),
            scaling: Scaling::Trained {
                row_steps,
                scale: 1.0 / steps,
                worth: 1.0 / (row_steps * steps),
                sums: bytes
                    .chunks_exact(inputs)
                    .map(|bytes| bytes.iter().map(|byte| i32::from(*byte)).sum())
                    .collect(),
            },
            inputs,
            padded,
        }
    }

    /// The matrix of some of the outputs.
    pub(in crate::translation::marian) fn select(&self, outputs: &[u32]) -> Self {
        let rows = outputs.iter().map(|output| {
            let from = *output as usize * self.padded;
            &self.bytes[from..from + self.padded]
        });
        Self {
            bytes: rows.flatten().copied().collect(),
            scaling: match &self.scaling {
                Scaling::Fitted(scales) => {
                    Scaling::Fitted(outputs.iter().map(|o| scales[*o as usize]).collect())
                }
                Scaling::Trained {
                    row_steps,
                    scale,
                    worth,
                    sums,
                } => Scaling::Trained {
                    row_steps: *row_steps,
                    scale: *scale,
                    worth: *worth,
                    sums: outputs.iter().map(|o| sums[*o as usize]).collect(),
                },
            },
            ..*self
        }
    }

    /// Rounds `weights` [outputs, inputs].
    pub(super) fn quantize(weights: &[f32], inputs: usize) -> Self {
        let padded = inputs.next_multiple_of(CHUNK);
        let (bytes, scales) = quantize(weights, inputs, padded, None);
        Self {
            bytes,
            scaling: Scaling::Fitted(scales),
            inputs,
            padded,
        }
    }

    /// [rows, inputs] to [rows, outputs], to each of which `bias` [outputs] is added: as many of the
    /// first outputs as there are biases.
    pub(in crate::translation::marian) fn product(&self, rows: &Rows, bias: &[f32]) -> Rows {
        let outputs = bias.len();
        let count = rows.count();
        assert!(rows.width() == self.inputs && outputs * self.padded <= self.bytes.len());
        let given = match self.scaling {
            Scaling::Fitted(_) => None,
            Scaling::Trained { row_steps, .. } => Some(row_steps),
        };
        let (bytes, row_scales) = quantize(rows.numbers(), self.inputs, self.padded, given);
        // [outputs, rows], so that tasks write stretches of their own.
        let mut turned = vec![0.0; outputs * count];
        let task = |first: usize, turned: &mut [f32]| {
            let some = turned.len() / count;
            let weights = &self.bytes[first * self.padded..(first + some) * self.padded];
            let mut sums = vec![0; some * count];
            sums_of_products(weights, &bytes, self.padded, &mut sums);
            for (at, (sums, results)) in sums
                .chunks_exact(count)
                .zip(turned.chunks_exact_mut(count))
                .enumerate()
            {
                let (output, bias) = (first + at, bias[first + at]);
                for ((sum, result), row_scale) in sums.iter().zip(results).zip(&row_scales) {
                    *result = self.scaling.number(output, *row_scale, *sum, bias);
                }
            }
        };
        if outputs * self.padded * count < WORTH_SHARING {
            task(0, &mut turned);
        } else {
            turned
                .par_chunks_mut(TASK * count)
                .enumerate()
                .for_each(|(index, turned)| task(index * TASK, turned));
        }
        if count == 1 {
            return Rows::new(turned, outputs);
        }
        let mut product = Rows::zeros(count, outputs);
        for (row, numbers) in product.iter_mut().enumerate() {
            for (output, number) in numbers.iter_mut().enumerate() {
                *number = turned[output * count + row];
            }
        }
        product
    }

    /// The weights of one output.
    pub(in crate::translation::marian) fn row(&self, output: usize) -> Vec<f32> {
        let from = output * self.padded;
        let scale = self.scaling.scale(output);
        self.bytes[from..from + self.inputs]
            .iter()
            .map(|byte| f32::from(*byte) * scale)
            .collect()
    }
}

/// Rows of `width` bytes, filled up with zeros.
fn filled(bytes: &[i8], width: usize, padded: usize) -> Vec<i8> {
    let mut filled = vec![0; bytes.len() / width * padded];
    let rows = filled.chunks_exact_mut(padded);
    for (filled, bytes) in rows.zip(bytes.chunks_exact(width)) {
        filled[..width].copy_from_slice(bytes);
    }
    filled
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
    let mut scales = Vec::with_capacity(rows);
    for (numbers, bytes) in numbers
        .chunks_exact(width)
        .zip(bytes.chunks_exact_mut(padded))
    {
        let (steps, scale) = given.map_or_else(
            || {
                let greatest = numbers.iter().fold(0.0_f32, |most, x| most.max(x.abs()));
                let steps = if greatest > 0.0 {
                    127.0 / greatest
                } else {
                    0.0
                };
                (steps, greatest / 127.0)
            },
            |steps| (steps, 1.0 / steps),
        );
        for (byte, number) in bytes.iter_mut().zip(numbers) {
            // Adding and taking away 1.5 * 2^23 rounds, in instructions any machine has as vectors.
            let rounded = (number * steps + 12_582_912.0) - 12_582_912.0;
            *byte = rounded.clamp(-127.0, 127.0) as i32 as i8;
        }
        scales.push(scale);
    }
    (bytes, scales)
}

/// Sums `[outputs, rows]` of the products of `weights` [outputs, padded] with `rows` [rows, padded], on
/// the widest vectors of this processor.
fn sums_of_products(weights: &[i8], rows: &[i8], padded: usize, sums: &mut [i32]) {
    #[cfg(target_arch = "x86_64")]
    if rows.len() > padded && avx512::available() {
        avx512::sums_of_products(weights, rows, padded, sums);
        return;
    } else if std::arch::is_x86_feature_detected!("avx2") {
        avx2::sums_of_products(weights, rows, padded, sums);
        return;
    }
    plain::sums_of_products(weights, rows, padded, sums);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_kernel_gives_the_same_sums(
            outputs in 1_usize..12,
            rows in 1_usize..12,
            chunks in 1_usize..5,
            seed in any::<u64>(),
            extreme in any::<bool>(),
        ) {
            let padded = chunks * CHUNK;
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
            let weights: Vec<i8> = (0..outputs * padded).map(|_| byte().max(-127)).collect();
            let values: Vec<i8> = (0..rows * padded).map(|_| byte().max(-127)).collect();
            let mut expected = Vec::new();
            for weights in weights.chunks_exact(padded) {
                for values in values.chunks_exact(padded) {
                    let products = weights.iter().zip(values);
                    expected.push(products.map(|(w, x)| i32::from(*w) * i32::from(*x)).sum::<i32>());
                }
            }
            let mut sums = vec![0; outputs * rows];
            plain::sums_of_products(&weights, &values, padded, &mut sums);
            prop_assert_eq!(&sums, &expected);
            sums.fill(0);
            sums_of_products(&weights, &values, padded, &mut sums);
            prop_assert_eq!(&sums, &expected);
            #[cfg(target_arch = "x86_64")]
            if std::arch::is_x86_feature_detected!("avx2") {
                sums.fill(0);
                avx2::sums_of_products(&weights, &values, padded, &mut sums);
                prop_assert_eq!(&sums, &expected);
            }
            #[cfg(target_arch = "x86_64")]
            if avx512::available() {
                sums.fill(0);
                avx512::sums_of_products(&weights, &values, padded, &mut sums);
                prop_assert_eq!(&sums, &expected);
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
            let matrix = ByteMatrix::quantize(&weights, inputs);
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
        let matrix = ByteMatrix::quantize(&[0.0, 0.0, 1.0, f32::NAN], 2);
        let rows = Rows::new(vec![f32::INFINITY, 1.0], 2);
        assert_eq!(matrix.product(&rows, &[0.0, 0.0]).count(), 1);
    }

    #[test]
    fn large_products_are_shared_among_threads_and_the_same() {
        let (inputs, outputs) = (64, 70_000);
        let weights: Vec<f32> = (0..inputs * outputs)
            .map(|at| (at % 255) as f32 - 127.0)
            .collect();
        let matrix = ByteMatrix::quantize(&weights, inputs);
        let rows = Rows::new((0..2 * inputs).map(|at| at as f32).collect(), inputs);
        let product = matrix.product(&rows, &vec![0.5; outputs]);
        for output in [0, TASK - 1, TASK, outputs - 1] {
            let one = ByteMatrix::quantize(&weights[output * inputs..][..inputs], inputs);
            let alone = one.product(&rows, &[0.5]);
            for (all, alone) in product.iter().zip(alone.iter()) {
                assert_eq!(all[output].to_bits(), alone[0].to_bits());
            }
        }
    }
}
