//! The voices of a Kokoro folder and their style vectors.

use std::{
    collections::HashMap,
    path::{Path, PathBuf},
};

use crate::synthesis::{Gender, SynthesisError, Voice, phonemes::Dialect};

/// Numbers in one style vector.
pub(super) const STYLE_WIDTH: usize = 256;
/// Style vectors of one voice: one for every length of the phoneme string.
const STYLE_ROWS: usize = 510;

/// The best voice of each language, by the model's authors' own grades.
const DEFAULTS: [&str; 6] = [
    "af_heart", "ef_dora", "ff_siwis", "hf_alpha", "if_sara", "pf_dora",
];

/// Voices by name; the style vectors of one are read when it first speaks.
#[derive(Debug)]
pub(super) struct VoiceTable {
    folder: PathBuf,
    voices: Vec<Voice>,
    styles: HashMap<String, Vec<f32>>,
}

impl VoiceTable {
    /// Lists `folder`. Voices of languages that cannot be phonemised here (Japanese, Chinese) are
    /// left out.
    pub(super) fn open(folder: &Path) -> Result<Self, SynthesisError> {
        let failed = |reason: String| SynthesisError::Load {
            path: folder.to_owned(),
            reason,
        };
        let entries = std::fs::read_dir(folder).map_err(|error| failed(error.to_string()))?;
        let mut voices: Vec<Voice> = entries
            .filter_map(|entry| voice(entry.ok()?.path().as_path()))
            .collect();
        if voices.is_empty() {
            return Err(failed("it holds no voice (NAME.bin)".to_owned()));
        }
        voices.sort_by(|a, b| a.name.cmp(&b.name));
        mark_defaults(&mut voices);
        Ok(Self {
            folder: folder.to_owned(),
            voices,
            styles: HashMap::new(),
        })
    }

    /// All voices, by name.
    pub(super) fn voices(&self) -> &[Voice] {
        &self.voices
    }

    /// What `name` speaks.
    pub(super) fn dialect(&self, name: &str) -> Result<Dialect, SynthesisError> {
        self.voices
            .iter()
            .find(|voice| voice.name == name)
            .and_then(|voice| dialect_of(&voice.name))
            .ok_or_else(|| SynthesisError::UnknownVoice(name.to_owned()))
    }

    /// Style vector of `name` for a phoneme string of `tokens` tokens.
    pub(super) fn style(&mut self, name: &str, tokens: usize) -> Result<&[f32], SynthesisError> {
        if !self.styles.contains_key(name) {
            let styles = read_styles(&self.folder.join(format!("{name}.bin")))?;
            self.styles.insert(name.to_owned(), styles);
        }
        let row = tokens.min(STYLE_ROWS - 1);
        self.styles
            .get(name)
            .and_then(|styles| styles.chunks_exact(STYLE_WIDTH).nth(row))
            .ok_or_else(|| SynthesisError::UnknownVoice(name.to_owned()))
    }
}

/// The voice in the file `NAME.bin`, if it is one that can speak here.
fn voice(path: &Path) -> Option<Voice> {
    if path.extension()? != "bin" {
        return None;
    }
    let name = path.file_stem()?.to_str()?;
    let dialect = dialect_of(name)?;
    let gender = match name.chars().nth(1)? {
        'f' => Gender::Female,
        'm' => Gender::Male,
        _ => return None,
    };
    Some(Voice {
        name: name.to_owned(),
        language: dialect.language()?,
        region: dialect.region(),
        gender,
        is_default: false,
    })
}

/// The first letter of a voice's name tells its dialect.
fn dialect_of(name: &str) -> Option<Dialect> {
    match name.chars().next()? {
        'a' => Some(Dialect::AmericanEnglish),
        'b' => Some(Dialect::BritishEnglish),
        'e' => Some(Dialect::Spanish),
        'f' => Some(Dialect::French),
        'h' => Some(Dialect::Hindi),
        'i' => Some(Dialect::Italian),
        'p' => Some(Dialect::BrazilianPortuguese),
        _ => None,
    }
}

