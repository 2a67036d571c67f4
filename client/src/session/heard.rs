//! Audio on its way from the daemon: compressed audio is decoded before anybody sees it.

use std::collections::BTreeMap;

use interpret_proto::v1::{AudioEncoding, SessionStarted};
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
        let mut decoders = BTreeMap::new();
        for target in &mut started.targets {
            let Some(format) = &mut target.audio_format else {
                continue;
            };
            if format.encoding() != AudioEncoding::Opus {
                continue;
            }
            let decoder = ChunkDecoder::new(Format {
                encoding: Encoding::Opus,
                sample_rate_hz: format.sample_rate_hz,
                channels: 1,
            });
            let decoder = decoder.map_err(|error| ClientError::Protocol(error.to_string()))?;
            decoders.insert(target.language.clone(), decoder);
            format.set_encoding(AudioEncoding::Linear16);
        }
        Ok(Self(decoders))
    }

    /// The event with its audio decoded.
    pub(super) fn decoded(&mut self, event: Event) -> Result<Event, ClientError> {
        let Event::TranslatedAudio(mut audio) = event else {
            return Ok(event);
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
