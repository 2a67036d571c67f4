//! Where utterances begin and end: frame probabilities in, ranges of samples out.
//!
//! Pure logic on a sample counter: the same probabilities always give the same utterances, however
//! the audio arrived. A frame is [`FRAME_SAMPLES`](super::FRAME_SAMPLES) long; frame `n` covers the samples from
//! `n * FRAME_SAMPLES` on.

use std::{collections::VecDeque, ops::Range};

use super::{
    FRAME_SAMPLES,
    config::{EndpointConfig, InvalidEndpointConfig},
};

/// What the end-pointer found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EndpointEvent {
    /// Somebody began to speak. Comes when `min_speech_ms` of speech are there; `at` lies before that
    /// (with the padding) and never changes.
    Started {
        /// First sample of the utterance.
        at: u64,
    },
    /// The utterance is over.
    Ended {
        /// Its samples. Ranges never overlap and come in order.
        range: Range<u64>,
        /// Why it ends.
        reason: EndReason,
    },
}

/// Why an utterance ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EndReason {
    /// The speaker paused.
    Silence,
    /// It grew to the maximum length; the next utterance goes on exactly where this one ends.
    MaximumLength,
    /// The stream ended.
    StreamEnded,
}

/// Finds utterances in a stream of frame probabilities.
#[derive(Debug, Clone)]
pub struct EndPointer {
    config: Frames,
    /// Frames seen.
    next: u64,
    /// No utterance may begin before this sample: the end of the last one.
    floor: u64,
    state: State,
}

/// [`EndpointConfig`] in frames.
#[derive(Debug, Clone)]
struct Frames {
    start: f32,
    stop: f32,
    min_speech: u64,
    min_silence: u64,
    lead: u64,
    tail: u64,
    maximum: u64,
    cut_search: u64,
}

#[derive(Debug, Clone)]
enum State {
    Silent,
    Speaking(Speech),
}

/// An utterance under way, perhaps not yet announced.
#[derive(Debug, Clone)]
struct Speech {
    /// First sample, with its padding.
    start: u64,
    /// Whether [`EndpointEvent::Started`] was given.
    announced: bool,
    /// Frames of speech so far.
    speech: u64,
    /// Last frame of speech.
    last_speech: u64,
    /// Frame of the first of `probabilities`.
    first: u64,
    /// Of every frame since `first`.
    probabilities: VecDeque<f32>,
}

