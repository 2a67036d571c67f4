//! Kokoro-82M on ONNX Runtime: 54 voices in nine languages, of which seven dialects speak here.
//!
//! English is phonemised in the process, the other languages by the program espeak-ng (see
//! [`phonemes`](super::phonemes)). The Japanese and Chinese voices need phonemisers that this
//! project does not have: they are left out of [`Synthesizer::voices`].

#[cfg(target_arch = "x86_64")]
mod convolution;
mod edges;
mod graph;
mod session;
mod tokens;
mod voices;

use std::path::{Path, PathBuf};

use self::{
    edges::SAMPLE_RATE,
    session::{Network, Utterance},
    tokens::TokenTable,
    voices::VoiceTable,
};
use super::{
    Speech, SynthesisError, SynthesisRequest, Synthesizer, Voice, normalize::normalize,
    phonemes::Phonemizer,
};

/// Speeds the model still speaks clearly at; others are brought to the nearest.
const SPEEDS: (f32, f32) = (0.5, 2.0);

/// Files of a Kokoro model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KokoroFiles {
    /// The network: `model.onnx`.
    pub model: PathBuf,
    /// Folder of the voices, `NAME.bin` each.
    pub voices_dir: PathBuf,
    /// Table of phoneme symbols: `vocab.json`.
    pub vocab: PathBuf,
}

impl KokoroFiles {
    /// The files of a folder that holds `model.onnx`, `voices/` and `vocab.json`.
    #[must_use]
    pub fn in_folder(folder: &Path) -> Self {
        Self {
            model: folder.join("model.onnx"),
            voices_dir: folder.join("voices"),
            vocab: folder.join("vocab.json"),
        }
    }
}

/// For the fuzzer: the network in an ONNX file, changed as when it is loaded.
#[cfg(feature = "fuzzing")]
pub(crate) fn changed(model: Vec<u8>) -> Result<Vec<u8>, String> {
    graph::change(model, true).map(|changed| changed.model)
}

/// A loaded Kokoro model with its phonemisers.
#[derive(Debug)]
pub struct KokoroSynthesizer {
    network: Network,
    voices: VoiceTable,
    tokens: TokenTable,
    phonemizer: Phonemizer,
}

impl KokoroSynthesizer {
    /// Loads the model to run on `threads` threads. `espeak` is the program espeak-ng (a path, or a
    /// name to look up in `PATH`); it is started when a language first needs it.
    ///
    /// [`onnx::init`](crate::onnx::init) must have been called.
    ///
    /// # Errors
    /// When a file is missing or is not what it should be.
    pub fn load(
        files: &KokoroFiles,
        threads: usize,
        espeak: &Path,
    ) -> Result<Self, SynthesisError> {
        Ok(Self {
            tokens: TokenTable::load(&files.vocab)?,
            voices: VoiceTable::open(&files.voices_dir)?,
            network: Network::load(&files.model, threads)?,
            phonemizer: Phonemizer::new(espeak),
        })
    }

    /// Readies `voice`, so that its first clause does not wait for dictionaries, a process start
    /// and cold memory.
    ///
    /// # Errors
    /// As [`Synthesizer::synthesize`].
    pub fn warm_up(&mut self, voice: &str) -> Result<(), SynthesisError> {
        self.synthesize(&SynthesisRequest {
            text: "a".to_owned(),
            voice: voice.to_owned(),
            speed: 1.0,
            goes_on: false,
        })
        .map(drop)
    }
}

impl Synthesizer for KokoroSynthesizer {
    fn voices(&self) -> &[Voice] {
        self.voices.voices()
    }

    fn sample_rate(&self) -> u32 {
        SAMPLE_RATE
    }

    fn synthesize(&mut self, request: &SynthesisRequest) -> Result<Speech, SynthesisError> {
        let dialect = self.voices.dialect(&request.voice)?;
        let speed = if request.speed.is_finite() {
            request.speed.clamp(SPEEDS.0, SPEEDS.1)
        } else {
            1.0
        };
        let text = normalize(&request.text, dialect);
        let phonemes = self.phonemizer.phonemes(&text, dialect)?;
        let phonemes = self.tokens.known(&phonemes);
        let mut speech = Vec::new();
        for part in tokens::split(&phonemes, tokens::MOST_TOKENS) {
            if !tokens::is_pronounceable(&part) {
                continue;
            }
            let ids = self.tokens.encode(&part);
            let style = self.voices.style(&request.voice, ids.len() - 2)?;
            let samples = self.network.run(Utterance {
                tokens: &ids,
                tokens_after: 1 + tokens::silent_at_end(&part),
                style,
                speed,
            })?;
            edges::append(&mut speech, edges::trim(samples, request.goes_on));
        }
        Ok(Speech { samples: speech })
    }
}
