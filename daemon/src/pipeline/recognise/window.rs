//! The sound that recognition still works on, and what of it is committed already.

use interpret_models::SOURCE_SAMPLE_RATE;

/// A word of the window that is committed: the next run is forced to begin with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct CommittedWord {
    pub(super) tokens: Vec<i32>,
    /// Sample after its last, since the session's beginning.
    pub(super) end: u64,
    /// Whether a sentence or clause ends with it.
    pub(super) stop: bool,
}

/// How long windows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WindowLimits {
    /// From this length in milliseconds on, the window is cut where a sentence or clause ended.
    pub soft_ms: u32,
    /// From this length on it is cut after any committed word.
    pub hard_ms: u32,
    /// From this length on words are committed whether they are certain or not, and sound without
    /// any word is dropped.
    pub most_ms: u32,
    /// Committed sound that is kept in front as context, at least.
    pub keep_ms: u32,
}

impl Default for WindowLimits {
    fn default() -> Self {
        Self {
            soft_ms: 2_000,
            hard_ms: 3_500,
            most_ms: 14_000,
            keep_ms: 500,
        }
    }
}

/// A growing window that loses its committed beginning now and then.
#[derive(Debug)]
pub(super) struct Window {
    start: u64,
    samples: Vec<f32>,
    committed: Vec<CommittedWord>,
}

impl Window {
    /// An empty window from sample `start` on.
    pub(super) fn new(start: u64) -> Self {
        Self {
            start,
            samples: Vec::new(),
            committed: Vec::new(),
        }
    }

    pub(super) fn push(&mut self, samples: &[f32]) {
        self.samples.extend(samples);
    }

    /// Its first sample.
    pub(super) fn start(&self) -> u64 {
        self.start
    }

    /// The sample after its last.
    pub(super) fn end(&self) -> u64 {
        self.start + self.samples.len() as u64
    }

    /// The sound up to sample `end`.
    pub(super) fn sound(&self, end: u64) -> &[f32] {
        let length = usize::try_from(end.saturating_sub(self.start)).unwrap_or(usize::MAX);
        &self.samples[..length.min(self.samples.len())]
    }

    /// Drops the sound from sample `end` on.
    pub(super) fn truncate(&mut self, end: u64) {
        let length = self.sound(end).len();
        self.samples.truncate(length);
    }

    /// The tokens that the next run begins with.
    pub(super) fn forced(&self) -> Vec<i32> {
        self.committed
            .iter()
            .flat_map(|word| word.tokens.iter().copied())
            .collect()
    }

    pub(super) fn commit(&mut self, word: CommittedWord) {
        self.committed.push(word);
    }

    /// Cuts the beginning off, if the window is too long and there is a place to cut. Tells whether
    /// it did.
    pub(super) fn trim(&mut self, limits: WindowLimits) -> bool {
        let length = self.end() - self.start;
        if length < samples(limits.soft_ms) {
            return false;
        }
        let overlong = length >= samples(limits.most_ms);
        let Some(last) = self.committed.last().map(|word| word.end) else {
            return overlong && self.drop_until(self.end() - samples(limits.soft_ms));
        };
        // What comes after the cut must hold some committed sound, for context.
        let latest = if overlong {
            last
        } else {
            last.saturating_sub(samples(limits.keep_ms))
        };
        let before = |word: &&CommittedWord| word.end <= latest && word.end > self.start;
        let found = self.committed.iter().filter(before).rfind(|word| word.stop);
        let found = if length >= samples(limits.hard_ms) {
            found.or_else(|| self.committed.iter().rfind(before))
        } else {
            found
        };
        match found.map(|word| word.end) {
            Some(cut) => self.drop_until(cut),
            None => false,
        }
    }

    /// Drops the committed words and their sound.
    pub(super) fn forget(&mut self) {
        if let Some(last) = self.committed.last() {
            self.drop_until(last.end.clamp(self.start, self.end()));
            self.committed.clear();
        }
    }

    fn drop_until(&mut self, cut: u64) -> bool {
        let gone = usize::try_from(cut - self.start).unwrap_or(0);
        self.samples.drain(..gone.min(self.samples.len()));
        self.start = cut;
        self.committed.retain(|word| word.end > cut);
        true
    }
}

/// Samples in so many milliseconds.
pub(super) fn samples(ms: u32) -> u64 {
    u64::from(ms) * u64::from(SOURCE_SAMPLE_RATE) / 1_000
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const LIMITS: WindowLimits = WindowLimits {
        soft_ms: 4_000,
        hard_ms: 7_000,
        most_ms: 14_000,
        keep_ms: 1_000,
    };

    fn word(end_ms: u32, stop: bool) -> CommittedWord {
        CommittedWord {
            tokens: vec![i32::try_from(end_ms).unwrap()],
            end: samples(end_ms),
            stop,
        }
    }

    fn window(length_ms: u32, words: &[(u32, bool)]) -> Window {
        let mut window = Window::new(0);
        window.push(&vec![0.0; usize::try_from(samples(length_ms)).unwrap()]);
        for (end_ms, stop) in words {
            window.commit(word(*end_ms, *stop));
        }
        window
    }

    #[test]
    fn a_short_window_stays_whole() {
        let mut short = window(3_900, &[(1_000, true), (3_000, false)]);
        assert!(!short.trim(LIMITS));
        assert_eq!((short.start(), short.forced()), (0, vec![1_000, 3_000]));
    }

    #[test]
    fn a_long_one_is_cut_after_the_last_stop_that_leaves_context() {
        let words = [(1_000, true), (3_000, true), (4_500, false), (5_200, true)];
        let mut long = window(6_500, &words);
        assert!(long.trim(LIMITS));
        assert_eq!(long.start(), samples(3_000));
        assert_eq!(long.forced(), [4_500, 5_200]);
        assert_eq!(long.end(), samples(6_500));
    }

    #[test]
    fn without_stops_it_grows_to_the_hard_limit_and_is_cut_between_words() {
        let words = [(2_000, false), (5_000, false), (5_700, false)];
        let mut long = window(6_500, &words);
        assert!(!long.trim(LIMITS));
        long.push(&vec![0.0; usize::try_from(samples(500)).unwrap()]);
        assert!(!long.trim(WindowLimits {
            keep_ms: 6_000,
            ..LIMITS
        }));
        assert!(long.trim(LIMITS));
        assert_eq!(
            (long.start(), long.forced()),
            (samples(2_000), vec![5_000, 5_700])
        );
    }

    proptest! {
        #[test]
        fn a_cut_never_loses_sound_that_is_not_committed(
            length_ms in 0_u32..20_000,
            ends in prop::collection::vec((0_u32..20_000, any::<bool>()), 0..20),
        ) {
            let mut ends = ends;
            ends.sort_unstable();
            ends.retain(|(end, _)| *end <= length_ms);
            let mut cut = window(length_ms, &ends);
            let end = cut.end();
            cut.trim(LIMITS);
            prop_assert_eq!(cut.end(), end);
            let last = ends.last().map_or(0, |(end, _)| *end);
            prop_assert!(cut.start() <= samples(last) || ends.is_empty());
        }
    }
}