/// Gives each language one default: the one of [`DEFAULTS`], else its first voice.
fn mark_defaults(voices: &mut [Voice]) {
    for index in 0..voices.len() {
        let voice = &voices[index];
        let mut peers = voices.iter().filter(|peer| peer.language == voice.language);
        let best = peers
            .clone()
            .find(|peer| DEFAULTS.contains(&peer.name.as_str()));
        let default = best.or_else(|| peers.next()).map(|peer| peer.name.clone());
        voices[index].is_default = default.as_ref() == Some(&voices[index].name);
    }
}

/// Reads raw little-endian `f32` `[510, 1, 256]`.
fn read_styles(path: &Path) -> Result<Vec<f32>, SynthesisError> {
    let failed = |reason: String| SynthesisError::Load {
        path: path.to_owned(),
        reason,
    };
    let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
    let expected = STYLE_ROWS * STYLE_WIDTH * size_of::<f32>();
    if bytes.len() != expected {
        return Err(failed(format!(
            "a voice has {expected} bytes, this file {}; fetch it again",
            bytes.len()
        )));
    }
    let (numbers, _) = bytes.as_chunks::<4>();
    Ok(numbers.iter().copied().map(f32::from_le_bytes).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            std::fs::write(folder.path().join(name), vec![0_u8; 522_240]).unwrap();
        }
        folder
    }

    #[test]
    fn names_tell_language_region_and_gender() {
        let folder = folder(&["bm_george.bin", "pf_dora.bin", "jf_alpha.bin", "readme.txt"]);
        let table = VoiceTable::open(folder.path()).unwrap();
        let told: Vec<_> = table
            .voices()
            .iter()
            .map(|v| (v.name.as_str(), v.language.code(), v.region, v.gender))
            .collect();
        assert_eq!(
            told,
            [
                ("bm_george", "en", Some("GB"), Gender::Male),
                ("pf_dora", "pt", Some("BR"), Gender::Female),
            ]
        );
    }

    #[test]
    fn each_language_has_one_default() {
        let folder = folder(&[
            "af_bella.bin",
            "af_heart.bin",
            "bf_emma.bin",
            "im_nicola.bin",
        ]);
        let table = VoiceTable::open(folder.path()).unwrap();
        let defaults: Vec<_> = table.voices().iter().filter(|v| v.is_default).collect();
        assert_eq!(defaults.len(), 2);
        assert_eq!(defaults[0].name, "af_heart");
        assert_eq!(defaults[1].name, "im_nicola");
    }

    #[test]
    fn a_folder_without_voices_and_a_cut_voice_are_refused() {
        let empty = tempfile::tempdir().unwrap();
        let error = VoiceTable::open(empty.path()).unwrap_err();
        assert!(error.to_string().contains("no voice"), "{error}");
        let folder = folder(&[]);
        std::fs::write(folder.path().join("af_heart.bin"), [0_u8; 100]).unwrap();
        let mut table = VoiceTable::open(folder.path()).unwrap();
        let error = table.style("af_heart", 3).unwrap_err();
        assert!(error.to_string().contains("522240 bytes"), "{error}");
    }

    #[test]
    fn the_length_of_the_string_chooses_the_style() {
        let folder = tempfile::tempdir().unwrap();
        let bytes: Vec<u8> = (0..STYLE_ROWS * STYLE_WIDTH)
            .flat_map(|index| ((index / STYLE_WIDTH) as f32).to_le_bytes())
            .collect();
        std::fs::write(folder.path().join("ff_siwis.bin"), bytes).unwrap();
        let mut table = VoiceTable::open(folder.path()).unwrap();
        assert_eq!(table.style("ff_siwis", 7).unwrap(), [7.0; STYLE_WIDTH]);
        assert_eq!(table.style("ff_siwis", 510).unwrap()[0], 509.0);
    }

    #[test]
    fn an_unknown_voice_is_refused() {
        let folder = folder(&["af_heart.bin", "jf_alpha.bin"]);
        let table = VoiceTable::open(folder.path()).unwrap();
        for name in ["af_nobody", "jf_alpha", ""] {
            let error = table.dialect(name).unwrap_err();
            assert!(matches!(error, SynthesisError::UnknownVoice(_)), "{error}");
        }
    }
}
