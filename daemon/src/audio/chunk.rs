//! Chunks of a stream: samples, or packets of a codec that remembers what came before.

use super::{Encoding, Format, FormatError};

/// Longest Opus packet that we make: longer ones save hardly anything.
const OPUS_LONGEST_MS: u32 = 60;
/// Bits a second of Opus: speech at 24 kHz is transparent to a recogniser from about 24,000 on.
const OPUS_BITS: u32 = 32_000;
/// Most bytes of one Opus frame (RFC 6716, section 3.4), with room for its header.
const OPUS_MOST_BYTES: usize = 1_500;

/// Decodes the chunks of one stream, in order, to mono samples.
pub struct ChunkDecoder(Decoder);

enum Decoder {
    Samples(Format),
    Packets {
        opus: Box<ropus::Decoder>,
        samples: Vec<f32>,
    },
}

impl ChunkDecoder {
    /// A decoder for a stream in `format`, which has been [checked](Format::checked).
    ///
    /// # Errors
    /// When the codec does not take the format.
    pub fn new(format: Format) -> Result<Self, FormatError> {
        if format.encoding != Encoding::Opus {
            return Ok(Self(Decoder::Samples(format)));
        }
        let opus = ropus::Decoder::new(format.sample_rate_hz, ropus::Channels::Mono)
            .map_err(|error| FormatError::Codec(error.to_string()))?;
        let samples = vec![0.0; opus.max_frame_samples_per_channel()];
        Ok(Self(Decoder::Packets {
            opus: Box::new(opus),
            samples,
        }))
    }

    /// Decodes the next chunk.
    ///
    /// # Errors
    /// When it does not hold whole frames, or is no packet of the codec.
    pub fn decode(&mut self, chunk: &[u8]) -> Result<Vec<f32>, FormatError> {
        match &mut self.0 {
            Decoder::Samples(format) => format.decode(chunk),
            Decoder::Packets { opus, samples } => {
                let count = opus
                    .decode_float(chunk, samples, ropus::DecodeMode::Normal)
                    .map_err(|error| FormatError::Packet(error.to_string()))?;
                let decoded = samples[..count.min(samples.len())].iter();
                Ok(decoded.map(|sample| sample.clamp(-1.0, 1.0)).collect())
            }
        }
    }
}

/// Encodes mono samples into chunks.
pub struct ChunkEncoder {
    format: Format,
    /// Samples of a chunk: at most so many for samples, exactly so many for packets.
    piece: usize,
    opus: Option<Box<ropus::Encoder>>,
    /// Samples that fill no packet yet.
    pending: Vec<f32>,
}

impl ChunkEncoder {
    /// An encoder for a stream in `format`, in chunks of at most `longest_ms` (20 or more).
    ///
    /// # Errors
    /// When the codec does not take the format.
    pub fn new(format: Format, longest_ms: u32) -> Result<Self, FormatError> {
        let (opus, length_ms) = if format.encoding == Encoding::Opus {
            let encoder = ropus::Encoder::builder(
                format.sample_rate_hz,
                ropus::Channels::Mono,
                ropus::Application::Audio,
            )
            .bitrate(ropus::Bitrate::Bits(OPUS_BITS))
            .build()
            .map_err(|error| FormatError::Codec(error.to_string()))?;
            // Packets are of 20, 40 or 60 ms.
            let length_ms = longest_ms.clamp(20, OPUS_LONGEST_MS) / 20 * 20;
            (Some(Box::new(encoder)), length_ms)
        } else {
            (None, longest_ms)
        };
        Ok(Self {
            piece: (format.sample_rate_hz as usize * length_ms as usize / 1_000).max(1),
            format,
            opus,
            pending: Vec::new(),
        })
    }

