//! Numbers about a session, from its events alone.

use std::collections::BTreeMap;

use interpret_proto::v1::{SessionEnded, SessionStarted, Target, TranslatedAudio};

use crate::{
    audio::Pace,
    evaluation::Listener,
    output::frame_bytes,
    session::{Event, Received},
};

/// Collects numbers while a session goes.
#[derive(Debug)]
pub struct Measure {
    pace: Pace,
    source_ms: u64,
    source_words: usize,
    translated_words: BTreeMap<String, usize>,
    stages: Vec<Stage>,
    /// Calls and computing time of each stage.
    computed: BTreeMap<String, (u64, u64)>,
    voices: BTreeMap<String, Voice>,
    lost_ms: u64,
}

/// Computing done by one stage.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// As the daemon names it: "recognise", "translate:en".
    pub name: String,
    /// Times its model ran.
    pub calls: u64,
    /// Time its model ran, over the length of the audio.
    pub ratio: f64,
}

/// The speech in one target language.
#[derive(Debug, Clone, PartialEq)]
pub struct Spoken {
    /// Target language, ISO 639-1.
    pub language: String,
    /// When the first speech is heard, after the first sample of source audio.
    pub first_ms: u64,
    /// How far speech is behind the speaker; only in real time, where arrival means something.
    pub ear_voice_span: Option<EarVoiceSpan>,
}

/// Wall time at which the clause that renders a word starts playing, minus the source time at
/// which the words it renders ended; over all words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EarVoiceSpan {
    /// Half of the words are faster.
    pub median_ms: i64,
    /// 95 in 100 words are faster.
    pub p95_ms: i64,
}

#[derive(Debug)]
struct Voice {
    listener: Listener,
    frame_bytes: usize,
}

impl Measure {
    /// Starts to measure.
    #[must_use]
    pub fn new(pace: Pace) -> Self {
        Self {
            pace,
            source_ms: 0,
            source_words: 0,
            translated_words: BTreeMap::new(),
            stages: Vec::new(),
            computed: BTreeMap::new(),
            voices: BTreeMap::new(),
            lost_ms: 0,
        }
    }

    /// Takes an event.
    pub fn take(&mut self, received: &Received) {
        match &received.event {
            Event::SessionStarted(started) => self.start(started),
            Event::SourceText(text) => {
                self.source_words += text.committed.split_whitespace().count();
            }
            Event::TranslatedText(text) => {
                let words = self
                    .translated_words
                    .entry(text.language.clone())
                    .or_default();
                *words += text.committed.split_whitespace().count();
            }
            Event::TranslatedAudio(audio) => self.hear(audio, received.at_ms),
            Event::Notice(notice) => self.lost_ms += notice.amount_ms,
            Event::Heartbeat(heartbeat) => self.source_ms = heartbeat.source_ms,
            Event::SessionEnded(ended) => self.end(ended),
            Event::SessionChanged(changed) => self.expect(&changed.targets),
            Event::Speech(_) | Event::Pace(_) | Event::Resumed(_) => {}
        }
    }

    fn start(&mut self, started: &SessionStarted) {
        self.expect(&started.targets);
    }

    fn expect(&mut self, targets: &[Target]) {
        for target in targets {
            if let Some(format) = target.audio_format {
                let voice = Voice {
                    listener: Listener::new(self.pace, format.sample_rate_hz),
                    frame_bytes: frame_bytes(format),
                };
                // A session that goes on in another: its speech goes on too.
                self.voices.entry(target.language.clone()).or_insert(voice);
            }
        }
    }

    fn hear(&mut self, audio: &TranslatedAudio, at_ms: i64) {
        if let Some(voice) = self.voices.get_mut(&audio.language) {
            let frames = (audio.data.len() / voice.frame_bytes) as u64;
            voice.listener.hear(audio, frames, at_ms);
        }
    }

    fn end(&mut self, ended: &SessionEnded) {
        self.source_ms = ended.source_ms;
        for stage in &ended.stages {
            let computed = self.computed.entry(stage.stage.clone()).or_default();
            computed.0 += stage.calls;
            computed.1 += stage.busy_ms;
        }
        self.stages = self
            .computed
            .iter()
            .map(|(name, (calls, busy_ms))| Stage {
                name: name.clone(),
                calls: *calls,
                ratio: *busy_ms as f64 / ended.source_ms.max(1) as f64,
            })
            .collect();
    }

    /// Length of the source audio that the daemon received.
    #[must_use]
    pub fn source_ms(&self) -> u64 {
        self.source_ms
    }

    /// Words of committed source text.
    #[must_use]
    pub fn source_words(&self) -> usize {
        self.source_words
    }

    /// Words of committed translation, by target language.
    pub fn translated_words(&self) -> impl Iterator<Item = (&str, usize)> {
        self.translated_words
            .iter()
            .map(|(language, words)| (language.as_str(), *words))
    }

    /// Where the computing went; known at the end of a session.
    #[must_use]
    pub fn stages(&self) -> &[Stage] {
        &self.stages
    }

    /// Audio or speech that notices say was lost.
    #[must_use]
    pub fn lost_ms(&self) -> u64 {
        self.lost_ms
    }

    /// Languages that were spoken.
    pub fn spoken(&self) -> impl Iterator<Item = Spoken> {
        self.voices.iter().filter_map(|(language, voice)| {
            Some(Spoken {
                language: language.clone(),
                first_ms: voice.listener.first_ms()?,
                ear_voice_span: self
                    .pace
                    .is_live()
                    .then(|| voice.listener.median_and_p95())
                    .flatten()
                    .map(|(median_ms, p95_ms)| EarVoiceSpan { median_ms, p95_ms }),
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::{AudioEncoding, AudioFormat};

    use super::*;

    fn clause(at_ms: i64, source_end_ms: u64, text: &str, ms: usize) -> Received {
        Received {
            at_ms,
            event: Event::TranslatedAudio(TranslatedAudio {
                language: "en".to_owned(),
                data: vec![0; ms * 2],
                text: text.to_owned(),
                source_end_ms,
                ..TranslatedAudio::default()
            }),
        }
    }

    fn measured(pace: Pace) -> Measure {
        let mut measure = Measure::new(pace);
        let target = Target {
            language: "en".to_owned(),
            audio_format: Some(AudioFormat {
                encoding: AudioEncoding::Linear16.into(),
                sample_rate_hz: 1000,
                channels: 1,
            }),
            ..Target::default()
        };
        let started = SessionStarted {
            targets: vec![target],
            ..SessionStarted::default()
        };
        measure.take(&Received {
            at_ms: 0,
            event: Event::SessionStarted(started),
        });
        // Heard from 3000 to 5000.
        measure.take(&clause(3000, 1000, "one two three", 1500));
        measure.take(&clause(3100, 1000, "", 500));
        // There at 3500, but heard only when the first is over.
        measure.take(&clause(3500, 2500, "four", 100));
        measure
    }

    #[test]
    fn the_span_counts_the_wait_for_the_clause_before() {
        let measure = measured(Pace::RealTime);
        let spoken: Vec<_> = measure.spoken().collect();
        assert_eq!(spoken[0].first_ms, 3000);
        let expected = EarVoiceSpan {
            median_ms: 2000,
            p95_ms: 2500,
        };
        assert_eq!(spoken[0].ear_voice_span, Some(expected));
    }

    #[test]
    fn fast_mode_claims_no_latency() {
        let measure = measured(Pace::Fast);
        assert_eq!(measure.spoken().next().unwrap().ear_voice_span, None);
    }
}
