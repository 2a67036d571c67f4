//! What one side of a call hears: the other side's translation, over their own voice.

use std::collections::VecDeque;

use super::comfort::Comfort;
use crate::pipeline::SourceRange;

/// Most of the other side's own voice that waits to be heard: what is older is of no use.
const FLOOR_MS: u32 = 200;
/// Most of a translation that waits to be heard.
const CLAUSES_MS: u64 = 60_000;
/// How loud a voice stays under another one.
const DUCKED: f32 = 0.25;
/// How fast loudness changes: so much in a sample at 1 Hz, which is all of it in 20 ms.
const FADE: f32 = 50.0;

/// A clause on its way to an ear.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Clause {
    /// At the ear's rate.
    pub(super) samples: Vec<f32>,
    /// What is said in it.
    pub(super) text: String,
    /// Number of its sentence.
    pub(super) sentence: u64,
    /// When the source was said.
    pub(super) range: SourceRange,
}

/// A clause that begins to be heard.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Begun {
    pub(super) text: String,
    pub(super) sentence: u64,
    pub(super) range: SourceRange,
    /// When, in the ear's own time.
    pub(super) at_ms: u64,
}

/// One side's ear.
#[derive(Debug)]
pub(super) struct Ear {
    rate: u32,
    clauses: VecDeque<Clause>,
    /// Samples of the first clause that were heard.
    heard: usize,
    /// The other side's own voice.
    floor: VecDeque<f32>,
    /// How loud that is to be, 0 to 1.
    original: f32,
    /// Whether it is heard in full just now: a key is being pressed.
    in_full: bool,
    /// Whether this side speaks, so that the translation is ducked.
    interrupted: bool,
    floor_gain: Gain,
    voice_gain: Gain,
    comfort: Option<Comfort>,
    /// Samples that were given out.
    given: u64,
}

impl Ear {
    pub(super) fn new(rate: u32, original: f32, comfort: bool) -> Self {
        Self {
            rate,
            clauses: VecDeque::new(),
            heard: 0,
            floor: VecDeque::new(),
            original,
            in_full: false,
            interrupted: false,
            floor_gain: Gain::new(rate, original),
            voice_gain: Gain::new(rate, 1.0),
            comfort: comfort.then(|| Comfort::new(rate)),
            given: 0,
        }
    }

    /// Takes a clause of the translation. Gives back the oldest that wait, where too many do.
    pub(super) fn speak(&mut self, clause: Clause) -> Vec<Clause> {
        self.clauses.push_back(clause);
        let mut left_out = Vec::new();
        while self.clauses.len() > 2 && self.waiting_ms() > CLAUSES_MS {
            // The first may be half heard.
            left_out.extend(self.clauses.remove(1));
        }
        left_out
    }

    /// Translation that waits to be heard.
    fn waiting_ms(&self) -> u64 {
        let samples: usize = self.clauses.iter().map(|c| c.samples.len()).sum();
        (samples - self.heard) as u64 * 1_000 / u64::from(self.rate)
    }

    /// Whether a translation is being heard.
    pub(super) fn is_speaking(&self) -> bool {
        !self.clauses.is_empty()
    }

    /// Takes the other side's own voice; in full where a key is pressed there.
    pub(super) fn overhear(&mut self, samples: &[f32], in_full: bool) {
        self.in_full = in_full;
        if self.original == 0.0 && !in_full {
            return;
        }
        self.floor.extend(samples);
        let most = (self.rate * FLOOR_MS / 1_000) as usize;
        let over = self.floor.len().saturating_sub(most.max(samples.len()));
        self.floor.drain(..over);
    }

    /// This side speaks, or has stopped.
    pub(super) fn interrupt(&mut self, speaks: bool) {
        self.interrupted = speaks;
    }

    /// Leaves out all of the translation that was not heard; gives the clauses of which nothing was.
    pub(super) fn stop(&mut self) -> Vec<Clause> {
        let begun = usize::from(self.heard > 0);
        self.heard = 0;
        let clauses: Vec<Clause> = self.clauses.drain(..).collect();
        clauses.into_iter().skip(begun).collect()
    }

    /// Says whether the other side is being interpreted, so that silence should not seem a lost line.
    pub(super) fn expect(&mut self, interpreted: bool) {
        if let Some(comfort) = &mut self.comfort {
            comfort.expect(interpreted);
        }
    }

