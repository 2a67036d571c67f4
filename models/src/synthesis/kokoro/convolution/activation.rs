//! What stands before a convolution: values normalised, brought into the style of the voice, and
//! passed through the periodic activation.

#![expect(unsafe_code, reason = "functions compiled for some processors only")]

use std::f32::consts::{FRAC_1_PI, PI};

/// Numbers worked on side by side.
const LANES: usize = 16;
/// What is added to the variance.
const EPSILON: f32 = 1e-5;

/// Style and activation of one channel.
#[derive(Debug, Clone, Copy)]
pub(super) struct Channel {
    pub(super) gain: f32,
    pub(super) shift: f32,
    /// a of `x + sin^2(ax) / a`.
    pub(super) frequency: f32,
    /// 1 / a.
    pub(super) inverse: f32,
}

/// Writes `n + sin^2(frequency n) inverse` to `activated`, where n is `gain x + shift` of the values x
/// of one channel normalised to mean 0 and variance 1. Returns the least and the
/// greatest of what is written.
pub(super) fn activate(values: &[f32], channel: Channel, activated: &mut [f32]) -> (f32, f32) {
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        // SAFETY: the processor has what the function is compiled for.
        unsafe { activate_wide(values, channel, activated) }
    } else {
        activate_plain(values, channel, activated)
    }
}

#[target_feature(enable = "avx2,fma")]
fn activate_wide(values: &[f32], channel: Channel, activated: &mut [f32]) -> (f32, f32) {
    activate_plain(values, channel, activated)
}

#[inline(always)]
fn activate_plain(values: &[f32], channel: Channel, activated: &mut [f32]) -> (f32, f32) {
    let count = values.len().max(1) as f32;
    let mean = sum(values, |value| value) / count;
    let variance = sum(values, |value| (value - mean) * (value - mean)) / count;
    let scale = channel.gain / (variance + EPSILON).sqrt();
    let shift = channel.shift - mean * scale;
    let turns = channel.frequency * FRAC_1_PI;
    let mut least = [f32::INFINITY; LANES];
    let mut greatest = [f32::NEG_INFINITY; LANES];
    let one = |value: f32| {
        let normal = value * scale + shift;
        normal + sine_squared(normal * turns) * channel.inverse
    };
    let (wide, rest) = values.as_chunks::<LANES>();
    let (wide_out, rest_out) = activated.as_chunks_mut::<LANES>();
    for (values, activated) in wide.iter().zip(wide_out) {
        for lane in 0..LANES {
            let value = one(values[lane]);
            activated[lane] = value;
            least[lane] = least[lane].min(value);
            greatest[lane] = greatest[lane].max(value);
        }
    }
    for (value, activated) in rest.iter().zip(rest_out) {
        *activated = one(*value);
        least[0] = least[0].min(*activated);
        greatest[0] = greatest[0].max(*activated);
    }
    (
        least.into_iter().fold(f32::INFINITY, f32::min),
        greatest.into_iter().fold(f32::NEG_INFINITY, f32::max),
    )
}

#[inline(always)]
fn sum(values: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let (wide, rest) = values.as_chunks::<LANES>();
    for values in wide {
        for lane in 0..LANES {
            sums[lane] += term(values[lane]);
        }
    }
    sums.into_iter().sum::<f32>() + rest.iter().map(|value| term(*value)).sum::<f32>()
}

/// `sin^2(pi x)`, wrong by 1e-6 at most: it repeats at whole numbers, and within half of one a
/// Taylor series of seven terms in x^2 is enough.
#[inline(always)]
fn sine_squared(x: f32) -> f32 {
    // Adding and taking away 1.5 * 2^23 rounds to whole numbers, in two instructions on any machine.
    const ROUNDING: f32 = 12_582_912.0;
    let from_whole = x - ((x + ROUNDING) - ROUNDING);
    let square = (from_whole * PI) * (from_whole * PI);
    // sin^2 t = sum of (-1)^(k+1) 2^(2k-1) t^(2k) / (2k)!
    const TERMS: [f32; 7] = [
        1.0,
        -1.0 / 3.0,
        2.0 / 45.0,
        -1.0 / 315.0,
        2.0 / 14_175.0,
        -2.0 / 467_775.0,
        4.0 / 42_567_525.0,
    ];
    let series = TERMS
        .iter()
        .rev()
        .fold(0.0, |series, term| series * square + term);
    series * square
}

