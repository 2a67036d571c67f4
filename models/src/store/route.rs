//! How a pair is translated: by its own model, or through English.

use std::collections::BTreeSet;

use super::{Installed, Store};
use crate::{
    Language, LanguagePair,
    catalogue::{Kind, Model},
    error::ModelError,
};

/// The language through which pairs without a model of their own go.
const BETWEEN: Language = Language::ENGLISH;

/// The installed models that translate a pair.
#[derive(Debug, Clone)]
pub enum TranslationRoute {
    /// One model does it.
    Direct(Installed),
    /// The first translates into English, the second from there.
    ThroughEnglish(Box<[Installed; 2]>),
}

impl TranslationRoute {
    /// The names of the models, for people.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Direct(model) => model.model().name.clone(),
            Self::ThroughEnglish(models) => {
                let [first, second] = &**models;
                format!("{} + {}", first.model().name, second.model().name)
            }
        }
    }
}

/// The two halves of a pair that goes through English.
pub(crate) fn halves(pair: LanguagePair) -> Option<[LanguagePair; 2]> {
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
        match halves(pair) {
            Some([first, second]) if !direct && self.knows(first) && self.knows(second) => {
                Ok(TranslationRoute::ThroughEnglish(Box::new([
                    self.translation(first)?,
                    self.translation(second)?,
                ])))
            }
            _ => self.translation(pair).map(TranslationRoute::Direct),
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
