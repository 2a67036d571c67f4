//! What is recognised when, and what of it is committed.
//!
//! Pure logic: [`Heard`] in, runs of a recogniser asked for, committed and tentative text out. The
//! stage runs it on the engine's thread in real time, `examples/recognition_policies.rs` in virtual
//! time.
//!
//! While somebody speaks, the window grows, and is recognised anew at every step, beginning with
//! what was committed of it. Steps lie at fixed numbers of samples, so the same audio gives the same
//! text; only [`catch_up`](Transcriber::catch_up), for a recogniser that is too slow, leaves steps
//! out.

use std::collections::VecDeque;

use interpret_models::{
    Language,
    recognition::{Recognition, RecognitionRequest, RecognizedWord},
};

use super::{
    policy::{CommitPolicy, Judge},
    window::{CommittedWord, Window, WindowLimits, samples},
};
use crate::pipeline::{SourceRange, TimedWord, detect::Heard, source_ms};

/// Sound before the first run of an utterance: Whisper makes words up for less.
const FIRST_RUN_MS: u32 = 960;
/// Sound of an utterance in which steps are half as long: a listener waits, and windows are short.
const BEGINNING_MS: u32 = 2_000;
/// Runs in a row without a new word after which the next one is done with the care of a last one: the
/// decoder may have gone astray over too little context, and would again at each step.
const CAREFUL_AFTER: u32 = 2;
/// Runs after which the committed words are no longer forced, in case it is they that lead astray.
const FORGET_AFTER: u32 = 4;
/// From this probability on a detected language is taken for the rest of its utterance.
const SURE_LANGUAGE: f32 = 0.8;
/// After so much sound the likeliest language is taken, sure or not.
const LANGUAGE_WITHIN_MS: u32 = 4_000;
/// Text before the window given as context, in bytes.
const PROMPT_BYTES: usize = 200;

/// How a [`Transcriber`] works.
#[derive(Debug, Clone, PartialEq)]
pub struct TranscriberSettings {
    /// Languages the speaker may use; more than one means detection among them.
    pub sources: Vec<Language>,
    /// When words are committed.
    pub policy: CommitPolicy,
    /// Sound between two runs.
    pub step_ms: u32,
    /// How long windows are.
    pub limits: WindowLimits,
    /// Whether the text before the window is given as context.
    pub prompt: bool,
}

/// A run that is due.
#[derive(Debug, Clone)]
pub struct Run {
    /// What to ask the recogniser.
    pub request: RecognitionRequest,
    /// Sample after the last of it.
    pub end: u64,
    /// Whether the utterance ends there: all text will be committed.
    last: bool,
}

/// What a run brought.
#[derive(Debug, Clone, PartialEq)]
pub struct Transcribed {
    /// The utterance.
    pub utterance: u64,
    /// What it is in.
    pub language: Language,
    /// How likely that is, 0 to 1.
    pub language_probability: f32,
    /// New final words, with the leading space they need.
    pub committed: Vec<TimedWord>,
    /// Text after them that may still change.
    pub tentative: String,
}

/// What comes of what was heard.
#[derive(Debug, Clone)]
pub enum Due {
    /// The recogniser is to run; give what it says to [`Transcriber::done`].
    Run(Run),
    /// An utterance is over and its text committed.
    Ended,
    /// Nobody has spoken for a while.
    Pause,
}

/// Decides what of the audio is recognised when, and what of it is committed.
#[derive(Debug)]
pub struct Transcriber {
    settings: TranscriberSettings,
    judge: Judge,
    /// Heard, but not looked at: it waits for a run.
    waiting: VecDeque<Heard>,
    /// None between utterances.
    window: Option<Window>,
    utterance: u64,
    /// Sample at which the next run is due.
    next_step: u64,
    /// Where the utterance ends, once that is known.
    end: Option<u64>,
    /// Whether the utterance's text is committed, but its end not told.
    over: bool,
    /// Where the last committed word ended: times never run back.
    last_end_ms: u64,
    /// Where the utterance was cut; it goes on if the next one begins there.
    cut: Option<u64>,
    /// Samples to come that the window has already: those after a cut.
    repeated: u64,
    /// Language of the utterance, once that is known.
    language: Option<Language>,
    /// How likely that was when it became known.
    language_probability: f32,
    /// Runs in a row that gave no word beyond the committed ones.
    fruitless: u32,
    /// Sample up to which the utterance is at its beginning.
    beginning: u64,
    /// The end of the committed text.
    text: String,
    /// Words that the recogniser should expect, as text.
    hot_words: String,
    /// Step in force, in samples.
    step: u64,
}

impl Transcriber {
    /// At the beginning of a session.
    #[must_use]
    pub fn new(settings: TranscriberSettings) -> Self {
        Self {
            judge: Judge::new(settings.policy),
            step: samples(settings.step_ms),
            settings,
            waiting: VecDeque::new(),
            window: None,
            utterance: 0,
            next_step: 0,
            end: None,
            over: false,
            last_end_ms: 0,
            cut: None,
            repeated: 0,
            language: None,
            language_probability: 1.0,
            fruitless: 0,
            beginning: 0,
            text: String::new(),
            hot_words: String::new(),
        }
    }

