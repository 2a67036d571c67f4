//! Sound files of any kind: refused, or heard to the end as whole chunks at 16 kHz, then at most one error.

use interpret::audio::{AudioFile, CHUNK_SAMPLES};

use crate::Scratch;

/// Chunks after which a file is taken for long, not for endless.
const MOST_CHUNKS: usize = 1_500;

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let folder = Scratch::new();
    let Ok(file) = AudioFile::open(folder.put("sound", data)) else {
        return;
    };
    let _ = file.duration();
    let mut over = false;
    for chunk in file.take(MOST_CHUNKS) {
        assert!(!over, "nothing comes after the last");
        match chunk {
            Ok(samples) => {
                assert!(!samples.is_empty() && samples.len() <= CHUNK_SAMPLES);
                // Resampling swings over, most where each sample is at full scale as the filter has its sign.
                assert!(samples.iter().all(|sample| sample.abs() <= 8.0));
            }
            Err(_) => over = true,
        }
    }
}

fn wave(kind: u16, bits: u16, rate: u32, data: &[u8]) -> Vec<u8> {
    let length = u32::try_from(data.len()).unwrap_or_default();
    let bytes = bits / 8;
    [
        &b"RIFF"[..],
        &(length + 36).to_le_bytes(),
        b"WAVEfmt ",
        &16_u32.to_le_bytes(),
        &kind.to_le_bytes(),
        &1_u16.to_le_bytes(),
        &rate.to_le_bytes(),
        &(rate * u32::from(bytes)).to_le_bytes(),
        &bytes.to_le_bytes(),
        &bits.to_le_bytes(),
        b"data",
        &length.to_le_bytes(),
        data,
    ]
    .concat()
}

/// The header of an Ogg page and its one packet, without its checksum.
fn ogg(packet: &[u8]) -> Vec<u8> {
    let length = u8::try_from(packet.len()).unwrap_or_default();
    [
        &b"OggS\0\x02"[..],
        &[0; 8],
        &[1, 0, 0, 0],
        &[0; 8],
        &[1, length],
        packet,
    ]
    .concat()
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let sound: Vec<u8> = (0..800).map(|at: u32| (at * 7 % 251) as u8).collect();
    let aiff = [
        &b"FORM\0\0\0\x56AIFFCOMM\0\0\0\x12\0\x01\0\0\0\x10\0\x10\x40\x0b\xfa\0\0\0\0\0\0\0SSND\0\0\0\x28\0\0\0\0\0\0\0\0"[..],
        &sound[..32],
    ];
    // Layer III, 128 kbit/s at 44.1 kHz: frames of 417 bytes, silent.
    let frame = [&[0xff, 0xfb, 0x90, 0x64][..], &[0; 413]].concat();
    let caf = [
        &b"caff\0\x01\0\0desc\0\0\0\0\0\0\0\x20\x40\xbf\x40\0\0\0\0\0lpcm\0\0\0\0\0\0\0\x02\0\0\0\x01\0\0\0\x01\0\0\0\x10data\0\0\0\0\0\0\0\x44\0\0\0\0"[..],
        &sound[..64],
    ];
    // One frame of 192 constant samples, 16 bits at 44.1 kHz, one channel.
    let flac = [
        &b"fLaC\x80\0\0\x22\0\xc0\0\xc0\0\0\0\0\0\0\x0a\xc4\x40\xf0\0\0\0\xc0"[..],
        &[0; 16],
        b"\xff\xf8\x19\x08\0\x4a\0\0\x01\0\0",
    ];
    let atoms = b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42\0\0\0\x08free\0\0\0\x08moov\0\0\0\x08mdat";
    let matroska = b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\xf2\x81\x04\x42\xf3\x81\x08\x42\x82\x88matroska\x42\x87\x81\x04\x42\x85\x81\x02\x18\x53\x80\x67\xff";
    vec![
        wave(1, 16, 8_000, &sound),
        wave(3, 32, 48_000, &sound),
        wave(7, 8, 16_000, &sound),
        aiff.concat(),
        [&frame[..]; 4].concat(),
        caf.concat(),
        flac.concat(),
        ogg(b"\x01vorbis\0\0\0\0\x01\x44\xac\0\0\0\0\0\0\0\0\0\0\0\0\0\0\xb8\x01"),
        atoms.to_vec(),
        matroska.to_vec(),
    ]
}
