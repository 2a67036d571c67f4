//! What a voice speaks: a language and its accent.

use crate::Language;

/// A language as spoken in one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Dialect {
    AmericanEnglish,
    BritishEnglish,
    Spanish,
    French,
    Hindi,
    Italian,
    BrazilianPortuguese,
}

impl Dialect {
    /// The language, `None` only if the table of languages lost it.
    pub(crate) fn language(self) -> Option<Language> {
        let code = match self {
            Self::AmericanEnglish | Self::BritishEnglish => "en",
            Self::Spanish => "es",
            Self::French => "fr",
            Self::Hindi => "hi",
            Self::Italian => "it",
            Self::BrazilianPortuguese => "pt",
        };
        code.parse().ok()
    }

    /// ISO 3166 code of the region of the accent.
    pub(crate) fn region(self) -> Option<&'static str> {
        Some(match self {
            Self::AmericanEnglish => "US",
            Self::BritishEnglish => "GB",
            Self::Spanish => "ES",
            Self::French => "FR",
            Self::Hindi => "IN",
            Self::Italian => "IT",
            Self::BrazilianPortuguese => "BR",
        })
    }

    /// The voice of espeak-ng that phonemises it.
    pub(super) fn espeak_voice(self) -> &'static str {
        match self {
            Self::AmericanEnglish => "en-us",
            Self::BritishEnglish => "en-gb",
            Self::Spanish => "es",
            Self::French => "fr-fr",
            Self::Hindi => "hi",
            Self::Italian => "it",
            Self::BrazilianPortuguese => "pt-br",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_dialect_has_a_language() {
        for dialect in [
            Dialect::AmericanEnglish,
            Dialect::BritishEnglish,
            Dialect::Spanish,
            Dialect::French,
            Dialect::Hindi,
            Dialect::Italian,
            Dialect::BrazilianPortuguese,
        ] {
            assert!(dialect.language().is_some(), "{dialect:?}");
        }
    }
}
