//! Audio on its way from the daemon: compressed audio is decoded before anybody sees it.

use std::collections::{BTreeMap, btree_map::Entry};

use interpret_proto::v1::{AudioEncoding, SessionStarted, Target};
use interpretd::audio::{ChunkDecoder, Encoding, Format};

use super::Event;
use crate::error::ClientError;

/// The decoders of a session's targets, by language; none for audio that is not compressed.
#[derive(Debug, Default)]
pub(super) struct Heard(BTreeMap<String, ChunkDecoder>);

impl Heard {
    /// Decoders for the targets whose audio comes compressed; these are told as what they are
    /// decoded to.
    pub(super) fn new(started: &mut SessionStarted) -> Result<Self, ClientError> {
        let mut heard = Self::default();
        heard.expect(&mut started.targets)?;
        Ok(heard)
    }

    fn expect(&mut self, targets: &mut [Target]) -> Result<(), ClientError> {
        for target in targets {
            let Some(format) = &mut target.audio_format else {
                continue;
            };
            if format.encoding() != AudioEncoding::Opus {
                continue;
            }
            if let Entry::Vacant(place) = self.0.entry(target.language.clone()) {
                let decoder = ChunkDecoder::new(Format {
                    encoding: Encoding::Opus,
                    sample_rate_hz: format.sample_rate_hz,
                    channels: 1,
                });
                place.insert(decoder.map_err(|error| ClientError::Protocol(error.to_string()))?);
            }
            format.set_encoding(AudioEncoding::Linear16);
        }
        Ok(())
    }

    /// The event with its audio decoded.
    pub(super) fn decoded(&mut self, event: Event) -> Result<Event, ClientError> {
        let mut audio = match event {
            Event::TranslatedAudio(audio) => audio,
            Event::SessionChanged(mut changed) => {
                self.expect(&mut changed.targets)?;
                return Ok(Event::SessionChanged(changed));
            }
            other => return Ok(other),
        };
        if let Some(decoder) = self.0.get_mut(&audio.language) {
            let samples = decoder
                .decode(&audio.data)
                .map_err(|error| ClientError::Protocol(error.to_string()))?;
            let linear = |sample: &f32| ((sample * 32_767.0).round() as i16).to_le_bytes();
            audio.data = samples.iter().flat_map(linear).collect();
        }
        Ok(Event::TranslatedAudio(audio))
    }
}
