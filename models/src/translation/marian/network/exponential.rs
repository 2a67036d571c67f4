//! `e^x` in operations that compilers turn into vectors, and what is made of it.

use multiversion::multiversion;

/// Wrong by 3 units in the last place at most; outside of what f32 can hold, the nearest it can.
#[inline(always)]
pub(in crate::translation::marian) fn exp(x: f32) -> f32 {
    /// Adding it rounds to whole numbers, which then are the low bits.
    const ROUNDING: f32 = 12_582_912.0;
    /// ln 2 in two parts, the first with zeros at its end, so that its multiples are exact.
    const LN_2: [f32; 2] = [0.693_359_4, -2.121_944_4e-4];
    /// Taylor series: the argument is at most ln(2) / 2.
    const TERMS: [f32; 7] = [
        1.0,
        1.0,
        1.0 / 2.0,
        1.0 / 6.0,
        1.0 / 24.0,
        1.0 / 120.0,
        1.0 / 720.0,
    ];
    let x = x.clamp(-87.0, 88.0);
    let rounded = x * std::f32::consts::LOG2_E + ROUNDING;
    let whole = rounded - ROUNDING;
    let rest = (x - whole * LN_2[0]) - whole * LN_2[1];
    let series = TERMS.iter().rev().fold(0.0, |sum, term| sum * rest + term);
    // The exponent of the result.
    f32::from_bits(series.to_bits().wrapping_add(rounded.to_bits() << 23))
}

/// The highest of some numbers; minus infinity of none.
#[inline(always)]
pub(in crate::translation::marian) fn highest(numbers: &[f32]) -> f32 {
    const LANES: usize = 16;
    let most = |a: f32, b: f32| if b > a { b } else { a };
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let (wide, rest) = numbers.as_chunks::<LANES>();
    for numbers in wide {
        for (lane, number) in lanes.iter_mut().zip(numbers) {
            *lane = most(*lane, *number);
        }
    }
    lanes
        .iter()
        .chain(rest)
        .copied()
        .fold(f32::NEG_INFINITY, most)
}

/// Scores become probabilities.
#[inline(always)]
pub(super) fn softmax(scores: &mut [f32]) {
    let highest = highest(scores);
    scores
        .iter_mut()
        .for_each(|score| *score = exp(*score - highest));
    let part = 1.0 / scores.iter().sum::<f32>();
    scores.iter_mut().for_each(|score| *score *= part);
}

/// The same, exact to the last bit and summed in order.
#[inline(always)]
pub(super) fn softmax_exact(scores: &mut [f32]) {
    let highest = highest(scores);
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = (*score - highest).exp();
        sum += *score;
    }
    for score in scores {
        *score /= sum;
    }
}

/// Each number times the logistic function of it (Swish, `SiLU`).
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
pub(super) fn swish(numbers: &mut [f32]) {
    numbers.iter_mut().for_each(|x| *x /= 1.0 + exp(-*x));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_exponential() {
        for step in -8_700..8_800_i16 {
            let x = f32::from(step) / 100.0;
            let exact = f64::from(x).exp();
            let error = (f64::from(exp(x)) - exact).abs() / exact;
            assert!(error < 4e-7, "{x}: {error:e}");
        }
        assert!(exp(f32::NEG_INFINITY) < 2e-38);
        assert!(exp(1e9).is_finite());
    }

    #[test]
    fn softmax_sums_to_one() {
        let mut scores = [1_000.0, 999.0, -1_000.0];
        softmax(&mut scores);
        assert!((scores.iter().sum::<f32>() - 1.0).abs() < 1e-6);
        assert!((scores[0] / scores[1] - std::f32::consts::E).abs() < 1e-5);
    }
}
