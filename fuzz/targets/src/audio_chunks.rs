//! Chunks of audio in every format: garbage is an error or sound, and never more of it than it can hold.

use interpretd::audio::{ChunkDecoder, ChunkEncoder, Encoding, Format, Resampler};

use crate::{Input, joined};

const ENCODINGS: [Encoding; 5] = [
    Encoding::Linear16,
    Encoding::F32,
    Encoding::Mulaw,
    Encoding::Alaw,
    Encoding::Opus,
];
/// Usual rates, and some that share hardly a divisor with others.
const RATES: [u32; 9] = [
    8_000, 12_000, 16_000, 24_000, 44_100, 48_000, 11_025, 9_999, 192_000,
];
/// Most samples of an Opus packet last so long.
const LONGEST_PACKET_MS: usize = 120;

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let format = Format {
        encoding: input.one_of(&ENCODINGS),
        sample_rate_hz: input.one_of(&RATES),
        channels: u32::from(input.byte() % 10),
    };
    let longest_ms = u32::from(input.byte()).max(20);
    let to_hz = input.one_of(&RATES);
    let Ok(format) = format.checked() else { return };
    let mut decoder = ChunkDecoder::new(format).expect("a checked format");
    let mut encoder = ChunkEncoder::new(format, longest_ms).expect("a checked format");
    let mut again = ChunkDecoder::new(format).expect("a checked format");
    let mut resampler = Resampler::new(format.sample_rate_hz, to_hz).expect("rates above 0");
    let (mut taken, mut given) = (0_u64, 0_u64);
    while !input.is_empty() {
        let Ok(samples) = decoder.decode(input.piece()) else {
            continue;
        };
        assert!(samples.iter().all(|sample| sample.abs() <= 1.0));
        if format.encoding == Encoding::Opus {
            let most = format.sample_rate_hz as usize * LONGEST_PACKET_MS / 1_000;
            assert!(samples.len() <= most, "{} samples", samples.len());
        }
        for chunk in encoder.push(&samples).expect("samples within full scale") {
            let heard = again.decode(&chunk).expect("our own chunks");
            assert!(heard.iter().all(|sample| sample.abs() <= 1.0));
        }
        taken += samples.len() as u64;
        given += resampler.push(&samples).expect("any samples").len() as u64;
    }
    if let Some(chunk) = encoder.flush().expect("samples within full scale") {
        again.decode(&chunk).expect("our own chunk");
    }
    given += resampler.finish().expect("any samples").len() as u64;
    let owed = (taken * u64::from(to_hz)).div_ceil(u64::from(format.sample_rate_hz));
    assert_eq!(given, owed, "samples at the other rate");
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let wave: Vec<f32> = (0..960).map(|at| (at as f32 * 0.1).sin() / 2.0).collect();
    let seed = |encoding: usize, rate: usize| {
        let format = Format {
            encoding: ENCODINGS[encoding],
            sample_rate_hz: RATES[rate],
            channels: 1,
        };
        let mut encoder = ChunkEncoder::new(format, 20).expect("a usual format");
        let chunks = encoder.push(&wave).expect("a wave");
        let pieces: Vec<&[u8]> = chunks.iter().map(Vec::as_slice).collect();
        let header = [encoding as u8, rate as u8, 1, 20, 2];
        [&header[..], &joined(&pieces)].concat()
    };
    vec![
        seed(0, 2),
        seed(1, 5),
        seed(2, 0),
        seed(3, 0),
        seed(4, 2),
        seed(4, 5),
    ]
}
