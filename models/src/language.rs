//! Languages and pairs of languages, named by ISO 639-1 codes.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// Two-letter codes and English names of the languages that multilingual Whisper recognises.
#[rustfmt::skip]
const KNOWN: &[(&str, &str)] = &[
    ("af", "Afrikaans"), ("am", "Amharic"), ("ar", "Arabic"), ("as", "Assamese"),
    ("az", "Azerbaijani"), ("ba", "Bashkir"), ("be", "Belarusian"), ("bg", "Bulgarian"),
    ("bn", "Bengali"), ("bo", "Tibetan"), ("br", "Breton"), ("bs", "Bosnian"),
    ("ca", "Catalan"), ("cs", "Czech"), ("cy", "Welsh"), ("da", "Danish"),
    ("de", "German"), ("el", "Greek"), ("en", "English"), ("es", "Spanish"),
    ("et", "Estonian"), ("eu", "Basque"), ("fa", "Persian"), ("fi", "Finnish"),
    ("fo", "Faroese"), ("fr", "French"), ("gl", "Galician"), ("gu", "Gujarati"),
    ("ha", "Hausa"), ("he", "Hebrew"), ("hi", "Hindi"), ("hr", "Croatian"),
    ("ht", "Haitian Creole"), ("hu", "Hungarian"), ("hy", "Armenian"), ("id", "Indonesian"),
    ("is", "Icelandic"), ("it", "Italian"), ("ja", "Japanese"), ("jw", "Javanese"),
    ("ka", "Georgian"), ("kk", "Kazakh"), ("km", "Khmer"), ("kn", "Kannada"),
    ("ko", "Korean"), ("la", "Latin"), ("lb", "Luxembourgish"), ("ln", "Lingala"),
    ("lo", "Lao"), ("lt", "Lithuanian"), ("lv", "Latvian"), ("mg", "Malagasy"),
    ("mi", "Maori"), ("mk", "Macedonian"), ("ml", "Malayalam"), ("mn", "Mongolian"),
    ("mr", "Marathi"), ("ms", "Malay"), ("mt", "Maltese"), ("my", "Burmese"),
    ("ne", "Nepali"), ("nl", "Dutch"), ("nn", "Nynorsk"), ("no", "Norwegian"),
    ("oc", "Occitan"), ("pa", "Punjabi"), ("pl", "Polish"), ("ps", "Pashto"),
    ("pt", "Portuguese"), ("ro", "Romanian"), ("ru", "Russian"), ("sa", "Sanskrit"),
    ("sd", "Sindhi"), ("si", "Sinhala"), ("sk", "Slovak"), ("sl", "Slovenian"),
    ("sn", "Shona"), ("so", "Somali"), ("sq", "Albanian"), ("sr", "Serbian"),
    ("su", "Sundanese"), ("sv", "Swedish"), ("sw", "Swahili"), ("ta", "Tamil"),
    ("te", "Telugu"), ("tg", "Tajik"), ("th", "Thai"), ("tk", "Turkmen"),
    ("tl", "Tagalog"), ("tr", "Turkish"), ("tt", "Tatar"), ("uk", "Ukrainian"),
    ("ur", "Urdu"), ("uz", "Uzbek"), ("vi", "Vietnamese"), ("yi", "Yiddish"),
    ("yo", "Yoruba"), ("zh", "Chinese"),
];

/// A language, by its two-letter ISO 639-1 code.
///
/// ```
/// use interpret_models::Language;
/// let french: Language = "fr".parse()?;
/// assert_eq!((french.code(), french.name()), ("fr", "French"));
/// assert!("xx".parse::<Language>().is_err());
/// # Ok::<(), interpret_models::language::UnknownLanguage>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Language(usize);

impl Language {
    /// English.
    pub const ENGLISH: Self = Self(18);

    /// The ISO 639-1 code: two lower-case letters.
    #[must_use]
    pub fn code(self) -> &'static str {
        KNOWN[self.0].0
    }

    /// The English name.
    #[must_use]
    pub fn name(self) -> &'static str {
        KNOWN[self.0].1
    }

    /// All known languages, by code.
    pub fn all() -> impl Iterator<Item = Self> {
        (0..KNOWN.len()).map(Self)
    }
}

/// A code that names no language we know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "'{0}' is not a language code this build knows; use a two-letter ISO 639-1 code such as fr, en or pt"
)]
pub struct UnknownLanguage(pub String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    /// Takes "fr" and also "FR", "fr-CA" and `fr_FR`: the region is dropped.
    fn from_str(code: &str) -> Result<Self, Self::Err> {
        let primary = code
            .trim()
            .split(['-', '_'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        KNOWN
            .binary_search_by_key(&primary.as_str(), |entry| entry.0)
            .map(Self)
            .map_err(|_| UnknownLanguage(code.to_owned()))
    }
}

impl TryFrom<String> for Language {
    type Error = UnknownLanguage;

    fn try_from(code: String) -> Result<Self, Self::Error> {
        code.parse()
    }
}

impl From<Language> for String {
    fn from(language: Language) -> Self {
        language.code().to_owned()
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl fmt::Debug for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// A direction of translation, written "fr-en".
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct LanguagePair {
    /// What is spoken.
    pub source: Language,
    /// What it becomes.
    pub target: Language,
}

impl LanguagePair {
    /// The direction from `source` to `target`.
    #[must_use]
    pub fn new(source: Language, target: Language) -> Self {
        Self { source, target }
    }
}

impl fmt::Display for LanguagePair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.source, self.target)
    }
}

impl FromStr for LanguagePair {
    type Err = UnknownLanguage;

    fn from_str(pair: &str) -> Result<Self, Self::Err> {
        let (source, target) = pair
            .split_once('-')
            .ok_or_else(|| UnknownLanguage(pair.to_owned()))?;
        Ok(Self {
            source: source.parse()?,
            target: target.parse()?,
        })
    }
}

impl TryFrom<String> for LanguagePair {
    type Error = UnknownLanguage;

    fn try_from(pair: String) -> Result<Self, Self::Error> {
        pair.parse()
    }
}

impl From<LanguagePair> for String {
    fn from(pair: LanguagePair) -> Self {
        pair.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_languages_are_sorted_so_that_search_finds_them() {
        assert!(KNOWN.is_sorted_by_key(|entry| entry.0));
        assert_eq!(Language::ENGLISH.code(), "en");
        for language in Language::all() {
            assert_eq!(language.code().parse(), Ok(language));
        }
    }

    #[test]
    fn regions_and_case_are_accepted() {
        assert_eq!("pt-BR".parse::<Language>().unwrap().code(), "pt");
        assert_eq!("FR".parse::<Language>().unwrap().code(), "fr");
    }

    #[test]
    fn pairs_round_trip() {
        let pair: LanguagePair = "fr-en".parse().unwrap();
        assert_eq!(pair.to_string(), "fr-en");
        assert!("fr".parse::<LanguagePair>().is_err());
        assert!("fr-xx".parse::<LanguagePair>().is_err());
    }
}
