//! Marian models on the processor: the OPUS-MT family, and the [students](student) that Firefox ships.
//!
//! The folder of an OPUS-MT model holds `model.safetensors` (tensors named as in Hugging Face
//! Transformers), perhaps the same with 8-bit matrices in `model.q8.safetensors`, `config.json`, `source.spm`, `target.spm` and `vocab.json`; that of a student
//! `model.bin`, `lex.bin` and `vocab.spm`.
//!
//! Matrix products run on rayon's threads: those of the pool the caller is in
//! (`rayon::ThreadPool::install`), else the global one. `RAYON_NUM_THREADS` sets their number; 8-bit
//! products use two of them.

mod company;
mod config;
mod hold_back;
mod network;
mod options;
mod pieces;
mod repetition;
mod scores;
mod search;
mod sentence;
mod spans;
mod student;
mod terms;
mod tokens;
mod translate;
mod unigram;
mod weights;

use std::{fmt, path::Path};

pub use self::options::{MarianOptions, Precision};
use self::{
    config::MarianConfig, hold_back::Words, network::Network, student::StudentNetwork,
    tokens::Tokens,
};
pub(crate) use self::{
    network::quantized,
    weights::{BYTE_FILE, COMPUTED, SCALES},
};
use super::TranslationError;
use crate::LanguagePair;

/// A Marian translation model of one direction.
pub struct MarianTranslator {
    pair: LanguagePair,
    tokens: Tokens,
    words: Words,
    special: Special,
    /// Most tokens of a source or a target, the end of sentence included.
    positions: usize,
    family: Family,
}

/// Tokens that are no text.
struct Special {
    /// Ends a sentence.
    end: u32,
    /// No translation may hold these: padding, and the unknown piece (as in Marian itself).
    never: Vec<u32>,
}

enum Family {
    OpusMt(Box<Network>),
    Student(Box<StudentNetwork>),
}

impl MarianTranslator {
    /// Loads the model in folder `dir`, of either family. Nothing in it tells its direction reliably,
    /// so the caller says which `pair` it translates.
    ///
    /// # Errors
    /// [`TranslationError::Load`] when a file is missing, damaged, or not of this family.
    pub fn load(dir: &Path, pair: LanguagePair) -> Result<Self, TranslationError> {
        Self::load_with(dir, pair, &MarianOptions::default())
    }

    /// Like [`load`](Self::load), with other than the default options. A student has its own precision and
    /// its own layer that tells the alignment.
    ///
    /// # Errors
    /// Like [`load`](Self::load)'s; also when the options do not fit the model.
    pub fn load_with(
        dir: &Path,
        pair: LanguagePair,
        options: &MarianOptions,
    ) -> Result<Self, TranslationError> {
        if dir.join(student::WEIGHTS).exists() {
            Self::load_student(dir, pair, options)
        } else {
            Self::load_opus_mt(dir, pair, options)
        }
    }

    fn load_opus_mt(
        dir: &Path,
        pair: LanguagePair,
        options: &MarianOptions,
    ) -> Result<Self, TranslationError> {
        let config = MarianConfig::read(dir)?;
        let tokens = Tokens::read(dir, config.vocabulary())?;
        let targets = tokens.of_targets();
        let never = vec![config.pad_token_id, tokens.unknown()];
        let in_target = |token: usize| {
            let text = targets.get(token).copied().unwrap_or(false);
            let never = never.iter().any(|never| *never as usize == token);
            token == config.eos_token_id as usize || (text && !never)
        };
        Ok(Self {
            pair,
            words: Words::new(tokens.pieces()),
            positions: config.positions(),
            family: Family::OpusMt(Box::new(weights::read(dir, &config, options, &in_target)?)),
            special: Special {
                end: config.eos_token_id,
                never,
            },
            tokens,
        })
    }

    fn load_student(
        dir: &Path,
        pair: LanguagePair,
        options: &MarianOptions,
    ) -> Result<Self, TranslationError> {
        let mut network = StudentNetwork::read(dir)?;
        let tokens = Tokens::read_shared(dir, network.vocabulary())?;
        let mut never = vec![tokens.unknown()];
        never.extend(tokens.bytes());
        network.forbid(never.clone());
        if options.whole_vocabulary {
            network.do_without_shortlist();
        }
        Ok(Self {
            pair,
            words: Words::new(tokens.pieces()),
            special: Special {
                end: student::END,
                never,
            },
            positions: student::POSITIONS,
            family: Family::Student(Box::new(network)),
            tokens,
        })
    }
}

impl fmt::Debug for MarianTranslator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MarianTranslator")
            .field("pair", &self.pair)
            .finish_non_exhaustive()
    }
}