    /// The next `samples`, and the clauses that begin in them.
    pub(super) fn hear(&mut self, samples: usize) -> (Vec<f32>, Vec<Begun>) {
        let mut begun = Vec::new();
        let mut sound = Vec::with_capacity(samples);
        for _ in 0..samples {
            let voice = self.next_voice(&mut begun);
            self.floor_gain.target = match (self.in_full, voice.is_some()) {
                (true, _) => 1.0,
                (false, true) => self.original * DUCKED,
                (false, false) => self.original,
            };
            self.voice_gain.target = if self.interrupted { DUCKED } else { 1.0 };
            let floor = self.floor.pop_front();
            let mut sample = voice.unwrap_or(0.0) * self.voice_gain.next();
            sample += floor.unwrap_or(0.0) * self.floor_gain.next();
            if let Some(comfort) = &mut self.comfort {
                sample += comfort.next(voice.is_some());
            }
            sound.push(sample.clamp(-1.0, 1.0));
            self.given += 1;
        }
        (sound, begun)
    }

    fn next_voice(&mut self, begun: &mut Vec<Begun>) -> Option<f32> {
        loop {
            let clause = self.clauses.front()?;
            if let Some(sample) = clause.samples.get(self.heard) {
                if self.heard == 0 {
                    begun.push(Begun {
                        text: clause.text.clone(),
                        sentence: clause.sentence,
                        range: clause.range,
                        at_ms: self.given * 1_000 / u64::from(self.rate),
                    });
                }
                self.heard += 1;
                return Some(*sample);
            }
            self.clauses.pop_front();
            self.heard = 0;
        }
    }
}

/// Loudness that changes without a click.
#[derive(Debug)]
struct Gain {
    now: f32,
    target: f32,
    step: f32,
}

impl Gain {
    fn new(rate: u32, now: f32) -> Self {
        Self {
            now,
            target: now,
            step: FADE / rate as f32,
        }
    }

    fn next(&mut self) -> f32 {
        let way = self.target - self.now;
        self.now += way.clamp(-self.step, self.step);
        self.now
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(text: &str, samples: Vec<f32>) -> Clause {
        Clause {
            samples,
            text: text.to_owned(),
            sentence: 1,
            range: SourceRange::default(),
        }
    }

    #[test]
    fn clauses_are_heard_in_order_without_gaps_and_told_when_they_begin() {
        let mut ear = Ear::new(8_000, 0.0, false);
        assert_eq!(ear.hear(80).0, vec![0.0; 80]);
        ear.speak(clause("a", vec![0.5; 100]));
        ear.speak(clause("b", vec![0.25; 60]));
        let (sound, begun) = ear.hear(200);
        assert_eq!(sound[..100], vec![0.5; 100]);
        assert_eq!(sound[100..160], vec![0.25; 60]);
        assert_eq!(sound[160..], vec![0.0; 40]);
        let times: Vec<_> = begun.iter().map(|b| (b.text.as_str(), b.at_ms)).collect();
        assert_eq!(times, [("a", 10), ("b", 22)]);
    }

    #[test]
    fn the_own_voice_is_ducked_under_the_translation_without_a_click() {
        let mut ear = Ear::new(8_000, 1.0, false);
        ear.overhear(&[0.4; 800], false);
        ear.speak(clause("a", vec![0.0; 800]));
        let (sound, _) = ear.hear(800);
        assert!((sound[0] - 0.4).abs() < 0.01 && (sound[799] - 0.1).abs() < 0.01);
        let jump = sound
            .windows(2)
            .map(|w| (w[1] - w[0]).abs())
            .fold(0.0, f32::max);
        assert!(jump < 0.01, "{jump}");
    }

    #[test]
    fn keys_are_heard_where_the_voice_is_not() {
        let mut ear = Ear::new(8_000, 0.0, false);
        ear.overhear(&[0.4; 160], false);
        assert_eq!(ear.hear(160).0, vec![0.0; 160]);
        ear.overhear(&[0.4; 400], true);
        let (sound, _) = ear.hear(400);
        assert!((sound[399] - 0.4).abs() < 0.01);
    }

    #[test]
    fn an_interruption_ducks_or_stops() {
        let mut ear = Ear::new(8_000, 0.0, false);
        ear.speak(clause("a", vec![0.4; 1_000]));
        ear.speak(clause("b", vec![0.4; 1_000]));
        ear.hear(100);
        ear.interrupt(true);
        let (sound, _) = ear.hear(400);
        assert!((sound[399] - 0.1).abs() < 0.01);
        let left_out = ear.stop();
        assert_eq!(left_out.len(), 1);
        assert_eq!(left_out[0].text, "b");
        assert_eq!(ear.hear(10).0, vec![0.0; 10]);
    }

    #[test]
    fn what_waits_is_bounded() {
        let mut ear = Ear::new(8_000, 0.5, false);
        let mut left_out = 0;
        for _ in 0..20 {
            left_out += ear.speak(clause("a", vec![0.1; 8_000 * 5])).len();
            ear.overhear(&[0.1; 8_000], false);
        }
        assert_eq!(left_out, 8);
        assert!(ear.floor.len() <= 8_000);
    }
}
