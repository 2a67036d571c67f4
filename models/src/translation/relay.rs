//! Sentences for several languages at once: what leads to more than one of them is translated once.

use std::collections::HashMap;

use super::{
    Translation, TranslationError, TranslationRequest, Translator,
    pivot::{first_half, joined, second_half},
};
use crate::LanguagePair;

/// A sentence, and the pairs whose models translate it: one, or two through the language between them.
#[derive(Debug, Clone)]
pub struct Errand {
    /// The pairs, in order.
    pub route: Vec<LanguagePair>,
    /// The sentence in the first pair's source language, for the last one's target language.
    pub request: TranslationRequest,
}

/// What a model is asked, and for which errands.
struct Asked {
    pair: LanguagePair,
    request: TranslationRequest,
    errands: Vec<usize>,
}

/// Translates all of `errands` with the models of their pairs: those of one model side by side, and what is asked of
/// it twice once. Each translation is the same as alone, and is told, with the index of its errand, as soon as it is
/// there.
pub fn translate_all<T: Translator>(
    models: &mut HashMap<LanguagePair, T>,
    errands: &[Errand],
    tell: &mut (dyn FnMut(usize, Result<Translation, TranslationError>) + Send),
) {
    let mut first: Vec<Asked> = Vec::new();
    for (index, errand) in errands.iter().enumerate() {
        let (pair, request) = match errand.route[..] {
            [pair] => (pair, errand.request.clone()),
            [pair, second] if pair.target == second.source => (pair, first_half(&errand.request)),
            _ => {
                let reason = format!("{:?} leads nowhere", errand.route);
                tell(index, Err(TranslationError::Run(reason)));
                continue;
            }
        };
        let known = first
            .iter_mut()
            .find(|asked| asked.pair == pair && asked.request == request);
        match known {
            Some(asked) => asked.errands.push(index),
            None => first.push(Asked {
                pair,
                request,
                errands: vec![index],
            }),
        }
    }
    // Translations between, and their errands.
    let mut between: Vec<(usize, Translation)> = Vec::new();
    ask(models, &first, &mut |asked, outcome| {
        for &index in &first[asked].errands {
            match &outcome {
                Ok(translation) if errands[index].route.len() == 2 => {
                    between.push((index, translation.clone()));
                }
                done => tell(index, done.clone()),
            }
        }
    });
    let second: Vec<Asked> = between
        .iter()
        .map(|(index, between)| Asked {
            pair: errands[*index].route[1],
            request: second_half(&errands[*index].request, between),
            errands: vec![*index],
        })
        .collect();
    ask(models, &second, &mut |asked, outcome| {
        let (index, between) = &between[asked];
        tell(*index, outcome.map(|found| joined(between, found)));
    });
}

/// Asks each pair's model all that it is asked.
fn ask<T: Translator>(
    models: &mut HashMap<LanguagePair, T>,
    asked: &[Asked],
    tell: &mut (dyn FnMut(usize, Result<Translation, TranslationError>) + Send),
) {
    // In the order in which they were asked for: who waits longest comes first.
    let mut pairs: Vec<LanguagePair> = Vec::new();
    for asked in asked {
        if !pairs.contains(&asked.pair) {
            pairs.push(asked.pair);
        }
    }
    for pair in pairs {
        let of_pair = asked.iter().enumerate().filter(|(_, a)| a.pair == pair);
        let (indices, requests): (Vec<usize>, Vec<TranslationRequest>) = of_pair
            .map(|(index, asked)| (index, asked.request.clone()))
            .unzip();
        match models.get_mut(&pair) {
            Some(model) => {
                model.translate_all(&requests, &mut |n, outcome| tell(indices[n], outcome));
            }
            None => {
                let missing = TranslationError::Run(format!("the model for {pair} is not loaded"));
                for index in indices {
                    tell(index, Err(missing.clone()));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Writes the target's code behind what it is asked, and keeps what it was asked.
    struct Scribe {
        pair: LanguagePair,
        asked: Vec<String>,
    }

    impl Translator for Scribe {
        fn pair(&self) -> LanguagePair {
            self.pair
        }

        fn translate(
            &mut self,
            request: &TranslationRequest,
        ) -> Result<Translation, TranslationError> {
            self.asked.push(request.source.clone());
            if request.source.contains("bad") {
                return Err(TranslationError::Run("bad".to_owned()));
            }
            Ok(Translation {
                text: format!("{} {}", request.source, self.pair.target),
                ..Translation::default()
            })
        }
    }

    fn models(pairs: &[&str]) -> HashMap<LanguagePair, Scribe> {
        let scribe = |pair: &&str| {
            let pair: LanguagePair = pair.parse().unwrap();
            let asked = Vec::new();
            (pair, Scribe { pair, asked })
        };
        pairs.iter().map(scribe).collect()
    }

    fn errand(route: &[&str], source: &str) -> Errand {
        Errand {
            route: route.iter().map(|pair| pair.parse().unwrap()).collect(),
            request: TranslationRequest {
                source: source.to_owned(),
                ..TranslationRequest::default()
            },
        }
    }

    fn all(models: &mut HashMap<LanguagePair, Scribe>, errands: &[Errand]) -> Vec<Option<String>> {
        let mut told = vec![None; errands.len()];
        translate_all(models, errands, &mut |index, outcome| {
            assert!(told[index].is_none(), "told twice");
            told[index] = Some(outcome.ok().map(|translation| translation.text));
        });
        told.into_iter().map(Option::unwrap).collect()
    }

    #[test]
    fn what_leads_to_several_languages_is_translated_once() {
        let mut models = models(&["fr-en", "en-pt", "en-de"]);
        let errands = [
            errand(&["fr-en", "en-pt"], "oui"),
            errand(&["fr-en"], "oui"),
            errand(&["fr-en", "en-de"], "oui"),
            errand(&["fr-en", "en-de"], "non"),
        ];
        let told = all(&mut models, &errands);
        let expected = ["oui en pt", "oui en", "oui en de", "non en de"];
        assert_eq!(told, expected.map(|text| Some(text.to_owned())));
        let asked = |pair: &str| models[&pair.parse().unwrap()].asked.clone();
        assert_eq!(asked("fr-en"), ["oui", "non"]);
        assert_eq!(asked("en-de"), ["oui en", "non en"]);
    }

    #[test]
    fn what_is_committed_of_one_language_is_not_asked_of_another() {
        let mut models = models(&["fr-en", "en-pt"]);
        let mut begun = errand(&["fr-en"], "oui");
        begun.request.committed_prefix = vec![7];
        all(&mut models, &[begun, errand(&["fr-en", "en-pt"], "oui")]);
        assert_eq!(models[&"fr-en".parse().unwrap()].asked.len(), 2);
    }

    #[test]
    fn what_fails_is_told_to_each_and_others_are_translated() {
        let mut models = models(&["fr-en", "en-pt"]);
        let errands = [
            errand(&["fr-en", "en-pt"], "bad"),
            errand(&["fr-en"], "bad"),
            errand(&["fr-en"], "oui"),
            errand(&["fr-en", "en-it"], "oui"),
            errand(&["fr-en", "pt-en"], "oui"),
            errand(&[], "oui"),
        ];
        let told = all(&mut models, &errands);
        let one = Some("oui en".to_owned());
        assert_eq!(told, [None, None, one, None, None, None]);
    }
}
