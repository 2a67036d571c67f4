//! `--from`: a language, or languages to detect among.

use interpret_models::{Language, language::UnknownLanguage};

use crate::session::Source;

/// Reads `fr`, `auto` and `auto:fr,en`.
pub(super) fn parse_source(text: &str) -> Result<Source, UnknownLanguage> {
    match text.split_once(':') {
        None if text.eq_ignore_ascii_case("auto") => Ok(Source::Detect(Vec::new())),
        Some((auto, among)) if auto.eq_ignore_ascii_case("auto") => among
            .split(',')
            .map(str::parse)
            .collect::<Result<Vec<Language>, _>>()
            .map(Source::Detect),
        _ => Ok(Source::Language(text.parse()?)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn languages_and_detection() {
        let language = |code: &str| code.parse::<Language>().unwrap();
        assert_eq!(parse_source("fr-CA"), Ok(Source::Language(language("fr"))));
        assert_eq!(parse_source("auto"), Ok(Source::Detect(vec![])));
        let both = vec![language("fr"), language("en")];
        assert_eq!(parse_source("auto:fr,en"), Ok(Source::Detect(both)));
        for wrong in ["xx", "auto:", "auto:fr,xx", "fr,en", ""] {
            assert!(parse_source(wrong).is_err(), "{wrong}");
        }
    }
}
