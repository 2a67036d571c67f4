//! Translation of all pairs on one thread, each model loaded when it is first needed.

mod batches;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use interpret_models::{
    LanguagePair,
    store::Store,
    translation::{self, MarianTranslator, TranslationError, TranslationRequest},
};
use tokio::sync::Mutex;

use self::batches::{Batches, Halves};
use super::{
    EngineError, LoadError, LoadMeter, Timing,
    turns::{Rank, Turns},
};

/// Translates any pair whose model is there. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Translation {
    engine: Batches,
    store: Arc<Store>,
    /// Held while models are being loaded, so that none is loaded twice.
    loading: Arc<Mutex<()>>,
    /// Pairs whose models are loaded.
    loaded: Arc<RwLock<BTreeMap<LanguagePair, Halves>>>,
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
    pub(super) fn spawn(
        store: Arc<Store>,
        turns: Option<Turns>,
        load: LoadMeter,
    ) -> std::io::Result<Self> {
        let turns = turns.map(|turns| (turns, Rank::Translation));
        Ok(Self {
            engine: Batches::spawn("translation", turns, load)?,
            store,
            loading: Arc::default(),
            loaded: Arc::default(),
        })
    }

    /// Loads the model of `pair`, unless it is loaded.
    ///
    /// # Errors
    /// When there is no model for the pair, or its files cannot be used.
    pub async fn load(&self, pair: LanguagePair) -> Result<(), LoadError> {
        let _loading = self.loading.lock().await;
        if self.halves(pair).is_some() {
            return Ok(());
        }
        let store = Arc::clone(&self.store);
        let there: Vec<LanguagePair> = {
            let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
            loaded.values().flatten().copied().collect()
        };
        // Not on the engine's thread: other sessions' sentences are not to wait for it.
        let load = move || -> Result<_, LoadError> {
            let route = store.translation_route(pair)?;
            let new = route.models().filter(|(pair, _)| !there.contains(pair));
            let models =
                new.map(|(pair, model)| Ok((pair, MarianTranslator::load(model.folder(), pair)?)));
            let models = models.collect::<Result<Vec<_>, TranslationError>>()?;
            let halves: Halves = route.models().map(|(pair, _)| pair).collect();
            Ok((models, halves, route.name()))
        };
        let (models, halves, name) = tokio::task::spawn_blocking(load)
            .await
            .map_err(|_| LoadError::Panicked(format!("the model for {pair}")))??;
        tracing::info!(%pair, name, "translation model loaded");
        self.engine.add(models).await?;
        let mut loaded = self.loaded.write().unwrap_or_else(PoisonError::into_inner);
        loaded.insert(pair, halves);
        Ok(())
    }

    /// The pairs whose models translate `pair`, once they are loaded.
    fn halves(&self, pair: LanguagePair) -> Option<Halves> {
        let loaded = self.loaded.read().unwrap_or_else(PoisonError::into_inner);
        loaded.get(&pair).cloned()
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

    /// Translates one sentence; together with those of other sessions that wait at the same time.
    ///
    /// # Errors
    /// When the pair was not [loaded](Self::load) or the engine failed.
    pub async fn translate(
        &self,
        pair: LanguagePair,
        request: TranslationRequest,
    ) -> Result<(translation::Translation, Timing), TranslationFailed> {
        let halves = self.halves(pair);
        let halves = halves.ok_or(TranslationFailed::NotLoaded(pair))?;
        let (translation, timing) = self.engine.translate(halves, request).await?;
        Ok((translation?, timing))
    }
}
