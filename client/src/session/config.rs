//! What to ask of a session.

use interpret_models::{Language, SOURCE_SAMPLE_RATE};
use interpret_proto::v1;
use interpretd::audio::{Encoding, Format};

use crate::{audio::Pace, error::ClientError};

/// Sample rate of compressed speech: that of the voices.
const COMPRESSED_SPEECH_HZ: u32 = 24_000;

/// What is spoken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// This language.
    Language(Language),
    /// One of these, or of all that the daemon knows where none is named; the daemon finds out.
    Detect(Vec<Language>),
}

/// One language to interpret into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    language: Language,
    voice: String,
    captions_only: bool,
    speed_percent: u32,
}

impl Target {
    /// Interprets into `language` with the daemon's default voice.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self {
            language,
            voice: String::new(),
            captions_only: false,
            speed_percent: 0,
        }
    }

    /// Speaks with this voice, as `ListVoices` names it.
    #[must_use]
    pub fn voice(mut self, name: impl Into<String>) -> Self {
        self.voice = name.into();
        self
    }

    /// Speaks so fast, in percent of the voice's own speed: 50 to 150.
    #[must_use]
    pub fn speed_percent(mut self, percent: u32) -> Self {
        self.speed_percent = percent;
        self
    }

    /// Translates without speaking.
    #[must_use]
    pub fn captions_only(mut self) -> Self {
        self.captions_only = true;
        self
    }

    /// As the protocol writes it; with speech compressed or not.
    pub(super) fn into_message(self, compressed: bool) -> v1::Target {
        v1::Target {
            language: self.language.to_string(),
            voice: self.voice,
            audio_format: compressed.then(|| v1::AudioFormat {
                encoding: v1::AudioEncoding::Opus.into(),
                sample_rate_hz: COMPRESSED_SPEECH_HZ,
                channels: 1,
            }),
            captions_only: self.captions_only,
            speed_percent: self.speed_percent,
        }
    }
}

/// What a session interprets, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    source: Source,
    targets: Vec<Target>,
    mode: v1::Mode,
    glossary: Vec<v1::GlossaryTerm>,
    codec: Codec,
    room: String,
    hot_words: Vec<String>,
    resumable: bool,
}

/// How sound travels to the daemon and back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Codec {
    /// As it is: 64 kB a second, and no loss.
    #[default]
    Pcm,
    /// Compressed with Opus: 4 kB a second.
    Opus,
}

impl Config {
    /// Interprets from `source`; add at least one [`target`](Self::target).
    #[must_use]
    pub fn new(source: Source) -> Self {
        Self {
            source,
            targets: Vec::new(),
            mode: v1::Mode::Unspecified,
            glossary: Vec::new(),
            codec: Codec::Pcm,
            room: String::new(),
            hot_words: Vec::new(),
            resumable: false,
        }
    }

    /// Adds a language to interpret into.
    #[must_use]
    pub fn target(mut self, target: Target) -> Self {
        self.targets.push(target);
        self
    }

    /// Chooses between delay and quality.
    #[must_use]
    pub fn mode(mut self, mode: v1::Mode) -> Self {
        self.mode = mode;
        self
    }

    /// Adds a term that is to be rendered in a given way.
    #[must_use]
    pub fn term(mut self, term: v1::GlossaryTerm) -> Self {
        self.glossary.push(term);
        self
    }

    /// Lets others listen, in a room of this name (see [`Listening`](super::Listening)).
    #[must_use]
    pub fn room(mut self, name: impl Into<String>) -> Self {
        self.room = name.into();
        self
    }

    /// Tells the recogniser a word to expect, such as a name, as it is to be written.
    #[must_use]
    pub fn hot_word(mut self, word: impl Into<String>) -> Self {
        self.hot_words.push(word.into());
        self
    }

    /// Lets the session go on over another connection when its own is lost: nothing is lost with it, and
    /// nothing comes twice. While there is none, no audio is taken; it waits in the stream that it comes from.
    #[must_use]
    pub fn resumable(self) -> Self {
        self.resumable_if(true)
    }

    /// The same, where the connection is one that can be lost.
    pub(crate) fn resumable_if(mut self, resumable: bool) -> Self {
        self.resumable = resumable;
        self
    }

    /// Whether it was made [`resumable`](Self::resumable).
    #[must_use]
    pub fn is_resumable(&self) -> bool {
        self.resumable
    }

