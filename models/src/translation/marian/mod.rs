//! Marian models in f32 on the processor: the OPUS-MT family, on candle-transformers' network.
//!
//! A model folder holds `model.safetensors` (tensors named as in Hugging Face Transformers),
//! `config.json`, `source.spm`, `target.spm` and `vocab.json`.
//!
//! Matrix products run on rayon's threads: those of the pool the caller is in
//! (`rayon::ThreadPool::install`), else the global one. `RAYON_NUM_THREADS` sets their number;
//! without it candle takes the physical cores.

mod config;
mod repetition;
mod scores;
mod search;
mod tokens;
mod weights;

use std::{fmt, path::Path};

use candle_core::{Device, Tensor};

use self::{
    config::MarianConfig,
    repetition::RepetitionGuard,
    scores::DecoderScores,
    search::{Hypothesis, Limits},
    tokens::Tokens,
    weights::Weights,
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
    config: MarianConfig,
    tokens: Tokens,
    weights: Weights,
    device: Device,
}

impl MarianTranslator {
    /// Loads the model in folder `dir`. Nothing in an OPUS-MT folder tells its direction reliably,
    /// so the caller says which `pair` it translates.
    ///
    /// # Errors
    /// [`TranslationError::Load`] when a file is missing, damaged, or not of this family.
    pub fn load(dir: &Path, pair: LanguagePair) -> Result<Self, TranslationError> {
        let device = Device::Cpu;
        let config = MarianConfig::read(dir)?;
        let tokens = Tokens::read(dir, config.vocabulary())?;
        let weights = Weights::read(dir, &config, &device)?;
        Ok(Self {
            pair,
            config,
            tokens,
            weights,
            device,
        })
    }

    /// The encoder's output: [1, source tokens, width].
    fn encode(&mut self, source: &[u32]) -> candle_core::Result<Tensor> {
        let input = Tensor::new(source, &self.device)?.unsqueeze(0)?;
        self.weights.encoder().forward(&input, 0)
    }

    fn search(
        &mut self,
        source: &[u32],
        request: &TranslationRequest,
    ) -> Result<Hypothesis, TranslationError> {
        let memory = self.encode(source).map_err(run)?;
        let most = (source.len() * MOST_TARGET_PER_SOURCE)
            .max(request.committed_prefix.len())
            .saturating_add(SPARE_TARGET)
            .min(self.config.positions());
        let limits = Limits {
            end: self.config.eos_token_id,
            most,
            guard: RepetitionGuard::new(source),
        };
        let mut scores = DecoderScores::new(
            &mut self.weights,
            memory,
            self.config.decoder_start_token_id,
            [self.config.pad_token_id, self.tokens.unknown()],
        );
        search::search(
            &mut scores,
            &request.committed_prefix,
            request.search,
            &limits,
        )
        .map_err(run)
    }

    /// A source without any letter or digit says the same in every language; models trained on
    /// sentences make words up for it.
    fn copy_symbols(&self, source: &str) -> Result<Hypothesis, TranslationError> {
        let tokens = self.tokens.encode_target(source)?;
        let log_probabilities = vec![0.0; tokens.len()];
        Ok(Hypothesis {
            tokens,
            log_probabilities,
        })
    }

    fn check_prefix(&self, prefix: &[u32]) -> Result<(), TranslationError> {
        let limit = self.config.positions();
        if prefix.len() + 2 > limit {
            return Err(TranslationError::TooLong {
                tokens: prefix.len() + 2,
                limit,
            });
        }
        let special = [self.config.eos_token_id, self.config.pad_token_id];
        match prefix
            .iter()
            .find(|&&id| id as usize >= self.config.vocabulary() || special.contains(&id))
        {
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
        let mut source = self.tokens.encode_source(&request.source)?;
        source.push(self.config.eos_token_id);
        let limit = self.config.positions();
        if source.len() > limit {
            return Err(TranslationError::TooLong {
                tokens: source.len(),
                limit,
            });
        }
        let wordless = !request.source.chars().any(char::is_alphanumeric);
        let found = if wordless && request.committed_prefix.is_empty() {
            self.copy_symbols(&request.source)?
        } else {
            self.search(&source, request)?
        };
        Ok(Translation {
            text: self.tokens.decode_target(&found.tokens)?,
            tokens: std::iter::zip(found.tokens, found.log_probabilities)
                .map(|(id, log_probability)| TranslatedToken {
                    id,
                    log_probability,
                    attention: None,
                })
                .collect(),
            source_tokens: source.len(),
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