    /// Takes samples and gives the chunks that are full.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn push(&mut self, samples: &[f32]) -> Result<Vec<Vec<u8>>, FormatError> {
        if self.opus.is_none() {
            let pieces = samples.chunks(self.piece);
            return Ok(pieces.map(|piece| self.format.encode(piece)).collect());
        }
        self.pending.extend_from_slice(samples);
        let whole = self.pending.len() / self.piece * self.piece;
        let ready: Vec<f32> = self.pending.drain(..whole).collect();
        ready.chunks(self.piece).map(|p| self.packet(p)).collect()
    }

    /// Gives what is left, with silence after it to fill a packet. The stream may go on.
    ///
    /// # Errors
    /// When the codec fails.
    pub fn flush(&mut self) -> Result<Option<Vec<u8>>, FormatError> {
        if self.pending.is_empty() {
            return Ok(None);
        }
        let mut rest = std::mem::take(&mut self.pending);
        rest.resize(self.piece, 0.0);
        self.packet(&rest).map(Some)
    }

    fn packet(&mut self, samples: &[f32]) -> Result<Vec<u8>, FormatError> {
        let Some(opus) = &mut self.opus else {
            return Ok(self.format.encode(samples));
        };
        let mut packet = vec![0; OPUS_MOST_BYTES * 3];
        let length = opus
            .encode_float(samples, &mut packet)
            .map_err(|error| FormatError::Codec(error.to_string()))?;
        packet.truncate(length);
        Ok(packet)
    }
}

impl std::fmt::Debug for ChunkDecoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkDecoder").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for ChunkEncoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkEncoder")
            .field("format", &self.format)
            .field("piece", &self.piece)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn opus(sample_rate_hz: u32) -> Format {
        let encoding = Encoding::Opus;
        Format {
            encoding,
            sample_rate_hz,
            channels: 1,
        }
    }

    /// A voice-like sum of tones that swells.
    fn voice(rate: u32, samples: usize) -> Vec<f32> {
        (0..samples)
            .map(|n| {
                let time = n as f32 / rate as f32;
                let wave = |hz: f32| (std::f32::consts::TAU * hz * time).sin();
                (wave(180.0) + 0.5 * wave(360.0) + 0.3 * wave(900.0)) * 0.2 * wave(2.0).abs()
            })
            .collect()
    }

    /// Likeness of two sounds at the delay where they are most alike.
    fn likeness(a: &[f32], b: &[f32]) -> f32 {
        let at = |delay: usize| {
            let pairs = a.iter().zip(&b[delay..]);
            let (mut ab, mut aa, mut bb) = (0.0_f32, 0.0_f32, 0.0_f32);
            for (x, y) in pairs {
                (ab, aa, bb) = (ab + x * y, aa + x * x, bb + y * y);
            }
            ab / (aa * bb).sqrt().max(1e-9)
        };
        (0..600).map(at).fold(0.0, f32::max)
    }

    #[test]
    fn opus_sounds_the_same_and_is_an_eighth_as_large() {
        for rate in [16_000, 24_000, 48_000] {
            let samples = voice(rate, rate as usize * 2);
            let mut encoder = ChunkEncoder::new(opus(rate), 60).unwrap();
            let mut decoder = ChunkDecoder::new(opus(rate)).unwrap();
            let (mut heard, mut bytes) = (Vec::new(), 0);
            let mut chunks = Vec::new();
            for piece in samples.chunks(777) {
                chunks.extend(encoder.push(piece).unwrap());
            }
            chunks.extend(encoder.flush().unwrap());
            for chunk in chunks {
                bytes += chunk.len();
                heard.extend(decoder.decode(&chunk).unwrap());
            }
            assert!(heard.len() >= samples.len(), "{rate}");
            assert!(bytes * 7 < samples.len() * 2, "{rate}: {bytes} bytes");
            let same = likeness(&samples, &heard);
            assert!(same > 0.9, "{rate}: {same}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(200))]
        #[test]
        fn garbage_is_an_error_or_sound_and_never_a_panic(
            packets in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..200), 1..8),
        ) {
            let mut decoder = ChunkDecoder::new(opus(16_000)).unwrap();
            for packet in packets {
                if let Ok(samples) = decoder.decode(&packet) {
                    prop_assert!(samples.iter().all(|s| s.abs() <= 1.0));
                    prop_assert!(samples.len() <= 16_000 * 120 / 1_000);
                }
            }
        }
    }
}