    /// Chooses how sound travels. What a session gives out is always decoded.
    #[must_use]
    pub fn codec(mut self, codec: Codec) -> Self {
        self.codec = codec;
        self
    }

    /// The language that is spoken, if it is not to be detected.
    #[must_use]
    pub fn spoken(&self) -> Option<Language> {
        match self.source {
            Source::Language(language) => Some(language),
            Source::Detect(_) => None,
        }
    }

    /// The languages to interpret into.
    pub fn languages(&self) -> impl Iterator<Item = Language> + '_ {
        self.targets.iter().map(|target| target.language)
    }

    /// The mode that was chosen.
    #[must_use]
    pub fn mode_asked(&self) -> v1::Mode {
        self.mode
    }

    /// Interprets into `language` alone, with the daemon's default voice.
    #[must_use]
    pub fn retarget(mut self, language: Language) -> Self {
        let captions_only = self.targets.iter().all(|target| target.captions_only);
        self.targets = vec![Target {
            captions_only,
            ..Target::new(language)
        }];
        self
    }

    /// Whether sound travels compressed.
    pub(super) fn is_compressed(&self) -> bool {
        self.codec == Codec::Opus
    }

    /// The format of the audio that is sent.
    pub(super) fn format(&self) -> Format {
        Format {
            // Floats: the daemon hears exactly what was decoded.
            encoding: match self.codec {
                Codec::Pcm => Encoding::F32,
                Codec::Opus => Encoding::Opus,
            },
            sample_rate_hz: SOURCE_SAMPLE_RATE,
            channels: 1,
        }
    }

    /// The message that opens the session; audio that is not sent at the speed of speech is a
    /// recording.
    pub(super) fn into_message(self, pace: Pace) -> Result<v1::SessionConfig, ClientError> {
        self.check()?;
        let (source_language, source_candidates) = match &self.source {
            Source::Language(language) => (language.to_string(), Vec::new()),
            Source::Detect(among) => (
                String::new(),
                among.iter().map(ToString::to_string).collect(),
            ),
        };
        Ok(v1::SessionConfig {
            source_language,
            source_candidates,
            audio_format: Some(v1::AudioFormat {
                encoding: match self.codec {
                    Codec::Pcm => v1::AudioEncoding::F32,
                    Codec::Opus => v1::AudioEncoding::Opus,
                }
                .into(),
                sample_rate_hz: SOURCE_SAMPLE_RATE,
                channels: 1,
            }),
            targets: self
                .targets
                .into_iter()
                .map(|target| target.into_message(self.codec == Codec::Opus))
                .collect(),
            mode: self.mode.into(),
            recorded: !pace.is_live(),
            glossary: self.glossary,
            room: self.room,
            hot_words: self.hot_words,
            resumable: self.resumable,
        })
    }

    /// Finds contradictions that no daemon could resolve.
    pub(crate) fn check(&self) -> Result<(), ClientError> {
        let usage = |what: String| Err(ClientError::Usage(what));
        if self.targets.is_empty() {
            return usage("no language to interpret into".to_owned());
        }
        for (index, target) in self.targets.iter().enumerate() {
            let language = target.language;
            if self.targets[..index]
                .iter()
                .any(|other| other.language == language)
            {
                return usage(format!("{} is asked for twice", language.name()));
            }
            if self.source == Source::Language(language) {
                return usage(format!("{} is both source and target", language.name()));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(code: &str) -> Language {
        code.parse().unwrap()
    }

    #[test]
    fn detection_names_candidates_and_no_language() {
        let among = vec![language("fr"), language("en")];
        let config = Config::new(Source::Detect(among)).target(Target::new(language("pt")));
        let message = config.into_message(Pace::RealTime).unwrap();
        assert_eq!(message.source_language, "");
        assert_eq!(message.source_candidates, ["fr", "en"]);
    }

    #[test]
    fn contradictions_are_refused_before_anything_is_sent() {
        let french = || Config::new(Source::Language(language("fr")));
        let english = || Target::new(language("en"));
        for config in [
            french(),
            french().target(Target::new(language("fr"))),
            french()
                .target(english())
                .target(english().voice("af_heart")),
        ] {
            assert!(matches!(
                config.into_message(Pace::RealTime),
                Err(ClientError::Usage(_))
            ));
        }
    }
}
