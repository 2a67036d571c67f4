//! Which sentences of a reference translate which sentences of the source.

use std::ops::Range;

/// Sentences of the source and those of the reference that say the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bead {
    /// Sentences of the source; at least one.
    pub source: Range<usize>,
    /// Sentences of the reference; at least one.
    pub reference: Range<usize>,
}

/// Variance of a translation's length for each character of the source (Gale and Church 1993).
const VARIANCE: f64 = 6.8;

/// Numbers of sentences that pair (source, reference), and the probability Gale and Church found.
const KINDS: [(usize, usize, f64); 6] = [
    (1, 1, 0.89),
    (1, 2, 0.0445),
    (2, 1, 0.0445),
    (2, 2, 0.011),
    (1, 0, 0.0049),
    (0, 1, 0.0049),
];

/// Pairs sentences by their lengths in characters, by the method of Gale and Church (1993): long
/// sentences have long translations. The expected ratio is that of the whole texts. A sentence
/// without a partner goes to the bead before it, or after it where there is none, so that every
/// sentence is in exactly one bead.
#[must_use]
pub fn pair(source: &[usize], reference: &[usize]) -> Vec<Bead> {
    if source.is_empty() || reference.is_empty() {
        return Vec::new();
    }
    let sum = |lengths: &[usize]| lengths.iter().sum::<usize>() as f64;
    let ratio = sum(reference).max(1.0) / sum(source).max(1.0);
    let (rows, columns) = (source.len() + 1, reference.len() + 1);
    let mut best = vec![(f64::INFINITY, 0, 0); rows * columns];
    best[0].0 = 0.0;
    for i in 0..rows {
        for j in 0..columns {
            for (m, n, probability) in KINDS.into_iter().filter(|(m, n, _)| *m <= i && *n <= j) {
                let lengths = (sum(&source[i - m..i]), sum(&reference[j - n..j]));
                let cost = best[(i - m) * columns + j - n].0 + cost(lengths, ratio, probability);
                if cost < best[i * columns + j].0 {
                    best[i * columns + j] = (cost, m, n);
                }
            }
        }
    }
    let (mut i, mut j) = (source.len(), reference.len());
    let mut beads = Vec::new();
    while i > 0 || j > 0 {
        let (_, m, n) = best[i * columns + j];
        if m + n == 0 {
            break;
        }
        beads.push(Bead {
            source: i - m..i,
            reference: j - n..j,
        });
        (i, j) = (i - m, j - n);
    }
    beads.reverse();
    without_lonely(beads)
}

/// Minus the logarithm of the probability that lengths differ so much, times that of the kind.
fn cost((source, reference): (f64, f64), ratio: f64, probability: f64) -> f64 {
    let mean = (source + reference / ratio) / 2.0;
    let difference = (reference - source * ratio).abs() / (VARIANCE * mean.max(1.0)).sqrt();
    // Two tails of the normal distribution, by the usual approximation (Abramowitz and Stegun
    // 26.2.17), bounded so that the logarithm stays finite.
    let t = 1.0 / (1.0 + 0.231_641_9 * difference);
    let polynomial = t
        * (0.319_381_530
            + t * (-0.356_563_782
                + t * (1.781_477_937 + t * (-1.821_255_978 + t * 1.330_274_429))));
    let density = (-difference * difference / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let tails = (2.0 * density * polynomial).max(1e-12);
    -tails.ln() - probability.ln()
}

fn without_lonely(beads: Vec<Bead>) -> Vec<Bead> {
    let mut whole: Vec<Bead> = Vec::new();
    for bead in beads {
        match whole.last_mut() {
            Some(last)
                if bead.source.is_empty()
                    || bead.reference.is_empty()
                    || last.source.is_empty()
                    || last.reference.is_empty() =>
            {
                last.source.end = bead.source.end;
                last.reference.end = bead.reference.end;
            }
            _ => whole.push(bead),
        }
    }
    whole
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pairs(source: &[usize], reference: &[usize]) -> Vec<(Range<usize>, Range<usize>)> {
        let beads = pair(source, reference);
        beads.into_iter().map(|b| (b.source, b.reference)).collect()
    }

    #[test]
    fn like_lengths_pair() {
        assert_eq!(
            pairs(&[50, 120, 30], &[60, 130, 35]),
            [(0..1, 0..1), (1..2, 1..2), (2..3, 2..3)]
        );
        // The long sentence became two.
        assert_eq!(
            pairs(&[50, 200, 40], &[50, 100, 100, 40]),
            [(0..1, 0..1), (1..2, 1..3), (2..3, 3..4)]
        );
        assert_eq!(pairs(&[50], &[]), []);
    }

    #[test]
    fn a_sentence_without_partner_joins_its_neighbour() {
        let beads = pair(&[100, 300, 100], &[100, 100]);
        assert_eq!(beads.first().map(|b| b.source.start), Some(0));
        assert_eq!(beads.last().map(|b| b.source.end), Some(3));
        assert!(
            beads
                .iter()
                .all(|b| !b.source.is_empty() && !b.reference.is_empty())
        );
    }

    proptest! {
        #[test]
        fn every_sentence_is_in_one_bead(
            source in prop::collection::vec(1_usize..300, 1..12),
            reference in prop::collection::vec(1_usize..300, 1..12),
        ) {
            let (mut i, mut j) = (0, 0);
            for bead in pair(&source, &reference) {
                prop_assert_eq!((bead.source.start, bead.reference.start), (i, j));
                prop_assert!(!bead.source.is_empty() && !bead.reference.is_empty());
                (i, j) = (bead.source.end, bead.reference.end);
            }
            prop_assert_eq!((i, j), (source.len(), reference.len()));
        }
    }
}
