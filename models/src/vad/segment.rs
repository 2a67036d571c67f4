//! Audio in, utterances out: frames the audio, runs a detector, and keeps just enough sound.

use std::{collections::VecDeque, ops::Range};

use super::{
    EndPointer, EndReason, EndpointConfig, EndpointEvent, FRAME_SAMPLES, InvalidEndpointConfig,
    VadError, VoiceActivityDetector,
};

/// What a [`Segmenter`] found.
#[derive(Debug, Clone, PartialEq)]
pub enum SpeechEvent {
    /// Somebody began to speak at this sample of the stream.
    Started(u64),
    /// An utterance is complete.
    Ended(Utterance),
}

/// A stretch of speech with its sound.
#[derive(Debug, Clone, PartialEq)]
pub struct Utterance {
    /// Its place in the stream, in samples.
    pub range: Range<u64>,
    /// Its sound, padding included: as many samples as `range` is long.
    pub samples: Vec<f32>,
    /// Why it ends there.
    pub reason: EndReason,
}

/// Cuts one stream into utterances. The detector is lent at each call, so that one serves many
/// streams. What comes out does not depend on how the audio was divided between calls. Holds no
/// more sound than `max_utterance_ms` plus paddings.
#[derive(Debug)]
pub struct Segmenter<S> {
    detector_state: S,
    end_pointer: EndPointer,
    /// Sound since sample `first`: what an utterance may still need, and the frame being filled.
    sound: VecDeque<f32>,
    first: u64,
    /// First sample that was not yet given to the detector.
    undetected: u64,
}

impl<S: Send> Segmenter<S> {
    /// A segmenter at the beginning of a stream for `detector`.
    ///
    /// # Errors
    /// When the configuration contradicts itself.
    pub fn new<V>(detector: &V, config: &EndpointConfig) -> Result<Self, InvalidEndpointConfig>
    where
        V: VoiceActivityDetector<State = S>,
    {
        Ok(Self {
            detector_state: detector.start(),
            end_pointer: EndPointer::new(config)?,
            sound: VecDeque::new(),
            first: 0,
            undetected: 0,
        })
    }

    /// Samples taken since the stream began.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.first + self.sound.len() as u64
    }

    /// First sample of the utterance under way, or of what the next one may still reach back to.
    #[must_use]
    pub fn keep_from(&self) -> u64 {
        self.end_pointer.keep_from()
    }

    /// The sound held from sample `from` on: for recognising an utterance that is still going on.
    #[must_use]
    pub fn sound_from(&self, from: u64) -> Vec<f32> {
        self.copy(from.max(self.first)..self.position())
    }

    /// Takes the next samples (16 kHz mono, full scale +-1, any number).
    ///
    /// # Errors
    /// When the detector fails. The samples are taken all the same; the frame it failed at counts
    /// as silence.
    pub fn push<V>(
        &mut self,
        detector: &mut V,
        samples: &[f32],
    ) -> Result<Vec<SpeechEvent>, VadError>
    where
        V: VoiceActivityDetector<State = S>,
    {
        self.sound.extend(samples);
        let mut events = Vec::new();
        let mut result = Ok(());
        while self.position() - self.undetected >= FRAME_SAMPLES as u64 {
            if let Err(error) = self.detect(detector, &mut events) {
                result = Err(error);
            }
        }
        result.map(|()| events)
    }

    /// Ends the stream: gives the utterance under way, if there is one. The segmenter stands at the
    /// beginning of a new stream afterwards.
    ///
    /// # Errors
    /// When the detector fails on the last, incomplete frame.
    pub fn finish<V>(&mut self, detector: &mut V) -> Result<Vec<SpeechEvent>, VadError>
    where
        V: VoiceActivityDetector<State = S>,
    {
        let end = self.position();
        let mut events = Vec::new();
        let mut result = Ok(());
        if end > self.undetected {
            let padding = FRAME_SAMPLES as u64 - (end - self.undetected);
            self.sound.extend((0..padding).map(|_| 0.0));
            result = self.detect(detector, &mut events);
        }
        if let Some(event) = self.end_pointer.finish(end) {
            events.push(self.with_sound(event));
        }
        self.detector_state = detector.start();
        self.end_pointer.restart();
        self.sound.clear();
        self.first = 0;
        self.undetected = 0;
        result.map(|()| events)
    }

    /// Gives the next frame to the detector and its answer to the end-pointer.
    fn detect<V>(&mut self, detector: &mut V, events: &mut Vec<SpeechEvent>) -> Result<(), VadError>
    where
        V: VoiceActivityDetector<State = S>,
    {
        let mut frame = [0.0; FRAME_SAMPLES];
        let from = usize::try_from(self.undetected - self.first).unwrap_or(usize::MAX);
        for (to, sample) in frame.iter_mut().zip(self.sound.range(from..)) {
            *to = *sample;
        }
        let answer = detector.probability(&mut self.detector_state, &frame);
        self.undetected += FRAME_SAMPLES as u64;
        let probability = answer.as_ref().copied().unwrap_or(0.0);
        for event in self.end_pointer.push(probability) {
            let event = self.with_sound(event);
            events.push(event);
        }
        self.forget();
        answer.map(|_| ())
    }

    fn with_sound(&self, event: EndpointEvent) -> SpeechEvent {
        match event {
            EndpointEvent::Started { at } => SpeechEvent::Started(at),
            EndpointEvent::Ended { range, reason } => SpeechEvent::Ended(Utterance {
                samples: self.copy(range.clone()),
                range,
                reason,
            }),
        }
    }

    fn copy(&self, range: Range<u64>) -> Vec<f32> {
        let held = |at: u64| {
            usize::try_from(at.saturating_sub(self.first))
                .unwrap_or(usize::MAX)
                .min(self.sound.len())
        };
        self.sound
            .range(held(range.start)..held(range.end).max(held(range.start)))
            .copied()
            .collect()
    }

    /// Lets go of sound that no utterance can need any more.
    fn forget(&mut self) {
        let needless = self
            .end_pointer
            .keep_from()
            .min(self.undetected)
            .saturating_sub(self.first);
        let needless = usize::try_from(needless)
            .unwrap_or(usize::MAX)
            .min(self.sound.len());
        self.sound.drain(..needless);
        self.first += needless as u64;
    }
}

#[cfg(test)]
#[path = "segment_tests.rs"]
mod tests;
