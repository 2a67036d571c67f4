//! chrF2 (Popović 2015), as sacrebleu computes it: characters 1 to 6, no words, white space left out.

use super::ngrams::{common, count};

/// Longest n-gram.
const ORDERS: usize = 6;
/// Recall weighs this squared times as much as precision.
const BETA: f64 = 2.0;

/// What chrF is computed from. The counts of sentences added up give the chrF of the corpus.
///
/// chrF = `(1 + b²) P R / (b² P + R)`, where P and R are the means, over the orders that both texts
/// are long enough for, of the share of the text's and of the reference's n-grams that the other has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ChrfCounts {
    /// N-grams of the text, of the reference, and of both, by order.
    orders: [[usize; 3]; ORDERS],
}

impl ChrfCounts {
    /// The counts of one sentence.
    #[must_use]
    pub fn of(text: &str, reference: &str) -> Self {
        let characters =
            |text: &str| -> Vec<char> { text.chars().filter(|c| !c.is_whitespace()).collect() };
        let (text, reference) = (characters(text), characters(reference));
        let orders = std::array::from_fn(|at| {
            let (text, reference) = (count(&text, at + 1), count(&reference, at + 1));
            let both = common(&text, &reference);
            let all = reference.values().sum();
            // As there: n-grams count only where the reference has any to hit.
            let said = if all > 0 { text.values().sum() } else { 0 };
            [said, all, both]
        });
        Self { orders }
    }

    /// chrF2, 0 to 100.
    #[must_use]
    pub fn score(self) -> f64 {
        let (mut precision, mut recall, mut orders) = (0.0, 0.0, 0.0);
        for [text, reference, both] in self.orders {
            if text > 0 && reference > 0 {
                precision += both as f64 / text as f64;
                recall += both as f64 / reference as f64;
                orders += 1.0;
            }
        }
        if precision + recall == 0.0 {
            return 0.0;
        }
        let (precision, recall): (f64, f64) = (precision / orders, recall / orders);
        let weight = BETA * BETA;
        100.0 * (1.0 + weight) * precision * recall / (weight * precision + recall)
    }
}

impl std::ops::Add for ChrfCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        let orders = std::array::from_fn(|order| {
            std::array::from_fn(|of| self.orders[order][of] + other.orders[order][of])
        });
        Self { orders }
    }
}

impl std::iter::Sum for ChrfCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, counts| sum + counts)
    }
}
