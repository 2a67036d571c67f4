//! Checks a Whisper file in ggml form before whisper.cpp reads it.
//!
//! whisper.cpp trusts lengths and counts in the file: a damaged one can make it allocate without
//! bound or abort the process. This walk over the file reads the counts only (no tensor data), and
//! refuses whatever does not add up to exactly the file's length. Layout (little endian): magic,
//! eleven numbers, mel filters, vocabulary, then tensors with name and shape until the end.

use std::{
    fs::File,
    io::{BufReader, Read, Seek},
    path::Path,
};

const MAGIC: u32 = 0x6767_6d6c;
/// `ftype` counts the versions of the quantisation in multiples of this.
const QUANTISATION_VERSION: i32 = 1000;

/// What the header says of a model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) vocabulary: i32,
    pub(super) audio_context: i32,
    pub(super) width: i32,
    pub(super) audio_layers: i32,
    pub(super) text_layers: i32,
}

impl Header {
    /// Multilingual models have one token more than the English ones, or several.
    pub(super) fn is_multilingual(&self) -> bool {
        self.vocabulary >= 51865
    }
}

/// Reads the header and checks that the rest of the file fits it.
///
/// Errors say what is wrong, for a person.
pub(super) fn check(path: &Path) -> Result<Header, String> {
    let file = File::open(path).map_err(|error| error.to_string())?;
    let meta = file.metadata().map_err(|error| error.to_string())?;
    if !meta.is_file() {
        return Err("it is not a file".to_owned());
    }
    Walk {
        input: BufReader::new(file),
        length: meta.len(),
        at: 0,
    }
    .model()
}

struct Walk<R> {
    input: R,
    length: u64,
    at: u64,
}

impl<R: Read + Seek> Walk<R> {
    fn model(&mut self) -> Result<Header, String> {
        if self.length < 4 || self.number()? as u32 != MAGIC {
            return Err("it is not a Whisper model in ggml form (wrong first bytes)".to_owned());
        }
        let (header, ftype) = self.header()?;
        if !matches!(ftype % QUANTISATION_VERSION, 0..=3 | 7..=14) {
            return Err(format!("its weights have an unknown format ({ftype})"));
        }
        let filters = (
            self.between("mel bands", 1, 1024)?,
            self.between("mel bins", 1, 4096)?,
        );
        self.skip(filters.0 as u64 * filters.1 as u64 * 4)?;
        for _ in 0..self.between("words", 1, 200_000)? {
            let length = self.between("the length of a word", 0, 4096)?;
            self.skip(length as u64)?;
        }
        let expected = 10 + 15 * header.audio_layers + 24 * header.text_layers;
        let mut found = 0;
        while self.at < self.length {
            self.tensor()?;
            found += 1;
        }
        // Tied and optional tensors make the exact number differ by a few.
        if (found - expected).abs() > 10 {
            return Err(format!(
                "it holds {found} tensors where about {expected} belong"
            ));
        }
        Ok(header)
    }

    fn header(&mut self) -> Result<(Header, i32), String> {
        let vocabulary = self.between("the vocabulary", 51_864, 60_000)?;
        let audio_context = self.between("the audio context", 1, 6_000)?;
        let width = self.between("the width", 64, 4_096)?;
        let audio_heads = self.between("audio heads", 1, 128)?;
        let audio_layers = self.between("audio layers", 1, 128)?;
        self.between("the text context", 16, 4_096)?;
        let text_width = self.between("the text width", 64, 4_096)?;
        let text_heads = self.between("text heads", 1, 128)?;
        let text_layers = self.between("text layers", 1, 128)?;
        self.between("mel bands", 1, 1_024)?;
        if text_width != width || width % audio_heads != 0 || width % text_heads != 0 {
            return Err("its header contradicts itself: it is damaged".to_owned());
        }
        let header = Header {
            vocabulary,
            audio_context,
            width,
            audio_layers,
            text_layers,
        };
        Ok((header, self.number()?))
    }

    fn tensor(&mut self) -> Result<(), String> {
        let dimensions = self.between("dimensions of a tensor", 1, 4)?;
        let name = self.between("the length of a tensor's name", 1, 128)?;
        let kind = self.number()?;
        let mut values = 1u64;
        for _ in 0..dimensions {
            values =
                values.saturating_mul(self.between("the size of a tensor", 1, 1 << 28)? as u64);
        }
        self.skip(name as u64)?;
        let (block, bytes) =
            block(kind).ok_or_else(|| format!("it holds a tensor of unknown type {kind}"))?;
        if !values.is_multiple_of(block) {
            return Err("a tensor's size does not fit its type: it is damaged".to_owned());
        }
        self.skip((values / block).saturating_mul(bytes))
    }