/// How numbers become bytes: `number * scale + zero_point`, rounded. The numbers must fit.
#[derive(Debug, Clone, Copy)]
pub(super) struct Quantization {
    pub(super) scale: f32,
    pub(super) zero_point: u8,
}

/// Quantises the numbers of four channels (`[4, length]`) and joins them into `row`, moment by moment.
pub(super) fn quantize(numbers: &[f32], quantization: Quantization, row: &mut [[u8; 4]]) {
    if std::arch::is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has what the function is compiled for.
        unsafe { quantize_wide(numbers, quantization, row) }
    } else {
        quantize_plain(numbers, quantization, row);
    }
}

#[target_feature(enable = "avx2")]
fn quantize_wide(numbers: &[f32], quantization: Quantization, row: &mut [[u8; 4]]) {
    quantize_plain(numbers, quantization, row);
}

#[inline(always)]
fn quantize_plain(numbers: &[f32], quantization: Quantization, row: &mut [[u8; 4]]) {
    // The sum has the rounded number, as a whole number, in its lowest bits.
    const ROUNDING: f32 = 12_582_912.0;
    let zero = f32::from(quantization.zero_point);
    let byte = |number: f32| (number * quantization.scale + zero + ROUNDING).to_bits() & 0xff;
    let length = numbers.len() / 4;
    let (first, rest) = numbers.split_at(length);
    let (second, rest) = rest.split_at(length);
    let (third, fourth) = rest.split_at(length);
    let channels = first.iter().zip(second).zip(third).zip(fourth);
    for ((((first, second), third), fourth), joined) in channels.zip(row) {
        let bytes = byte(*first) | byte(*second) << 8 | byte(*third) << 16 | byte(*fourth) << 24;
        *joined = bytes.to_le_bytes();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_series_is_the_sine() {
        for step in -40_000..40_000 {
            let x = step as f32 * 1e-3;
            let exact = (f64::from(x) * std::f64::consts::PI).sin().powi(2);
            assert!((f64::from(sine_squared(x)) - exact).abs() < 2e-5, "{x}");
        }
    }

    #[test]
    fn values_are_normalised_styled_and_activated() {
        let values: Vec<f32> = (0..101)
            .map(|i| (i as f32 * 0.37).cos() * 3.0 + 5.0)
            .collect();
        let channel = Channel {
            gain: 1.5,
            shift: -0.2,
            frequency: 0.7,
            inverse: 1.0 / 0.7,
        };
        let mut activated = vec![0.0; values.len()];
        let (least, greatest) = activate(&values, channel, &mut activated);
        let mean = values.iter().sum::<f32>() / 101.0;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / 101.0;
        for (x, got) in values.iter().zip(&activated) {
            let normal = (x - mean) / (variance + 1e-5).sqrt() * 1.5 - 0.2;
            let expected = normal + (0.7 * normal).sin().powi(2) / 0.7;
            assert!((got - expected).abs() < 1e-4, "{got} {expected}");
        }
        let mut ordered = activated.clone();
        ordered.sort_by(f32::total_cmp);
        assert_eq!((least, greatest), (ordered[0], ordered[100]));
    }

    #[test]
    fn quantised_values_lie_side_by_side() {
        let quantization = Quantization {
            scale: 10.0,
            zero_point: 20,
        };
        let numbers = [1.0, -1.0, 0.26, 0.0, 23.5, -2.0, 0.5, 0.0];
        let mut row = [[7; 4]; 3];
        quantize(&numbers, quantization, &mut row);
        assert_eq!(row, [[30, 23, 255, 25], [10, 20, 0, 20], [7; 4]]);
    }
}
