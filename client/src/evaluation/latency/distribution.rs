//! Weighted values: median, 95th percentile, mean, histogram.

use serde::{Deserialize, Serialize};

/// Width of a bin of the histogram.
const BIN_MS: i64 = 500;

/// A value in milliseconds, and how much it counts (words).
pub type Weighted = (i64, usize);

/// How values in milliseconds are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Distribution {
    /// What was counted: the sum of the weights, in words.
    pub words: usize,
    /// Half of the weight does not pass this, in ms.
    pub median_ms: i64,
    /// 95 in 100 of the weight do not pass this, in ms.
    pub p95_ms: i64,
    /// Weighted mean, in ms.
    pub mean_ms: f64,
    /// Least value, in ms.
    pub min_ms: i64,
    /// Greatest value, in ms.
    pub max_ms: i64,
    /// Bins of half a second from the least value to the greatest, empty ones between them too.
    pub histogram: Vec<Bin>,
}

/// A bin of a histogram.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bin {
    /// Least value in it, in ms; the next bin begins half a second later.
    pub from_ms: i64,
    /// Weight in it, in words.
    pub words: usize,
}

impl Distribution {
    /// The spread of these values; `None` where nothing has weight.
    #[must_use]
    pub fn of(values: &[Weighted]) -> Option<Self> {
        let words = values.iter().map(|(_, weight)| weight).sum();
        let weighted = || values.iter().filter(|(_, weight)| *weight > 0);
        let sum: f64 = weighted().map(|(v, w)| *v as f64 * *w as f64).sum();
        let min_ms = weighted().map(|(value, _)| *value).min()?;
        let max_ms = weighted().map(|(value, _)| *value).max()?;
        Some(Self {
            words,
            median_ms: percentile(values, 50)?,
            p95_ms: percentile(values, 95)?,
            mean_ms: sum / words as f64,
            min_ms,
            max_ms,
            histogram: histogram(values, min_ms.div_euclid(BIN_MS), max_ms.div_euclid(BIN_MS)),
        })
    }
}

fn histogram(values: &[Weighted], first: i64, last: i64) -> Vec<Bin> {
    let words_in = |bin: i64| {
        let within = values.iter().filter(|(v, _)| v.div_euclid(BIN_MS) == bin);
        within.map(|(_, weight)| weight).sum()
    };
    (first..=last)
        .map(|bin| Bin {
            from_ms: bin * BIN_MS,
            words: words_in(bin),
        })
        .collect()
}

/// The least value that `percent` in 100 of the weight do not pass.
#[must_use]
pub fn percentile(values: &[Weighted], percent: usize) -> Option<i64> {
    let mut sorted = values.to_vec();
    sorted.sort_unstable();
    let total: usize = sorted.iter().map(|(_, weight)| weight).sum();
    let mut below = 0;
    sorted.into_iter().find_map(|(value, weight)| {
        below += weight;
        (weight > 0 && below * 100 >= total * percent).then_some(value)
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn percentiles_weigh_words() {
        let values = [(10, 1), (20, 18), (90, 1)];
        assert_eq!(percentile(&values, 50), Some(20));
        assert_eq!(percentile(&values, 95), Some(20));
        assert_eq!(percentile(&values, 96), Some(90));
        assert_eq!(percentile(&[], 50), None);
        assert_eq!(percentile(&[(5, 0)], 50), None);
    }

    #[test]
    fn the_histogram_has_half_seconds_also_below_zero() {
        let spread = Distribution::of(&[(-1, 2), (0, 1), (1499, 3)]).unwrap();
        let bins: Vec<_> = spread
            .histogram
            .iter()
            .map(|b| (b.from_ms, b.words))
            .collect();
        assert_eq!(bins, [(-500, 2), (0, 1), (500, 0), (1000, 3)]);
        assert_eq!(
            (spread.words, spread.median_ms, spread.p95_ms),
            (6, 0, 1499)
        );
        assert!((spread.mean_ms - 4495.0 / 6.0).abs() < 1e-9);
    }

    proptest! {
        #[test]
        fn nothing_is_lost(values in prop::collection::vec((-5_000_i64..60_000, 1_usize..9), 1..40)) {
            let spread = Distribution::of(&values).unwrap();
            let binned: usize = spread.histogram.iter().map(|bin| bin.words).sum();
            prop_assert_eq!(binned, spread.words);
            prop_assert!(spread.min_ms <= spread.median_ms);
            prop_assert!(spread.median_ms <= spread.p95_ms && spread.p95_ms <= spread.max_ms);
        }
    }
}