    /// Tells the recogniser, from the next run on, which words to expect: text in which they stand.
    pub fn set_hot_words(&mut self, text: &str) {
        text.clone_into(&mut self.hot_words);
    }

    /// Takes what was heard.
    pub fn hear(&mut self, heard: Heard) {
        self.waiting.push_back(heard);
    }

    /// Says that no more is heard: an utterance under way ends.
    pub fn finish(&mut self) {
        if self.end.is_none() && self.window.is_some() {
            let end = self.cut.take().or(self.window.as_ref().map(Window::end));
            let utterance = self.utterance;
            if let Some(end) = end {
                self.waiting.push_back(Heard::Ended {
                    utterance,
                    end,
                    cut: false,
                });
            }
        }
    }

    /// Changes the sound between two runs, from the next step on.
    pub fn set_step_ms(&mut self, step_ms: u32) {
        self.step = samples(step_ms);
    }

    /// Leaves out steps before the newest sound that was heard: for a recogniser that is late.
    pub fn catch_up(&mut self) {
        let mut newest = self.window.as_ref().map(Window::end);
        for heard in &self.waiting {
            match heard {
                Heard::Audio(more) => newest = newest.map(|at| at + more.len() as u64),
                // Nothing follows that would need a step.
                Heard::Ended { cut: false, .. } => {
                    newest = newest.map(|_| u64::MAX);
                    break;
                }
                // What follows belongs to another utterance, or is the same sound again.
                Heard::Ended { cut: true, .. } | Heard::Started { .. } | Heard::Pause { .. } => {
                    break;
                }
            }
        }
        if let (Some(newest), Some(window)) = (newest, &self.window) {
            if newest == u64::MAX {
                self.next_step = u64::MAX;
            } else if self.step > 0 && newest > self.next_step {
                let steps = (newest - self.next_step) / self.step;
                self.next_step += steps * self.step;
            }
            debug_assert!(self.next_step >= window.start());
        }
    }

    /// Sound that was heard but is not recognised yet, in milliseconds.
    #[must_use]
    pub fn behind_ms(&self) -> u64 {
        let waiting: usize = self
            .waiting
            .iter()
            .map(|heard| match heard {
                Heard::Audio(more) => more.len(),
                _ => 0,
            })
            .sum();
        source_ms(waiting as u64)
    }

    /// What is due now; none: hear more first.
    pub fn due(&mut self) -> Option<Due> {
        loop {
            if std::mem::take(&mut self.over) {
                return Some(Due::Ended);
            }
            if let Some(end) = self.end {
                return self.run(end, true);
            }
            if let Some(window) = &self.window
                && self.settings.policy != CommitPolicy::AtEnd
                && window.end() >= self.next_step
            {
                let end = self.next_step;
                let halves = if end < self.beginning { 1 } else { 2 };
                self.next_step = end + (halves * self.step / 2).max(1);
                return self.run(end, false);
            }
            match self.waiting.pop_front()? {
                Heard::Started { utterance, at } => self.started(utterance, at),
                Heard::Audio(more) => self.sound(&more),
                Heard::Ended { end, cut, .. } => {
                    if cut && self.settings.policy != CommitPolicy::AtEnd {
                        self.cut = Some(end);
                    } else if self.window.is_some() {
                        self.end = Some(end);
                    }
                }
                Heard::Pause { at } => {
                    if let Some(end) = self.cut.take() {
                        self.end = Some(end);
                        self.waiting.push_front(Heard::Pause { at });
                        continue;
                    }
                    return Some(Due::Pause);
                }
            }
        }
    }

    fn started(&mut self, utterance: u64, at: u64) {
        match self.cut.take() {
            // Speech goes on: so does the window.
            Some(cut) if cut == at && self.window.is_some() => {
                self.utterance = utterance;
                self.repeated = self
                    .window
                    .as_ref()
                    .map_or(0, |w| w.end() - at.min(w.end()));
            }
            Some(cut) => {
                self.end = Some(cut);
                self.waiting.push_front(Heard::Started { utterance, at });
            }
            None => {
                self.utterance = utterance;
                self.repeated = 0;
                self.fruitless = 0;
                self.beginning = at + samples(BEGINNING_MS);
                self.window = Some(Window::new(at));
                self.judge.restart();
                self.language = match self.settings.sources[..] {
                    [only] => Some(only),
                    _ => None,
                };
                self.language_probability = 1.0;
                self.next_step = at + samples(FIRST_RUN_MS);
            }
        }
    }

    /// Takes sound up to the next step; what lies beyond waits, so that steps do not depend on how
    /// the audio was cut into pieces.
    fn sound(&mut self, more: &[f32]) {
        let Some(window) = &mut self.window else {
            return;
        };
        let repeated = usize::try_from(self.repeated)
            .unwrap_or(usize::MAX)
            .min(more.len());
        self.repeated -= repeated as u64;
        let more = &more[repeated..];
        let room = self.next_step.saturating_sub(window.end());
        let room = usize::try_from(room).unwrap_or(usize::MAX);
        if self.settings.policy == CommitPolicy::AtEnd || room >= more.len() {
            window.push(more);
            return;
        }
        let (now, later) = more.split_at(room);
        window.push(now);
        if !later.is_empty() {
            self.waiting.push_front(Heard::Audio(later.to_vec()));
        }
    }