impl EndPointer {
    /// An end-pointer at the beginning of a stream.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub fn new(config: &EndpointConfig) -> Result<Self, InvalidEndpointConfig> {
        config.validate()?;
        Ok(Self {
            config: Frames {
                start: config.start_threshold,
                stop: config.stop_threshold,
                min_speech: frames(config.min_speech_ms).max(1),
                min_silence: frames(config.min_silence_ms).max(1),
                lead: frames(config.lead_padding_ms),
                tail: frames(config.tail_padding_ms),
                maximum: frames(config.max_utterance_ms),
                cut_search: frames(config.cut_search_ms).max(1),
            },
            next: 0,
            floor: 0,
            state: State::Silent,
        })
    }

    /// Takes the probability of the next frame. Gives at most three events: begin, end, begin.
    pub fn push(&mut self, probability: f32) -> Vec<EndpointEvent> {
        let frame = self.next;
        self.next += 1;
        let mut events = Vec::new();
        let state = std::mem::replace(&mut self.state, State::Silent);
        self.state = match state {
            State::Silent if probability >= self.config.start => {
                self.begin(frame, probability, &mut events)
            }
            State::Silent => State::Silent,
            State::Speaking(mut speech) => {
                speech.push(frame, probability, self.config.stop);
                self.advance(speech, frame, &mut events)
            }
        };
        events
    }

    /// Ends the stream after `samples` samples in all (a last, incomplete frame included): gives the
    /// end of the utterance under way, if there is one. Afterwards the end-pointer may go on with
    /// the next frame, which begins at a multiple of the frame length not below `samples`.
    pub fn finish(&mut self, samples: u64) -> Option<EndpointEvent> {
        let State::Speaking(speech) = std::mem::replace(&mut self.state, State::Silent) else {
            return None;
        };
        if !speech.announced {
            return None;
        }
        let end = self.padded_end(&speech).min(samples).max(speech.start);
        self.floor = end;
        Some(EndpointEvent::Ended {
            range: speech.start..end,
            reason: EndReason::StreamEnded,
        })
    }

    /// Goes back to the beginning of a stream.
    pub fn restart(&mut self) {
        self.next = 0;
        self.floor = 0;
        self.state = State::Silent;
    }

    /// First sample that an utterance still to be reported may hold: audio before it can go.
    #[must_use]
    pub fn keep_from(&self) -> u64 {
        match &self.state {
            State::Silent => self.padded_start(self.next),
            State::Speaking(speech) => speech.start,
        }
    }

    fn begin(&self, frame: u64, probability: f32, events: &mut Vec<EndpointEvent>) -> State {
        let mut speech = Speech {
            start: self.padded_start(frame),
            announced: false,
            speech: 0,
            last_speech: frame,
            first: frame,
            probabilities: VecDeque::new(),
        };
        speech.push(frame, probability, self.config.stop);
        speech.announce(self.config.min_speech, events);
        State::Speaking(speech)
    }

    /// Decides what becomes of an utterance after `frame` was added to it.
    fn advance(
        &mut self,
        mut speech: Speech,
        frame: u64,
        events: &mut Vec<EndpointEvent>,
    ) -> State {
        speech.announce(self.config.min_speech, events);
        if frame - speech.last_speech >= self.config.min_silence {
            if speech.announced {
                let range = speech.start..self.padded_end(&speech);
                self.floor = range.end;
                events.push(EndpointEvent::Ended {
                    range,
                    reason: EndReason::Silence,
                });
            }
            return State::Silent;
        }
        if end_of(frame) - speech.start >= self.config.maximum * FRAME_SAMPLES as u64 {
            return self.cut(speech, frame, events);
        }
        State::Speaking(speech)
    }

    /// Cuts an utterance that has grown to the maximum length where speech is least likely.
    fn cut(&mut self, speech: Speech, frame: u64, events: &mut Vec<EndpointEvent>) -> State {
        let at = speech.least_speech(self.config.cut_search);
        // The middle of the frame: both sides keep half of the dip. All of it where no speech comes
        // after that would keep the other half.
        let cut = if speech.last_speech == at {
            end_of(at)
        } else {
            end_of(at) - FRAME_SAMPLES as u64 / 2
        };
        self.floor = cut;
        if speech.announced {
            events.push(EndpointEvent::Ended {
                range: speech.start..cut,
                reason: EndReason::MaximumLength,
            });
        }
        let Some(rest) = speech.after(at, cut, self.config.stop) else {
            return State::Silent;
        };
        if rest.announced {
            events.push(EndpointEvent::Started { at: cut });
        }
        debug_assert!(rest.first + rest.probabilities.len() as u64 == frame + 1);
        State::Speaking(rest)
    }

    fn padded_start(&self, frame: u64) -> u64 {
        let lead =
            (frame * FRAME_SAMPLES as u64).saturating_sub(self.config.lead * FRAME_SAMPLES as u64);
        lead.max(self.floor)
    }

    fn padded_end(&self, speech: &Speech) -> u64 {
        let padded = end_of(speech.last_speech) + self.config.tail * FRAME_SAMPLES as u64;
        padded.min(self.next * FRAME_SAMPLES as u64)
    }
}

impl Speech {
    fn push(&mut self, frame: u64, probability: f32, stop: f32) {
        self.probabilities.push_back(probability);
        if probability >= stop {
            self.speech += 1;
            self.last_speech = frame;
        }
    }

    fn announce(&mut self, min_speech: u64, events: &mut Vec<EndpointEvent>) {
        if !self.announced && self.speech >= min_speech {
            self.announced = true;
            events.push(EndpointEvent::Started { at: self.start });
        }
    }

    /// The frame with the least speech in and around it among the last `search`; the latest of
    /// equals. Never the first frame of the utterance nor the last.
    fn least_speech(&self, search: u64) -> u64 {
        let count = self.probabilities.len();
        let from = count
            .saturating_sub(usize::try_from(search).unwrap_or(count))
            .max(1);
        let mut best = (f32::INFINITY, from.min(count - 1));
        for index in from..count.saturating_sub(1) {
            let [before, here, next] = [index - 1, index, index + 1].map(|i| self.probabilities[i]);
            let around = before + 2.0 * here + next;
            if around <= best.0 {
                best = (around, index);
            }
        }
        self.first + best.1 as u64
    }

    /// What is left after the cut in frame `at` at sample `cut`: none if nothing of it is speech.
    fn after(mut self, at: u64, cut: u64, stop: f32) -> Option<Self> {
        if self.last_speech <= at {
            return None;
        }
        let gone = usize::try_from(at + 1 - self.first).ok()?;
        self.probabilities.drain(..gone);
        self.first = at + 1;
        self.start = cut;
        self.speech = self.probabilities.iter().filter(|p| **p >= stop).count() as u64;
        Some(self)
    }
}

/// First sample after `frame`.
fn end_of(frame: u64) -> u64 {
    (frame + 1) * FRAME_SAMPLES as u64
}

/// The nearest number of frames to `milliseconds`.
fn frames(milliseconds: u32) -> u64 {
    let samples = u64::from(milliseconds) * u64::from(crate::SOURCE_SAMPLE_RATE) / 1000;
    (samples + FRAME_SAMPLES as u64 / 2) / FRAME_SAMPLES as u64
}

#[cfg(test)]
#[path = "endpoint_tests.rs"]
mod tests;
