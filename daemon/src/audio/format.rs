//! Bytes to samples and back.

use audio_codec_algorithms::{decode_alaw, decode_ulaw, encode_alaw, encode_ulaw};

/// Rates a client may use, in samples a second.
const RATES: std::ops::RangeInclusive<u32> = 8_000..=192_000;
/// Interleaved channels a client may use.
const CHANNELS: std::ops::RangeInclusive<u32> = 1..=8;

/// How samples are laid out in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Format {
    /// Sample encoding.
    pub encoding: Encoding,
    /// Samples a second and channel.
    pub sample_rate_hz: u32,
    /// Interleaved channels.
    pub channels: u32,
}

/// Encodings of one sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Signed 16-bit little-endian.
    Linear16,
    /// 32-bit little-endian float, full scale +-1.
    F32,
    /// ITU-T G.711 mu-law.
    Mulaw,
    /// ITU-T G.711 A-law.
    Alaw,
    /// Opus (RFC 6716): a chunk is a packet. See [`ChunkDecoder`](super::ChunkDecoder).
    Opus,
}

/// Bytes or a format that make no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum FormatError {
    /// Rate out of range.
    #[error("sample rate {0} Hz is not supported; use 8000 to 192000")]
    Rate(u32),
    /// Channels out of range.
    #[error("{0} channels are not supported; use 1 to 8")]
    Channels(u32),
    /// A rate or channels that Opus does not have.
    #[error("Opus is taken at 8000, 12000, 16000, 24000 or 48000 Hz on one channel")]
    Opus,
    /// The codec failed.
    #[error("the codec failed: {0}")]
    Codec(String),
    /// A chunk that is no packet of the codec.
    #[error("an audio chunk is no Opus packet: {0}")]
    Packet(String),
    /// A chunk that does not hold whole frames.
    #[error("an audio chunk of {bytes} bytes does not hold whole frames of {frame} bytes")]
    Torn {
        /// Bytes of the chunk.
        bytes: usize,
        /// Bytes of a frame: one sample of each channel.
        frame: usize,
    },
}

impl Encoding {
    /// Bytes of one sample; of a packet's byte, 1.
    #[must_use]
    fn sample_bytes(self) -> usize {
        match self {
            Self::Linear16 => 2,
            Self::F32 => 4,
            Self::Mulaw | Self::Alaw | Self::Opus => 1,
        }
    }
}

impl Format {
    /// Checks that the format is one we take.
    ///
    /// # Errors
    /// When rate or channels are out of range.
    pub fn checked(self) -> Result<Self, FormatError> {
        if !RATES.contains(&self.sample_rate_hz) {
            return Err(FormatError::Rate(self.sample_rate_hz));
        }
        if !CHANNELS.contains(&self.channels) {
            return Err(FormatError::Channels(self.channels));
        }
        let opus_rate = [8_000, 12_000, 16_000, 24_000, 48_000].contains(&self.sample_rate_hz);
        if self.encoding == Encoding::Opus && !(opus_rate && self.channels == 1) {
            return Err(FormatError::Opus);
        }
        Ok(self)
    }

    /// Decodes `bytes`, which are samples, and mixes all channels down to one by their mean. What is no number becomes
    /// silence, so that no NaN reaches a model.
    ///
    /// # Errors
    /// When `bytes` does not hold whole frames.
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<f32>, FormatError> {
        let channels = self.channels as usize;
        let frame = self.encoding.sample_bytes() * channels;
        if !bytes.len().is_multiple_of(frame) {
            return Err(FormatError::Torn {
                bytes: bytes.len(),
                frame,
            });
        }
        let samples = self.samples(bytes);
        if channels == 1 {
            return Ok(samples);
        }
        Ok(samples
            .chunks_exact(channels)
            .map(|f| f.iter().sum::<f32>() / channels as f32)
            .collect())
    }

