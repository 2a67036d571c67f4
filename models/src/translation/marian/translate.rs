//! Translates sentences: from text to tokens, through the search, to text.

use super::{
    Family, MarianTranslator, company,
    search::{self, Course, Decoder, Found, Hypothesis},
    sentence::Sentence,
};
use crate::{
    LanguagePair,
    translation::{
        ScoredTranslation, TranslatedToken, Translation, TranslationError, TranslationRequest,
        Translator,
    },
};

/// Takes the translation of a request, by its index.
type Tell<'a> = &'a mut (dyn FnMut(usize, Result<Translation, TranslationError>) + Send);

impl Translator for MarianTranslator {
    fn pair(&self) -> LanguagePair {
        self.pair
    }

    fn translate(&mut self, request: &TranslationRequest) -> Result<Translation, TranslationError> {
        let mut told = Ok(Translation::default());
        self.translate_all(std::slice::from_ref(request), &mut |_, translation| {
            told = translation;
        });
        told
    }

    fn translate_all(&mut self, requests: &[TranslationRequest], tell: Tell<'_>) {
        let mut sentences = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            match self.prepare(request) {
                Ok(Prepared::Sentence(sentence)) => sentences.push((index, sentence)),
                Ok(Prepared::Done(translation)) => tell(index, Ok(translation)),
                Err(error) => tell(index, Err(error)),
            }
        }
        if sentences.is_empty() {
            return;
        }
        company::in_company(|| match &self.family {
            Family::OpusMt(network) => self.search(&**network, requests, &sentences, tell),
            Family::Student(network) => self.search(&**network, requests, &sentences, tell),
        });
    }
}

/// A request, looked at.
enum Prepared {
    /// To be translated by the model.
    Sentence(Sentence),
    /// The model is not needed for it.
    Done(Translation),
}

impl MarianTranslator {
    fn prepare(&self, request: &TranslationRequest) -> Result<Prepared, TranslationError> {
        self.check_prefix(&request.committed_prefix)?;
        let sentence = Sentence::new(self, request)?;
        let wordless = !request.source.chars().any(char::is_alphanumeric);
        let done = match (wordless, request.hold_back) {
            // Nothing to say yet.
            (true, Some(_)) => Translation::default(),
            (true, None) if request.committed_prefix.is_empty() => {
                self.copy_symbols(&request.source)?
            }
            _ => return Ok(Prepared::Sentence(sentence)),
        };
        Ok(Prepared::Done(Translation {
            source_tokens: sentence.tokens.len(),
            source_spans: sentence.source_spans(),
            ..done
        }))
    }

    /// Translates `sentences`, each of which has the index of its request.
    fn search<D>(
        &self,
        decoder: &D,
        requests: &[TranslationRequest],
        sentences: &[(usize, Sentence)],
        tell: Tell<'_>,
    ) where
        D: Decoder<Error = candle_core::Error>,
    {
        let mut told = vec![false; sentences.len()];
        let searched = self
            .courses(decoder, requests, sentences)
            .and_then(|courses| {
                let found = |which: usize, found: Found| {
                    let (index, sentence) = &sentences[which];
                    told[which] = true;
                    tell(*index, self.told(sentence, &found, requests[*index].n_best));
                };
                search::run(decoder, courses, found).map_err(|error| run(&error))
            });
        // A model that fails, fails for all who wait for it.
        if let Err(error) = searched {
            let left = sentences.iter().zip(told).filter(|(_, told)| !told);
            for ((index, _), _) in left {
                tell(*index, Err(TranslationError::Run(error.to_string())));
            }
        }
    }

    fn courses<D>(
        &self,
        decoder: &D,
        requests: &[TranslationRequest],
        sentences: &[(usize, Sentence)],
    ) -> Result<Vec<Course<'_, D::State>>, TranslationError>
    where
        D: Decoder<Error = candle_core::Error>,
    {
        let tokens: Vec<&[u32]> = sentences.iter().map(|(_, s)| s.tokens.as_slice()).collect();
        let states = decoder.encode(&tokens).map_err(|error| run(&error))?;
        let courses = sentences
            .iter()
            .zip(states)
            .map(|((index, sentence), state)| {
                let request = &requests[*index];
                let limits = sentence.limits(self, request)?;
                let prefix = request.committed_prefix.clone();
                Ok(Course::new(state, prefix, request.search, limits))
            });
        courses.collect()
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

    /// The translation of a sentence, and so many of those that were weighed up.
    fn told(
        &self,
        sentence: &Sentence,
        found: &Found,
        n_best: usize,
    ) -> Result<Translation, TranslationError> {
        let ranked = found.ranked.iter().take(n_best).map(|ranked| {
            let (text, tokens) = self.said(&ranked.hypothesis)?;
            Ok(ScoredTranslation {
                text,
                tokens,
                score: ranked.score,
            })
        });
        let (text, tokens) = self.said(&found.best)?;
        Ok(Translation {
            text,
            tokens,
            source_tokens: sentence.tokens.len(),
            source_spans: sentence.source_spans(),
            terms: sentence.outcomes(&found.best.said),
            n_best: ranked.collect::<Result<_, TranslationError>>()?,
        })
    }

    /// The text of a target, and its tokens.
    fn said(
        &self,
        target: &Hypothesis,
    ) -> Result<(String, Vec<TranslatedToken>), TranslationError> {
        let scores = std::iter::zip(&target.log_probabilities, &target.attention);
        let tokens = std::iter::zip(&target.tokens, scores)
            .map(|(&id, (&score, attention))| self.translated(id, score, Some(attention)));
        Ok((self.tokens.decode_target(&target.tokens)?, tokens.collect()))
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

fn run(error: &candle_core::Error) -> TranslationError {
    TranslationError::Run(error.to_string())
}