    fn run(&mut self, end: u64, last: bool) -> Option<Due> {
        let window = self.window.as_mut()?;
        if last {
            window.truncate(end);
        }
        let languages = match self.language {
            Some(language) => vec![language],
            None => self.settings.sources.clone(),
        };
        let mut prompt = self.hot_words.clone();
        if self.settings.prompt {
            prompt.push_str(&self.text);
        }
        Some(Due::Run(Run {
            request: RecognitionRequest {
                samples: window.sound(end).to_vec(),
                languages,
                prompt,
                forced: window.forced(),
                provisional: !last && self.fruitless < CAREFUL_AFTER,
                abort: None,
            },
            end,
            last,
        }))
    }

    /// Takes what the recogniser said of a run. None: nothing of it is to be told.
    pub fn done(&mut self, run: &Run, said: &Recognition) -> Option<Transcribed> {
        let window = self.window.as_mut()?;
        let window_ms = ms(run.end - window.start());
        let sure = said.language_probability >= SURE_LANGUAGE || window_ms >= LANGUAGE_WITHIN_MS;
        if self.language.is_none() {
            self.language_probability = said.language_probability;
            self.language = (run.last || sure).then_some(said.language);
        }
        let certain = if run.last {
            said.words.len()
        } else if self.language.is_none() {
            0
        } else {
            self.judge.certain(&said.words, window_ms).max(overdue(
                &said.words,
                window_ms,
                self.settings.limits,
            ))
        };
        let fresh = window.forced().is_empty();
        let (certain, tentative) = said.words.split_at(certain);
        let start = window.start();
        for word in certain {
            window.commit(CommittedWord {
                tokens: word.tokens.clone(),
                end: start + samples(word.end_ms),
                stop: ends_clause(&word.text),
            });
        }
        window.trim(self.settings.limits);
        self.fruitless = if said.words.is_empty() {
            self.fruitless + 1
        } else {
            0
        };
        if self.fruitless >= FORGET_AFTER {
            window.forget();
        }
        let committed = self.timed(certain, source_ms(start), fresh);
        let transcribed = Transcribed {
            utterance: self.utterance,
            language: said.language,
            language_probability: self.language_probability,
            committed,
            tentative: tentative.iter().map(|word| word.text.as_str()).collect(),
        };
        if run.last {
            self.close();
        }
        Some(transcribed)
    }

    /// Says that a run failed. The sound of the last run of an utterance is lost: how much of it, in
    /// milliseconds; other runs are only left out.
    pub fn failed(&mut self, run: &Run) -> u64 {
        if !run.last {
            return 0;
        }
        let lost = self.window.as_ref().map_or(0, |w| w.end() - w.start());
        self.close();
        source_ms(lost)
    }

    fn close(&mut self) {
        self.window = None;
        self.end = None;
        self.over = true;
    }

    /// Words in source time, and with a space before the first if it is the first of its window
    /// (but not of the session).
    fn timed(&mut self, words: &[RecognizedWord], start_ms: u64, fresh: bool) -> Vec<TimedWord> {
        let mut timed = Vec::with_capacity(words.len());
        for word in words {
            let from = (start_ms + u64::from(word.start_ms)).max(self.last_end_ms);
            let to = (start_ms + u64::from(word.end_ms)).max(from);
            self.last_end_ms = to;
            let mut text = word.text.clone();
            if self.text.is_empty() {
                text = text.trim_start().to_owned();
            } else if fresh && timed.is_empty() && !text.starts_with(char::is_whitespace) {
                text.insert(0, ' ');
            }
            self.text.push_str(&text);
            timed.push(TimedWord {
                text,
                range: SourceRange {
                    start_ms: from,
                    end_ms: to,
                },
                probability: word.probability,
            });
        }
        self.keep_text();
        timed
    }

    fn keep_text(&mut self) {
        if self.text.len() > 2 * PROMPT_BYTES {
            let mut from = self.text.len() - PROMPT_BYTES;
            while !self.text.is_char_boundary(from) {
                from += 1;
            }
            self.text.drain(..from);
        }
    }
}

/// How many words are committed because their window has grown too long, certain or not: all but
/// those of its last second.
fn overdue(words: &[RecognizedWord], window_ms: u32, limits: WindowLimits) -> usize {
    if window_ms < limits.most_ms {
        return 0;
    }
    words
        .iter()
        .take_while(|word| word.end_ms + 1_000 <= window_ms)
        .count()
}

/// Milliseconds of so many samples of a window.
fn ms(samples: u64) -> u32 {
    u32::try_from(source_ms(samples)).unwrap_or(u32::MAX)
}

/// Whether a pause can be expected after a word.
fn ends_clause(word: &str) -> bool {
    word.trim_end()
        .ends_with(['.', '!', '?', '…', ',', ';', ':', '。', '、'])
}

#[cfg(test)]
#[path = "transcriber_tests.rs"]
mod tests;