    fn samples(self, bytes: &[u8]) -> Vec<f32> {
        let scale = |sample: i16| f32::from(sample) / 32_768.0;
        match self.encoding {
            Encoding::Linear16 => bytes
                .as_chunks()
                .0
                .iter()
                .map(|b| scale(i16::from_le_bytes(*b)))
                .collect(),
            Encoding::F32 => bytes
                .as_chunks()
                .0
                .iter()
                .map(|b| f32::from_le_bytes(*b))
                .map(|s| {
                    if s.is_finite() {
                        s.clamp(-1.0, 1.0)
                    } else {
                        0.0
                    }
                })
                .collect(),
            // A packet is no samples; the decoder of chunks never asks.
            Encoding::Opus => Vec::new(),
            Encoding::Mulaw => bytes.iter().map(|b| scale(decode_ulaw(*b))).collect(),
            Encoding::Alaw => bytes.iter().map(|b| scale(decode_alaw(*b))).collect(),
        }
    }

    /// Encodes mono `samples`, repeated on every channel.
    #[must_use]
    pub fn encode(self, samples: &[f32]) -> Vec<u8> {
        let frame = self.encoding.sample_bytes() * self.channels as usize;
        let mut bytes = Vec::with_capacity(samples.len() * frame);
        for &sample in samples {
            let linear = (sample.clamp(-1.0, 1.0) * 32_767.0).round() as i16;
            for _ in 0..self.channels {
                match self.encoding {
                    Encoding::Linear16 => bytes.extend(linear.to_le_bytes()),
                    Encoding::F32 => bytes.extend(sample.to_le_bytes()),
                    Encoding::Mulaw => bytes.push(encode_ulaw(linear)),
                    Encoding::Alaw => bytes.push(encode_alaw(linear)),
                    Encoding::Opus => {}
                }
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn format(encoding: Encoding, channels: u32) -> Format {
        Format {
            encoding,
            sample_rate_hz: 8_000,
            channels,
        }
    }

    #[test]
    fn channels_are_averaged() {
        let stereo = format(Encoding::F32, 2);
        let bytes: Vec<u8> = [0.5_f32, -0.5, 1.0, 0.0]
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .collect();
        assert_eq!(stereo.decode(&bytes).unwrap(), [0.0, 0.5]);
    }

    #[test]
    fn torn_chunks_are_refused() {
        let error = format(Encoding::Linear16, 2).decode(&[0; 6]).unwrap_err();
        assert_eq!(error, FormatError::Torn { bytes: 6, frame: 4 });
    }

    #[test]
    fn what_is_no_number_becomes_silence() {
        let bytes: Vec<u8> = [f32::NAN, f32::INFINITY, 9.0]
            .iter()
            .flat_map(|s| s.to_le_bytes())
            .collect();
        assert_eq!(
            format(Encoding::F32, 1).decode(&bytes).unwrap(),
            [0.0, 0.0, 1.0]
        );
    }

    #[test]
    fn odd_rates_and_channels_are_refused() {
        let ok = format(Encoding::Mulaw, 1);
        assert_eq!(
            Format {
                sample_rate_hz: 10,
                ..ok
            }
            .checked(),
            Err(FormatError::Rate(10))
        );
        assert_eq!(
            Format { channels: 9, ..ok }.checked(),
            Err(FormatError::Channels(9))
        );
        assert_eq!(
            Format { channels: 0, ..ok }.checked(),
            Err(FormatError::Channels(0))
        );
    }

    proptest! {
        #[test]
        fn what_is_encoded_decodes_to_nearly_the_same(
            samples in prop::collection::vec(-1.0_f32..1.0, 0..64), channels in 1_u32..=8,
        ) {
            for (encoding, step) in [
                (Encoding::Linear16, 1.0 / 16_000.0),
                (Encoding::F32, 1.0e-6),
                (Encoding::Mulaw, 0.04),
                (Encoding::Alaw, 0.04),
            ] {
                let format = format(encoding, channels);
                let again = format.decode(&format.encode(&samples)).unwrap();
                prop_assert_eq!(again.len(), samples.len());
                for (a, b) in again.iter().zip(&samples) {
                    prop_assert!((a - b).abs() <= step, "{:?}: {} became {}", encoding, b, a);
                }
            }
        }
    }
}
