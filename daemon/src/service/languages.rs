//! What the daemon can do, listed.

use interpret_models::{Language, LanguagePair, language::UnknownLanguage, synthesis};
use interpret_proto::v1;

use crate::{engines::Engines, session::Refusal};

/// Pairs whose models are fetched.
pub(super) fn languages(engines: &Engines) -> v1::ListLanguagesResponse {
    let spoken = |language: Language| {
        engines
            .voices()
            .iter()
            .any(|voice| voice.language == language)
    };
    let translation = engines.translation();
    let pair = |pair: LanguagePair| v1::LanguagePair {
        source: pair.source.code().to_owned(),
        target: pair.target.code().to_owned(),
        model: translation.model_name(pair).unwrap_or_default(),
        speech: spoken(pair.target),
    };
    v1::ListLanguagesResponse {
        pairs: translation.pairs().map(pair).collect(),
    }
}

/// Voices of `language`, or all where it is empty.
pub(super) fn voices(engines: &Engines, language: &str) -> Result<v1::ListVoicesResponse, Refusal> {
    let wanted: Option<Language> = if language.is_empty() {
        None
    } else {
        let parsed = language.parse();
        Some(parsed.map_err(|e: UnknownLanguage| Refusal::UnknownLanguage(e.to_string()))?)
    };
    let voices = engines
        .voices()
        .iter()
        .filter(|voice| wanted.is_none_or(|wanted| voice.language == wanted))
        .map(message)
        .collect();
    Ok(v1::ListVoicesResponse { voices })
}

fn message(voice: &synthesis::Voice) -> v1::Voice {
    let gender = match voice.gender {
        synthesis::Gender::Female => v1::Gender::Female,
        synthesis::Gender::Male => v1::Gender::Male,
    };
    v1::Voice {
        name: voice.name.clone(),
        language: voice.language.code().to_owned(),
        region: voice.region.unwrap_or_default().to_owned(),
        gender: gender.into(),
        is_default: voice.is_default,
    }
}
