//! Counting n-grams.

use std::{collections::HashMap, hash::Hash};

/// How often each run of `n` neighbours occurs.
pub(super) fn count<T: Hash + Eq>(items: &[T], n: usize) -> HashMap<&[T], usize> {
    let mut counts = HashMap::new();
    for gram in items.windows(n) {
        *counts.entry(gram).or_default() += 1;
    }
    counts
}

/// N-grams that both have, each counted as often as it occurs in the one that has fewer.
pub(super) fn common<T: Hash + Eq>(
    left: &HashMap<&[T], usize>,
    right: &HashMap<&[T], usize>,
) -> usize {
    left.iter()
        .filter_map(|(gram, count)| right.get(gram).map(|other| *count.min(other)))
        .sum()
}
