//! Speech that waits to be played.

use std::collections::VecDeque;

/// Most speech that waits, in seconds. A listener who is a minute behind is better served by what
/// is said now.
const MOST_WAITING_S: usize = 60;
/// Most of the last sentence that is kept to be heard again, in seconds.
const MOST_KEPT_S: usize = 30;

/// A queue of mono speech at one sample rate, which remembers the sentence it gave last.
#[derive(Debug)]
pub(super) struct SpeechQueue {
    rate_hz: u32,
    waiting: VecDeque<f32>,
    sentence: Option<u64>,
    kept: Vec<f32>,
}

impl SpeechQueue {
    pub(super) fn new(rate_hz: u32) -> Self {
        Self {
            rate_hz,
            waiting: VecDeque::new(),
            sentence: None,
            kept: Vec::new(),
        }
    }

    pub(super) fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// Adds speech of a sentence. Returns the samples that were dropped, oldest first, because too
    /// much waits.
    pub(super) fn push(&mut self, sentence: u64, samples: &[f32]) -> usize {
        if self.sentence != Some(sentence) {
            self.sentence = Some(sentence);
            self.kept.clear();
        }
        let room = (self.rate_hz as usize * MOST_KEPT_S).saturating_sub(self.kept.len());
        self.kept
            .extend_from_slice(&samples[..samples.len().min(room)]);
        self.waiting.extend(samples);
        let most = self.rate_hz as usize * MOST_WAITING_S;
        let surplus = self.waiting.len().saturating_sub(most);
        self.waiting.drain(..surplus);
        surplus
    }

    /// Takes up to `count` samples.
    pub(super) fn take(&mut self, count: usize, out: &mut Vec<f32>) {
        out.extend(self.waiting.drain(..count.min(self.waiting.len())));
    }

    /// Plays the last sentence once more, before anything that waits.
    pub(super) fn again(&mut self) {
        for sample in self.kept.iter().rev() {
            self.waiting.push_front(*sample);
        }
    }

    /// Drops all that waits; returns how many samples.
    pub(super) fn clear(&mut self) -> usize {
        let dropped = self.waiting.len();
        self.waiting.clear();
        dropped
    }

    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Milliseconds of speech that `samples` are.
    pub(super) fn ms(&self, samples: usize) -> u64 {
        samples as u64 * 1000 / u64::from(self.rate_hz.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(queue: &mut SpeechQueue) -> Vec<f32> {
        let mut out = Vec::new();
        queue.take(usize::MAX, &mut out);
        out
    }

    #[test]
    fn the_last_sentence_is_heard_again_and_first() {
        let mut queue = SpeechQueue::new(10);
        queue.push(1, &[1.0]);
        queue.push(2, &[2.0]);
        queue.push(2, &[3.0]);
        assert_eq!(all(&mut queue), [1.0, 2.0, 3.0]);
        queue.push(2, &[4.0]);
        queue.again();
        assert_eq!(all(&mut queue), [2.0, 3.0, 4.0, 4.0]);
    }

    #[test]
    fn more_than_a_minute_drops_the_oldest_and_counts_it() {
        let mut queue = SpeechQueue::new(10);
        assert_eq!(queue.push(1, &[1.0; 500]), 0);
        assert_eq!(queue.push(2, &[2.0; 200]), 100);
        assert_eq!(queue.len(), 600);
        assert_eq!(all(&mut queue)[399..401], [1.0, 2.0]);
    }
}
