//! Audio in, utterances out: which sound belongs to which utterance, and where these begin and end.
//!
//! Pure logic around a detector that is lent at each call. Works frame by frame, so that what comes
//! out does not depend on how the audio was cut into pieces.

use interpret_models::vad::{
    EndReason, EndpointConfig, FRAME_SAMPLES, InvalidEndpointConfig, Segmenter, SpeechEvent,
    VadError, VoiceActivityDetector,
};

/// Silence after which whatever was said is complete, even without a full stop: 1.2 s in samples.
const PAUSE_SAMPLES: u64 = 19_200;

/// What was heard, in order. Numbers of samples count from the session's beginning.
#[derive(Debug, Clone, PartialEq)]
pub enum Heard {
    /// Somebody begins to speak.
    Started {
        /// Counts utterances from 1.
        utterance: u64,
        /// First sample of the utterance.
        at: u64,
    },
    /// The next samples of the utterance, from its first on, without gap. The last ones may lie after
    /// its end; where it was cut, they come again as the first of the next utterance.
    Audio(Vec<f32>),
    /// The utterance is over.
    Ended {
        /// The one that began last.
        utterance: u64,
        /// First sample after it.
        end: u64,
        /// Whether speech goes on: the utterance only reached its maximum length, and the next one
        /// begins at `end`.
        cut: bool,
    },
    /// Nobody has spoken for a while.
    Pause {
        /// Samples heard so far.
        at: u64,
    },
}

/// Cuts one session's audio into utterances.
#[derive(Debug)]
pub struct Hearing<S> {
    segmenter: Segmenter<S>,
    /// Samples that do not fill a frame yet.
    rest: Vec<f32>,
    /// Samples of the session before the segmenter's first.
    offset: u64,
    /// Samples given to the segmenter, in all.
    heard: u64,
    /// Utterances begun so far.
    count: u64,
    /// First sample that was not given out; none between utterances.
    given: Option<u64>,
    /// Where the last utterance ended, until speech goes on or a pause has been told.
    ended: Option<u64>,
}

impl<S: Send> Hearing<S> {
    /// At the beginning of a session, for `detector`.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub fn new<V>(detector: &V, config: &EndpointConfig) -> Result<Self, InvalidEndpointConfig>
    where
        V: VoiceActivityDetector<State = S>,
    {
        Ok(Self {
            segmenter: Segmenter::new(detector, config)?,
            rest: Vec::new(),
            offset: 0,
            heard: 0,
            count: 0,
            given: None,
            ended: None,
        })
    }

    /// Goes on after `heard` samples and `count` utterances: what was kept of the stream is lost.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub fn resume<V>(
        detector: &V,
        config: &EndpointConfig,
        heard: u64,
        count: u64,
    ) -> Result<Self, InvalidEndpointConfig>
    where
        V: VoiceActivityDetector<State = S>,
    {
        Ok(Self {
            offset: heard,
            heard,
            count,
            ..Self::new(detector, config)?
        })
    }

    /// Samples heard so far, whole frames.
    #[must_use]
    pub fn heard(&self) -> u64 {
        self.heard
    }

    /// Takes the next samples (16 kHz mono, any number). What was heard is added to `out`, also
    /// where an error comes.
    ///
    /// # Errors
    /// When the detector failed on a frame; that frame counts as silence.
    pub fn push<V>(
        &mut self,
        detector: &mut V,
        samples: &[f32],
        out: &mut Vec<Heard>,
    ) -> Result<(), VadError>
    where
        V: VoiceActivityDetector<State = S>,
    {
        self.rest.extend(samples);
        let whole = self.rest.len() - self.rest.len() % FRAME_SAMPLES;
        let rest = self.rest.split_off(whole);
        let frames = std::mem::replace(&mut self.rest, rest);
        let mut result = Ok(());
        for frame in frames.chunks(FRAME_SAMPLES) {
            self.heard += frame.len() as u64;
            match self.segmenter.push(detector, frame) {
                Ok(events) => self.tell(events, out),
                Err(error) => result = Err(error),
            }
            self.give_sound(out);
            if let Some(ended) = self.ended
                && self.heard >= ended + PAUSE_SAMPLES
            {
                self.pause(out);
            }
        }
        result
    }

    /// Ends the utterance under way, as the end of the stream or a long pause does. More may follow.
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn end_utterance<V>(
        &mut self,
        detector: &mut V,
        out: &mut Vec<Heard>,
    ) -> Result<(), VadError>
    where
        V: VoiceActivityDetector<State = S>,
    {
        let rest = std::mem::take(&mut self.rest);
        self.heard += rest.len() as u64;
        let pushed = self.segmenter.push(detector, &rest);
        let finished = self.segmenter.finish(detector);
        let result = match (pushed, finished) {
            (Ok(mut events), Ok(last)) => {
                events.extend(last);
                self.tell(events, out);
                Ok(())
            }
            (Err(error), _) | (_, Err(error)) => Err(error),
        };
        // The segmenter begins anew; its samples count from here.
        self.offset = self.heard;
        self.given = None;
        if self.ended.is_some() {
            self.pause(out);
        }
        result
    }

    fn tell(&mut self, events: Vec<SpeechEvent>, out: &mut Vec<Heard>) {
        for event in events {
            match event {
                SpeechEvent::Started(at) => {
                    let at = self.offset + at;
                    self.count += 1;
                    self.ended = None;
                    self.given = Some(at);
                    let utterance = self.count;
                    out.push(Heard::Started { utterance, at });
                }
                SpeechEvent::Ended(speech) => {
                    let cut = speech.reason == EndReason::MaximumLength;
                    let (start, end) = (
                        self.offset + speech.range.start,
                        self.offset + speech.range.end,
                    );
                    let given = self.given.unwrap_or(start);
                    if given < end {
                        let from = usize::try_from(given - start).unwrap_or(usize::MAX);
                        let missing = speech.samples.get(from..).unwrap_or_default();
                        out.push(Heard::Audio(missing.to_vec()));
                    }
                    self.given = None;
                    self.ended = (!cut).then_some(end);
                    let utterance = self.count;
                    out.push(Heard::Ended {
                        utterance,
                        end,
                        cut,
                    });
                }
            }
        }
    }

    /// Gives out the sound of the utterance under way.
    fn give_sound(&mut self, out: &mut Vec<Heard>) {
        let Some(given) = self.given else { return };
        let samples = self.segmenter.sound_from(given - self.offset);
        if samples.is_empty() {
            return;
        }
        self.given = Some(given + samples.len() as u64);
        match out.last_mut() {
            Some(Heard::Audio(last)) => last.extend(samples),
            _ => out.push(Heard::Audio(samples)),
        }
    }

    fn pause(&mut self, out: &mut Vec<Heard>) {
        self.ended = None;
        out.push(Heard::Pause { at: self.heard });
    }
}
