//! The loudspeakers, and which language each of them speaks.

use interpret_models::Language;
use interpret_proto::v1::{AudioEncoding, AudioFormat, TranslatedAudio};
use tokio::sync::mpsc;

use super::settings::Settings;
use crate::{
    device::{Choice, DeviceError, DeviceEvent, Loudspeaker, LoudspeakerOptions},
    error::ClientError,
    session::{Event, Received},
};

/// All loudspeakers of a session.
#[derive(Debug, Default)]
pub(in crate::commands) struct Voices {
    open: Vec<Loudspeaker>,
    /// For each language the loudspeaker that speaks it, and the format its audio comes in.
    languages: Vec<(String, usize, Option<AudioFormat>)>,
}

impl Voices {
    /// Nobody speaks.
    pub(in crate::commands) fn none() -> Self {
        Self::default()
    }

    /// Opens a loudspeaker for each language; languages of the same loudspeaker share it.
    pub(super) fn open(
        settings: &Settings,
        targets: &[Language],
        events: &mpsc::Sender<DeviceEvent>,
    ) -> Result<Self, ClientError> {
        let mut voices = Self::default();
        let mut choices: Vec<Choice> = Vec::new();
        for target in targets {
            let choice = choice_for(*target, &settings.loudspeaker);
            let index = match choices.iter().position(|open| *open == choice) {
                Some(index) => index,
                None => {
                    let options = LoudspeakerOptions {
                        choice: choice.clone(),
                        fallback: settings.fallback,
                    };
                    let loudspeaker = Loudspeaker::open(options, events.clone())?;
                    voices.open.push(loudspeaker);
                    choices.push(choice);
                    choices.len() - 1
                }
            };
            voices.languages.push((target.to_string(), index, None));
        }
        Ok(voices)
    }

    /// Opens one loudspeaker, the default one if none is named, for all `languages`.
    pub(in crate::commands) fn all_on(
        name: Option<&str>,
        languages: &[String],
        events: &mpsc::Sender<DeviceEvent>,
    ) -> Result<Self, DeviceError> {
        let options = LoudspeakerOptions {
            choice: name.map_or(Choice::Default, |name| Choice::Named(name.to_owned())),
            fallback: false,
        };
        let loudspeaker = Loudspeaker::open(options, events.clone())?;
        let languages = languages.iter().map(|language| (language.clone(), 0, None));
        Ok(Self {
            open: vec![loudspeaker],
            languages: languages.collect(),
        })
    }

    /// Waits until everything has been said.
    pub(in crate::commands) async fn drain(&self) {
        for loudspeaker in &self.open {
            loudspeaker.drain().await;
        }
    }

    /// Says what comes to be said.
    pub(in crate::commands) fn take(&mut self, received: &Received) {
        match &received.event {
            Event::SessionStarted(started) => {
                for (language, _, format) in &mut self.languages {
                    let target = started.targets.iter().find(|t| t.language == *language);
                    *format = target.and_then(|target| target.audio_format);
                }
                // A language that was chosen later is spoken by the first loudspeaker.
                for target in &started.targets {
                    let known = |(language, ..): &(String, usize, _)| *language == target.language;
                    if !self.languages.iter().any(known) {
                        let language = target.language.clone();
                        self.languages.push((language, 0, target.audio_format));
                    }
                }
            }
            Event::TranslatedAudio(audio) => self.speak(audio),
            _ => {}
        }
    }

    fn speak(&self, audio: &TranslatedAudio) {
        let of =
            |(language, ..): &&(String, usize, Option<AudioFormat>)| *language == audio.language;
        if let Some((_, index, Some(format))) = self.languages.iter().find(of)
            && let Some(loudspeaker) = self.open.get(*index)
        {
            let samples = samples(&audio.data, *format);
            loudspeaker.speak(samples, format.sample_rate_hz, audio.sentence_id);
        }
    }

    pub(super) fn loudspeakers(&mut self) -> &mut [Loudspeaker] {
        &mut self.open
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &Loudspeaker> {
        self.open.iter()
    }
}

/// `NAME` is for every language, `LANGUAGE=NAME` for one; the last that fits counts.
fn choice_for(target: Language, given: &[String]) -> Choice {
    let mut choice = Choice::Default;
    for argument in given {
        let split = argument.split_once('=');
        let language = split.and_then(|(code, _)| code.parse::<Language>().ok());
        match (language, split) {
            (Some(language), Some((_, name))) => {
                if language == target {
                    choice = Choice::Named(name.to_owned());
                }
            }
            // A name may hold an equals sign.
            _ => choice = Choice::Named(argument.clone()),
        }
    }
    choice
}

/// Mono samples of the audio the daemon sends by itself.
fn samples(data: &[u8], format: AudioFormat) -> Vec<f32> {
    match format.encoding() {
        AudioEncoding::F32 => {
            let values = data.as_chunks::<4>().0.iter();
            values.map(|bytes| f32::from_le_bytes(*bytes)).collect()
        }
        _ => {
            let values = data.as_chunks::<2>().0.iter();
            values
                .map(|bytes| f32::from(i16::from_le_bytes(*bytes)) / 32_768.0)
                .collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loudspeaker_for_all_and_one_for_a_language() {
        let given = ["en=Headset".to_owned(), "a=b".to_owned()];
        let language = |code: &str| code.parse::<Language>().unwrap();
        let named = |name: &str| Choice::Named(name.to_owned());
        assert_eq!(choice_for(language("en"), &given[..1]), named("Headset"));
        assert_eq!(choice_for(language("fr"), &given[..1]), Choice::Default);
        assert_eq!(choice_for(language("fr"), &given), named("a=b"));
    }
}
