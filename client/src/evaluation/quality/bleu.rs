//! BLEU (Papineni and others 2002), as sacrebleu computes it: tokeniser 13a, case kept, one
//! reference, exponential smoothing.

use super::{
    ngrams::{common, count},
    tokens_13a,
};

/// Longest n-gram.
const ORDERS: usize = 4;

/// What BLEU is computed from. The counts of sentences added up give the BLEU of the corpus.
///
/// BLEU = `BP * exp(mean over n = 1..4 of ln p_n)`, where `p_n` is the share of the text's n-grams
/// that the reference has (each at most as often as there), and `BP = min(1, exp(1 - r/h))` for `h`
/// tokens against `r` of the reference. An order without any match counts as `1 / (2^k total)`, k
/// counting such orders from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BleuCounts {
    matched: [usize; ORDERS],
    total: [usize; ORDERS],
    tokens: usize,
    reference_tokens: usize,
}

impl BleuCounts {
    /// The counts of one sentence.
    #[must_use]
    pub fn of(text: &str, reference: &str) -> Self {
        let (text, reference) = (tokens_13a(text), tokens_13a(reference));
        let mut counts = Self {
            tokens: text.len(),
            reference_tokens: reference.len(),
            ..Self::default()
        };
        for order in 1..=ORDERS {
            counts.total[order - 1] = (text.len() + 1).saturating_sub(order);
            counts.matched[order - 1] = common(&count(&text, order), &count(&reference, order));
        }
        counts
    }

    /// BLEU, 0 to 100.
    #[must_use]
    pub fn score(self) -> f64 {
        self.with_orders(false)
    }

    /// With `effective`, orders for which the text is too short do not count.
    fn with_orders(self, effective: bool) -> f64 {
        if self.matched.iter().all(|matched| *matched == 0) {
            return 0.0;
        }
        let mut logarithms = 0.0;
        let mut orders = 0;
        let mut smoothing = 1.0;
        for (matched, total) in self.matched.into_iter().zip(self.total) {
            if total == 0 {
                break;
            }
            orders += 1;
            let precision = if matched == 0 {
                smoothing *= 2.0;
                1.0 / (smoothing * total as f64)
            } else {
                matched as f64 / total as f64
            };
            logarithms += precision.ln();
        }
        if !effective && orders < ORDERS {
            return 0.0;
        }
        100.0 * self.brevity_penalty() * (logarithms / orders as f64).exp()
    }

    fn brevity_penalty(self) -> f64 {
        if self.tokens >= self.reference_tokens {
            return 1.0;
        }
        (1.0 - self.reference_tokens as f64 / self.tokens.max(1) as f64).exp()
    }
}

impl std::ops::Add for BleuCounts {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            matched: std::array::from_fn(|n| self.matched[n] + other.matched[n]),
            total: std::array::from_fn(|n| self.total[n] + other.total[n]),
            tokens: self.tokens + other.tokens,
            reference_tokens: self.reference_tokens + other.reference_tokens,
        }
    }
}

impl std::iter::Sum for BleuCounts {
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |sum, counts| sum + counts)
    }
}

/// BLEU of a sentence by itself, 0 to 100: only orders for which it is long enough count (sacrebleu's
/// `effective_order`).
#[must_use]
pub fn sentence_bleu(text: &str, reference: &str) -> f64 {
    BleuCounts::of(text, reference).with_orders(true)
}
