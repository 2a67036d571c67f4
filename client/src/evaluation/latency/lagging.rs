//! The lagging family: how far a text lies behind an ideal interpreter who keeps a constant speed.

/// When the words of a text arrived, and what an ideal interpreter would have to do.
///
/// `d_i` is when word i = 1..H arrived, S the length of the source, R the number of words of the
/// reference. All in milliseconds; relative to the beginning of the segment that is scored.
#[derive(Debug, Clone, Copy)]
pub struct Lagging<'a> {
    /// `d_i`: when each word arrived, in ms after the segment began.
    pub delays_ms: &'a [f64],
    /// S: length of the source segment, in ms.
    pub source_ms: f64,
    /// R: words of the reference; those of the text where there is no reference.
    pub reference_words: usize,
}

impl Lagging<'_> {
    /// Average proportion (Cho and Esipova 2016): `sum(d_i) / (S R)`. A ratio, not a time.
    #[must_use]
    pub fn average_proportion(&self) -> Option<f64> {
        let words = self.reference_words;
        let usable = self.usable() && words > 0;
        usable.then(|| self.delays_ms.iter().sum::<f64>() / (self.source_ms * words as f64))
    }

    /// Average lagging (Ma and others 2019; `SimulEval`): `d_1` where `d_1 > S`, else
    /// `1/T sum_(i=1..T) (d_i - (i-1) S/R)`, T being the first i with `d_i >= S`, else H. Rewards
    /// texts that are too long; prefer LAAL.
    #[must_use]
    pub fn al(&self) -> Option<f64> {
        self.lagging(self.reference_words)
    }

    /// Length-adaptive average lagging (Papi and others 2022; `SimulEval`): AL with `max(H, R)` for R.
    #[must_use]
    pub fn laal(&self) -> Option<f64> {
        self.lagging(self.reference_words.max(self.delays_ms.len()))
    }

    /// Differentiable average lagging (Cherry and Foster 2019; `SimulEval`):
    /// `1/H sum (g_i - (i-1) S/H)` with `g_1 = d_1`, `g_i = max(d_i, g_(i-1) + S/H)`.
    #[must_use]
    pub fn dal(&self) -> Option<f64> {
        if !self.usable() {
            return None;
        }
        let words = self.delays_ms.len() as f64;
        let step = self.source_ms / words;
        let mut at = f64::NEG_INFINITY;
        let mut sum = 0.0;
        for (index, delay) in self.delays_ms.iter().enumerate() {
            at = delay.max(at + step);
            sum += at - index as f64 * step;
        }
        Some(sum / words)
    }

    /// Yet another average lagging (Polák and others 2025, arXiv 2509.17349; `OmniSTEval` 0.1.10):
    /// LAAL over the words before the first that came at `stop_ms` or later; `None` where that is
    /// the first word. `stop_ms` is S for a recording scored as one segment (YAAL), and the time from
    /// the segment's beginning to the end of the recording for sentences of one (`LongYAAL`): words
    /// that came after the speaker had finished say nothing about simultaneity.
    #[must_use]
    pub fn yaal(&self, stop_ms: f64) -> Option<f64> {
        if !self.usable() {
            return None;
        }
        let words = self.reference_words.max(self.delays_ms.len());
        let counted = self.delays_ms.iter().take_while(|d| **d < stop_ms).count();
        (counted > 0).then(|| self.mean_lag(counted, words))
    }

    fn lagging(&self, words: usize) -> Option<f64> {
        let first = *self.delays_ms.first()?;
        if !self.usable() || words == 0 {
            return None;
        }
        if first > self.source_ms {
            return Some(first);
        }
        let late = self.delays_ms.iter().position(|d| *d >= self.source_ms);
        let counted = late.map_or(self.delays_ms.len(), |at| at + 1);
        Some(self.mean_lag(counted, words))
    }

    /// Mean over the first `counted` words of how far each is behind an interpreter who says `words`
    /// words, evenly, while the source lasts.
    fn mean_lag(&self, counted: usize, words: usize) -> f64 {
        let step = self.source_ms / words as f64;
        let lags = self.delays_ms.iter().take(counted).enumerate();
        lags.map(|(index, delay)| delay - index as f64 * step)
            .sum::<f64>()
            / counted as f64
    }

    fn usable(&self) -> bool {
        !self.delays_ms.is_empty() && self.source_ms > 0.0
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lagging(delays_ms: &[f64], source_ms: f64, reference_words: usize) -> Lagging<'_> {
        Lagging {
            delays_ms,
            source_ms,
            reference_words,
        }
    }

    fn is(found: Option<f64>, expected: f64) {
        assert!(
            (found.unwrap() - expected).abs() < 1e-9,
            "{found:?} is not {expected}"
        );
    }

    #[test]
    fn four_words_by_hand() {
        // The source lasts 4 s, the reference has 4 words: one a second is ideal.
        let four = lagging(&[1000.0, 2500.0, 4000.0, 5000.0], 4000.0, 4);
        is(four.average_proportion(), 12_500.0 / 16_000.0);
        // Up to the first word at or after the end of the source: (1000 + 1500 + 2000) / 3.
        is(four.al(), 1500.0);
        is(four.laal(), 1500.0);
        // No word moves: 1000, 2500, 4000, 5000 are a second apart at least.
        is(four.dal(), (1000.0 + 1500.0 + 2000.0 + 2000.0) / 4.0);
        // The words at 4000 and 5000 do not count.
        is(four.yaal(4000.0), 1250.0);
        is(four.yaal(4500.0), 1500.0);
    }

    #[test]
    fn too_long_a_text_gains_nothing_with_laal() {
        let eight = [500.0, 500.0, 1000.0, 1000.0, 1500.0, 1500.0, 1900.0, 1900.0];
        let eight = lagging(&eight, 2000.0, 4);
        // AL pretends that the ideal is a word every 500 ms.
        is(eight.al(), (9800.0 - 500.0 * 28.0) / 8.0);
        is(eight.laal(), (9800.0 - 250.0 * 28.0) / 8.0);
    }

    #[test]
    fn words_that_come_at_once_are_spread_by_dal() {
        is(lagging(&[3000.0; 3], 3000.0, 3).dal(), 3000.0);
        is(lagging(&[3000.0; 3], 3000.0, 3).al(), 3000.0);
    }

    #[test]
    fn a_text_that_begins_after_the_source_is_as_late_as_its_first_word() {
        let late = lagging(&[5000.0, 6000.0], 4000.0, 2);
        is(late.al(), 5000.0);
        is(late.laal(), 5000.0);
        assert_eq!(late.yaal(4000.0), None);
        is(late.yaal(f64::INFINITY), 4500.0);
    }

    #[test]
    fn nothing_has_no_latency() {
        let nothing = lagging(&[], 4000.0, 4);
        for score in [
            nothing.al(),
            nothing.laal(),
            nothing.dal(),
            nothing.yaal(9.0),
        ] {
            assert_eq!(score, None);
        }
        assert_eq!(lagging(&[1.0], 0.0, 4).laal(), None);
    }

    proptest! {
        #[test]
        fn a_later_text_is_later_by_as_much(
            mut delays in prop::collection::vec(0.0_f64..5_000.0, 1..30),
            shift in 0.0_f64..1_000.0,
            words in 1_usize..40,
        ) {
            delays.sort_by(f64::total_cmp);
            let later: Vec<f64> = delays.iter().map(|d| d + shift).collect();
            // All words come before the source ends, so that no stop rule changes what is counted.
            let (before, after) = (lagging(&delays, 10_000.0, words), lagging(&later, 10_000.0, words));
            for (before, after) in [
                (before.al(), after.al()),
                (before.laal(), after.laal()),
                (before.dal(), after.dal()),
                (before.yaal(10_000.0), after.yaal(10_000.0)),
            ] {
                prop_assert!((after.unwrap() - before.unwrap() - shift).abs() < 1e-6);
            }
        }

        #[test]
        fn laal_is_never_below_al_and_dal_never_below_the_mean_lag(
            mut delays in prop::collection::vec(0.0_f64..9_000.0, 1..30),
            words in 1_usize..40,
        ) {
            delays.sort_by(f64::total_cmp);
            let some = lagging(&delays, 10_000.0, words);
            prop_assert!(some.laal().unwrap() >= some.al().unwrap() - 1e-9);
            prop_assert!(some.dal().unwrap() >= some.mean_lag(delays.len(), delays.len()) - 1e-9);
        }
    }
}
