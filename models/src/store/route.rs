//! How a pair is translated: by its own model, or through English.

use std::{collections::BTreeSet, path::Path};

use super::{Installed, Store};
use crate::{
    Language, LanguagePair,
    catalogue::{Kind, Model},
    error::ModelError,
};

/// The language through which pairs without a model of their own go.
const BETWEEN: Language = Language::ENGLISH;

/// The installed models that translate a pair: one, or one into English and one from there.
#[derive(Debug, Clone)]
pub struct TranslationRoute {
    models: Vec<Installed>,
}

impl TranslationRoute {
    /// The names of the models, for people.
    #[must_use]
    pub fn name(&self) -> String {
        let names = self.models.iter().map(|model| &*model.model().name);
        names.collect::<Vec<_>>().join(" + ")
    }

    /// The models in the order in which they work, each with what it translates.
    pub fn models(&self) -> impl Iterator<Item = (LanguagePair, &Installed)> {
        let with_pair = |model| Installed::model(model).pair.map(|pair| (pair, model));
        self.models.iter().filter_map(with_pair)
    }

    /// The folder of the model that does it alone.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.models[..] {
            [only] => Some(only.folder()),
            _ => None,
        }
    }
}

/// The two halves of a pair that goes through English.
fn halves(pair: LanguagePair) -> Option<[LanguagePair; 2]> {
    let between = pair.source != BETWEEN && pair.target != BETWEEN && pair.source != pair.target;
    between.then(|| {
        [
            LanguagePair::new(pair.source, BETWEEN),
            LanguagePair::new(BETWEEN, pair.target),
        ]
    })
}

impl Store {
    /// The way to translate `pair`: its own model where it is installed, else two through English.
    ///
    /// # Errors
    /// As for [`Store::model`]; the message names what to fetch.
    pub fn translation_route(&self, pair: LanguagePair) -> Result<TranslationRoute, ModelError> {
        let direct = self.installed_pairs().contains(&pair);
        let through = halves(pair).filter(|halves| halves.iter().all(|half| self.knows(*half)));
        let pairs = match through {
            Some(halves) if !direct => halves.to_vec(),
            _ => vec![pair],
        };
        let (models, missing): (Vec<_>, Vec<_>) = pairs
            .into_iter()
            .map(|pair| self.translation(pair))
            .partition(Result::is_ok);
        let mut missing: Vec<ModelError> = missing.into_iter().filter_map(Result::err).collect();
        match missing.len() {
            0 => Ok(TranslationRoute {
                models: models.into_iter().flatten().collect(),
            }),
            1 => Err(missing.remove(0)),
            _ => Err(ModelError::Several(missing)),
        }
    }

    /// The pairs that can be translated with what is installed, those through English included.
    #[must_use]
    pub fn translatable_pairs(&self) -> Vec<LanguagePair> {
        let direct: BTreeSet<LanguagePair> = self.installed_pairs().into_iter().collect();
        let sources = direct.iter().filter(|pair| pair.target == BETWEEN);
        let through = sources.flat_map(|first| {
            let targets = direct.iter().filter(|pair| pair.source == BETWEEN);
            targets.map(|second| LanguagePair::new(first.source, second.target))
        });
        let through = through.filter(|pair| halves(*pair).is_some());
        through
            .chain(direct.iter().copied())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect()
    }

    /// Whether the catalogue has a model of its own for `pair`.
    fn knows(&self, pair: LanguagePair) -> bool {
        let fits = |model: &Model| model.kind == Kind::Translation && model.pair == Some(pair);
        self.catalogue.models().any(fits)
    }
}
