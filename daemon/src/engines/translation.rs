//! Translation of all pairs on one thread, each model loaded when it is first needed.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use interpret_models::{
    LanguagePair,
    store::Store,
    translation::{self, TranslationError, TranslationRequest, Translator},
};
use tokio::sync::Mutex;

use super::{
    EngineError, EngineThread, LoadError, Timing,
    turns::{Rank, Turns},
};

type Translators = BTreeMap<LanguagePair, Box<dyn Translator>>;

/// Translates any pair whose model is there. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Translation {
    engine: EngineThread<Translators>,
    store: Arc<Store>,
    /// Pairs that are loaded. Held while one is being loaded, so that none is loaded twice.
    loaded: Arc<Mutex<BTreeSet<LanguagePair>>>,
}

/// A sentence was not translated.
#[derive(Debug, thiserror::Error)]
pub enum TranslationFailed {
    /// The pair was never [loaded](Translation::load).
    #[error("the model for {0} is not loaded")]
    NotLoaded(LanguagePair),
    /// The engine gave no answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The model failed.
    #[error(transparent)]
    Model(#[from] TranslationError),
}

impl Translation {
    pub(super) fn spawn(store: Arc<Store>, turns: Option<Turns>) -> std::io::Result<Self> {
        let turns = turns.map(|turns| (turns, Rank::Translation));
        let engine = EngineThread::spawn_in_turn("translation", Translators::new(), turns)?;
        Ok(Self {
            engine,
            store,
            loaded: Arc::default(),
        })
    }

    /// Loads the model of `pair`, unless it is loaded.
    ///
    /// # Errors
    /// When there is no model for the pair, or its files cannot be used.
    pub async fn load(&self, pair: LanguagePair) -> Result<(), LoadError> {
        let mut loaded = self.loaded.lock().await;
        if loaded.contains(&pair) {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        // Not on the engine's thread: other sessions' sentences are not to wait for it.
        let load = move || -> Result<_, LoadError> {
            let route = store.translation_route(pair)?;
            Ok((translation::load(&route, pair)?, route.name()))
        };
        let (model, name) = tokio::task::spawn_blocking(load)
            .await
            .map_err(|_| LoadError::Panicked(format!("the model for {pair}")))??;
        tracing::info!(%pair, name, "translation model loaded");
        self.engine
            .call(move |engine| engine.insert(pair, model))
            .await?;
        loaded.insert(pair);
        Ok(())
    }

    /// Pairs that can be translated with the models that are fetched.
    pub fn pairs(&self) -> impl Iterator<Item = LanguagePair> {
        self.store.translatable_pairs().into_iter()
    }

    /// The name of the model of `pair`, or of the two through English, where they are fetched.
    #[must_use]
    pub fn model_name(&self, pair: LanguagePair) -> Option<String> {
        Some(self.store.translation_route(pair).ok()?.name())
    }

    /// Translates one sentence.
    ///
    /// # Errors
    /// When the pair was not [loaded](Self::load) or the engine failed.
    pub async fn translate(
        &self,
        pair: LanguagePair,
        request: TranslationRequest,
    ) -> Result<(translation::Translation, Timing), TranslationFailed> {
        let (answer, timing) = self
            .engine
            .call(move |engine| engine.get_mut(&pair).map(|model| model.translate(&request)))
            .await?;
        match answer {
            Some(translation) => Ok((translation?, timing)),
            None => Err(TranslationFailed::NotLoaded(pair)),
        }
    }
}