    fn number(&mut self) -> Result<i32, String> {
        let mut bytes = [0; 4];
        self.input
            .read_exact(&mut bytes)
            .map_err(|_| self.cut_short())?;
        self.at += 4;
        Ok(i32::from_le_bytes(bytes))
    }

    fn between(&mut self, what: &str, least: i32, most: i32) -> Result<i32, String> {
        let number = self.number()?;
        if (least..=most).contains(&number) {
            Ok(number)
        } else {
            Err(format!("{what}: {number} cannot be right; it is damaged"))
        }
    }

    fn skip(&mut self, bytes: u64) -> Result<(), String> {
        self.at = self.at.saturating_add(bytes);
        if self.at > self.length {
            return Err(self.cut_short());
        }
        let bytes = i64::try_from(bytes).map_err(|_| self.cut_short())?;
        self.input
            .seek_relative(bytes)
            .map_err(|error| error.to_string())
    }

    fn cut_short(&self) -> String {
        format!(
            "it is cut short (after {} bytes): fetch it again",
            self.length
        )
    }
}

/// Values and bytes of a block of a ggml tensor type.
fn block(kind: i32) -> Option<(u64, u64)> {
    Some(match kind {
        0 => (1, 4),
        1 => (1, 2),
        2 => (32, 18),
        3 => (32, 20),
        6 => (32, 22),
        7 => (32, 24),
        8 => (32, 34),
        10 => (256, 84),
        11 => (256, 110),
        12 => (256, 144),
        13 => (256, 176),
        14 => (256, 210),
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use proptest::prelude::*;

    use super::*;

    fn numbers(numbers: &[i32]) -> Vec<u8> {
        numbers.iter().flat_map(|n| n.to_le_bytes()).collect()
    }

    /// A file of the right form with tensors of one value.
    fn small() -> Vec<u8> {
        let header = [51_865, 1500, 64, 1, 1, 448, 64, 1, 1, 80, 1];
        let mut file = numbers(&[MAGIC as i32]);
        file.extend(numbers(&header));
        file.extend(numbers(&[2, 3, 0, 0, 0, 0, 0, 0]));
        file.extend(numbers(&[2, 1]));
        file.push(b'a');
        file.extend(numbers(&[0]));
        for _ in 0..49 {
            file.extend(numbers(&[1, 1, 0, 1]));
            file.push(b'x');
            file.extend(numbers(&[0]));
        }
        file
    }

    fn walk(file: &[u8]) -> Result<Header, String> {
        Walk {
            length: file.len() as u64,
            input: Cursor::new(file),
            at: 0,
        }
        .model()
    }

    #[test]
    fn a_whole_file_passes() {
        let header = walk(&small()).unwrap();
        assert_eq!((header.width, header.audio_layers), (64, 1));
        assert!(header.is_multilingual());
    }

    #[test]
    fn every_truncation_inside_a_part_is_refused() {
        let file = small();
        for length in 0..file.len() - 21 * 11 {
            assert!(walk(&file[..length]).is_err(), "{length} bytes passed");
        }
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert!(
            walk(b"RIFF....")
                .unwrap_err()
                .contains("not a Whisper model")
        );
        assert!(walk(&small()[..60]).unwrap_err().contains("cut short"));
        let mut odd = small();
        odd[4..8].copy_from_slice(&(-5i32).to_le_bytes());
        assert!(walk(&odd).unwrap_err().contains("the vocabulary: -5"));
        assert!(check(Path::new("/nowhere/model.bin")).is_err());
    }

    proptest! {
        #[test]
        fn garbage_after_the_magic_never_panics(garbage in prop::collection::vec(any::<u8>(), 0..400)) {
            let mut file = numbers(&[MAGIC as i32]);
            file.extend(garbage);
            prop_assert!(walk(&file).is_err());
        }

        #[test]
        fn a_flipped_byte_never_panics(at in 0usize..1000, value in any::<u8>()) {
            let mut file = small();
            let at = at % file.len();
            file[at] = value;
            let _ = walk(&file);
        }
    }
}
