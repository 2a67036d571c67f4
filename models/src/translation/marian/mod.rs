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
mod spans;
mod student;
mod tokens;
mod weights;

use std::{fmt, path::Path};

pub use self::options::{MarianOptions, Precision};
use self::{
    config::MarianConfig,
    hold_back::{Watch, Words},
    network::Network,
    repetition::RepetitionGuard,
    scores::DecoderScores,
    search::{Hypothesis, Limits},
    student::{StudentNetwork, StudentScores},
    tokens::Tokens,
};
pub(crate) use self::{
    network::quantized,
    weights::{BYTE_FILE, COMPUTED, SCALES},
};
use super::{TranslatedToken, Translation, TranslationError, TranslationRequest, Translator};
use crate::LanguagePair;

/// A translation is ended at this many target tokens per source token ...
const MOST_TARGET_PER_SOURCE: usize = 3;
/// ... plus these: a source of one token may need several.
const SPARE_TARGET: usize = 16;

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
    OpusMt {
        network: Box<Network>,
        /// The token each target begins with.
        start: u32,
    },
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

    /// Like [`load`](Self::load), with other than the default options. A student has its own precision.
    ///
    /// # Errors
    /// Like [`load`](Self::load)'s; also when the options do not fit the model.
    pub fn load_with(
        dir: &Path,
        pair: LanguagePair,
        options: &MarianOptions,
    ) -> Result<Self, TranslationError> {
        if dir.join(student::WEIGHTS).exists() {
            Self::load_student(dir, pair)
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
        let in_target = |token: usize| {
            token == config.eos_token_id as usize || targets.get(token).copied().unwrap_or(false)
        };
        Ok(Self {
            pair,
            words: Words::new(tokens.pieces()),
            special: Special {
                end: config.eos_token_id,
                never: vec![config.pad_token_id, tokens.unknown()],
            },
            positions: config.positions(),
            family: Family::OpusMt {
                network: Box::new(weights::read(dir, &config, options, &in_target)?),
                start: config.decoder_start_token_id,
            },
            tokens,
        })
    }

    fn load_student(dir: &Path, pair: LanguagePair) -> Result<Self, TranslationError> {
        let network = StudentNetwork::read(dir)?;
        let tokens = Tokens::read_shared(dir, network.vocabulary())?;
        let mut never = vec![tokens.unknown()];
        never.extend(tokens.bytes());
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

    /// `pieces` are those of `source`, which has the end of sentence besides.
    fn search(
        &self,
        pieces: &[String],
        source: &[u32],
        request: &TranslationRequest,
    ) -> Result<Hypothesis, TranslationError> {
        let most = (source.len() * MOST_TARGET_PER_SOURCE)
            .max(request.committed_prefix.len())
            .saturating_add(SPARE_TARGET)
            .min(self.positions);
        let whole_words = request.whole_words || request.hold_back.is_some();
        let limits = Limits {
            end: self.special.end,
            most,
            guard: RepetitionGuard::new(source),
            watch: request
                .hold_back
                .map(|hold_back| Watch::new(pieces, hold_back.words)),
            words: whole_words.then_some(&self.words),
        };
        let (prefix, how) = (&request.committed_prefix, request.search);
        let never = &self.special.never;
        let found = match &self.family {
            Family::OpusMt { network, start } => network.encode(source).and_then(|encoded| {
                let mut scores = DecoderScores::new(network, encoded, *start, never);
                search::search(&mut scores, prefix, how, &limits)
            }),
            Family::Student(network) => network.encode(source).and_then(|encoded| {
                let mut scores = StudentScores::new(network, encoded, never);
                search::search(&mut scores, prefix, how, &limits)
            }),
        };
        found.map_err(run)
    }

    /// A source without any letter or digit says the same in every language; models trained on
    /// sentences make words up for it.
    fn copy_symbols(&self, source: &str) -> Result<Translation, TranslationError> {
        let tokens = self.tokens.encode_target(source)?;
        if tokens.iter().any(|id| self.special.never.contains(id)) {
            // A sign that no piece has.
            let piece = format!("▁{}", source.trim());
            return Ok(Translation {
                text: source.trim().to_owned(),
                tokens: vec![TranslatedToken {
                    piece,
                    ..self.translated(self.tokens.unknown(), 0.0, None)
                }],
                ..Translation::default()
            });
        }
        Ok(Translation {
            text: self.tokens.decode_target(&tokens)?,
            tokens: tokens
                .into_iter()
                .map(|id| self.translated(id, 0.0, None))
                .collect(),
            ..Translation::default()
        })
    }

    fn translated(
        &self,
        id: u32,
        log_probability: f32,
        attention: Option<&[f32]>,
    ) -> TranslatedToken {
        TranslatedToken {
            id,
            piece: self.tokens.piece(id),
            log_probability,
            attention: attention.map(<[f32]>::to_vec),
        }
    }

    fn told(&self, found: &Hypothesis) -> Result<Translation, TranslationError> {
        let scores = std::iter::zip(&found.log_probabilities, &found.attention);
        Ok(Translation {
            text: self.tokens.decode_target(&found.tokens)?,
            tokens: std::iter::zip(&found.tokens, scores)
                .map(|(&id, (&score, attention))| self.translated(id, score, Some(attention)))
                .collect(),
            ..Translation::default()
        })
    }

    fn check_prefix(&self, prefix: &[u32]) -> Result<(), TranslationError> {
        let limit = self.positions;
        if prefix.len() + 2 > limit {
            return Err(TranslationError::TooLong {
                tokens: prefix.len() + 2,
                limit,
            });
        }
        let text = |id: u32| {
            let special = id == self.special.end || self.special.never.contains(&id);
            (id as usize) < self.tokens.pieces().len() && (!special || id == self.tokens.unknown())
        };
        match prefix.iter().find(|&&id| !text(id)) {
            Some(id) => Err(TranslationError::Run(format!(
                "the committed prefix holds token {id}, which is no text of this model"
            ))),
            None => Ok(()),
        }
    }
}

impl Translator for MarianTranslator {
    fn pair(&self) -> LanguagePair {
        self.pair
    }

    fn translate(&mut self, request: &TranslationRequest) -> Result<Translation, TranslationError> {
        self.check_prefix(&request.committed_prefix)?;
        let pieces = self.tokens.source_pieces(&request.source)?;
        let mut source = self.tokens.numbers(&pieces);
        source.push(self.special.end);
        let limit = self.positions;
        if source.len() > limit {
            return Err(TranslationError::TooLong {
                tokens: source.len(),
                limit,
            });
        }
        let wordless = !request.source.chars().any(char::is_alphanumeric);
        let found = match (wordless, request.hold_back) {
            // Nothing to say yet.
            (true, Some(_)) => self.told(&Hypothesis::default())?,
            (true, None) if request.committed_prefix.is_empty() => {
                self.copy_symbols(&request.source)?
            }
            _ => company::in_company(|| self.told(&self.search(&pieces, &source, request)?))?,
        };
        Ok(Translation {
            source_tokens: source.len(),
            source_spans: spans::spans(&request.source, &pieces, |word| {
                self.tokens.source_words(word)
            }),
            ..found
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

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn run(error: candle_core::Error) -> TranslationError {
    TranslationError::Run(error.to_string())
}
