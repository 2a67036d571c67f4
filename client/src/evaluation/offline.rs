//! The ceiling: the same models, given whole files and all the time there is.

use interpret_models::{
    LanguagePair,
    store::Store,
    translation::{TranslationRequest, Translator},
};

use super::{
    ears::{Ears, samples},
    report::Scored,
    score::{Subject, score_offline},
    segments::split,
};
use crate::{audio::source_ms, error::ClientError};

/// Recognises and translates whole recordings. Keeps the translator of the pair it was last asked for.
pub struct Offline {
    store: Store,
    ears: Ears,
    translator: Option<Box<dyn Translator>>,
}

impl std::fmt::Debug for Offline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Offline").finish_non_exhaustive()
    }
}

impl Offline {
    /// Loads the recogniser.
    ///
    /// # Errors
    ///
    /// Where it is not fetched, or cannot be loaded.
    pub fn open(store: Store) -> Result<Self, ClientError> {
        Ok(Self {
            ears: Ears::open(&store)?,
            store,
            translator: None,
        })
    }

    /// Recognises a recording as a whole, translates it sentence by sentence (greedily, as the daemon
    /// does), and scores both.
    ///
    /// # Errors
    ///
    /// Where the sound cannot be read, a model is missing, or fails.
    pub fn score(&mut self, subject: &Subject) -> Result<Scored, ClientError> {
        let recording = &subject.recording;
        let samples = samples(&recording.audio)?;
        let text = self.ears.listen(&samples, recording.language)?;
        let pair = LanguagePair::new(recording.language, subject.target);
        let translator = self.translator(pair)?;
        let mut translated = Vec::new();
        for source in split(&text, recording.language) {
            let request = TranslationRequest {
                source,
                ..TranslationRequest::default()
            };
            let translation = translator.translate(&request);
            let translation =
                translation.map_err(|error| ClientError::Engine(error.to_string()))?;
            translated.push(translation.text);
        }
        let length = source_ms(samples.len() as u64);
        Ok(score_offline(subject, length, &text, &translated.join(" ")))
    }

    fn translator(&mut self, pair: LanguagePair) -> Result<&mut Box<dyn Translator>, ClientError> {
        let loaded = match self.translator.take() {
            Some(loaded) if loaded.pair() == pair => loaded,
            _ => {
                let route = self.store.translation_route(pair)?;
                interpret_models::translation::load(&route, pair)
                    .map_err(|error| ClientError::Engine(error.to_string()))?
            }
        };
        Ok(self.translator.insert(loaded))
    }
}
