//! From the IPA of espeak-ng to the alphabet that Kokoro was trained on: the conventions of misaki,
//! its authors' phonemiser, where one letter stands for a diphthong or an affricate.

use super::dialect::Dialect;

/// Sounds of several letters, tied by '^', in any language but English. Longest first.
const TIED: &[(&str, &str)] = &[
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^z", "ʣ"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("o^ʊ", "O"),
    ("ə^ʊ", "Q"),
    ("s^s", "S"),
    ("t^s", "ʦ"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
    ("^", ""),
    ("-", ""),
    ("_", ""),
];

/// What both kinds of English share. Longest first.
const ENGLISH: &[(&str, &str)] = &[
    ("ʔˌn\u{329}", "tᵊn"),
    ("ʔn\u{329}", "tᵊn"),
    ("a^ɪ", "I"),
    ("a^ʊ", "W"),
    ("d^ʒ", "ʤ"),
    ("e^ɪ", "A"),
    ("t^ʃ", "ʧ"),
    ("ɔ^ɪ", "Y"),
    ("ə^l", "ᵊl"),
    ("l\u{329}", "ᵊl"),
    ("n\u{329}", "ᵊn"),
    ("ʔn", "tᵊn"),
    ("e", "A"),
    ("r", "ɹ"),
    ("x", "k"),
    ("ç", "k"),
    ("ɐ", "ə"),
    ("ɚ", "əɹ"),
    ("ɬ", "l"),
    ("ʔ", "t"),
    ("ʲ", ""),
    ("\u{303}", ""),
    ("\u{329}", ""),
];

/// After [`ENGLISH`], for an American voice. Longest first.
const AMERICAN: &[(&str, &str)] = &[
    ("o^ʊ", "O"),
    ("ɜːɹ", "ɜɹ"),
    ("ɜː", "ɜɹ"),
    ("ɪə", "iə"),
    ("ː", ""),
    ("^", ""),
    ("o", "ɔ"),
];

/// After [`ENGLISH`], for a British voice. Longest first.
const BRITISH: &[(&str, &str)] = &[
    ("A^ə", "ɛː"),
    ("ə^ʊ", "Q"),
    ("iə", "ɪə"),
    ("^", ""),
    ("o", "ɔ"),
];

/// Kokoro's spelling of `ipa`, which espeak-ng made for `dialect`.
pub(super) fn from_espeak(ipa: &str, dialect: Dialect) -> String {
    let sounds = without_language_switches(ipa);
    match dialect {
        Dialect::AmericanEnglish => rewrite(&rewrite(&sounds, ENGLISH), AMERICAN),
        Dialect::BritishEnglish => rewrite(&rewrite(&sounds, ENGLISH), BRITISH),
        _ => rewrite(&sounds, TIED),
    }
}

/// Replaces, from left to right, the first of `table` that fits.
fn rewrite(text: &str, table: &[(&str, &str)]) -> String {
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(symbol) = rest.chars().next() {
        if let Some((from, to)) = table.iter().find(|(from, _)| rest.starts_with(from)) {
            written.push_str(to);
            rest = &rest[from.len()..];
        } else {
            written.push(symbol);
            rest = &rest[symbol.len_utf8()..];
        }
    }
    written
}

/// espeak-ng reads a foreign word by the rules of its language and says so: "(en)wiːkˈɛnd(fr)".
fn without_language_switches(ipa: &str) -> String {
    let mut kept = String::with_capacity(ipa.len());
    let mut rest = ipa;
    while let Some((before, flag)) = rest.split_once('(') {
        kept.push_str(before);
        rest = flag.split_once(')').map_or("", |(_, after)| after);
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_try_the_longest_first() {
        for table in [TIED, ENGLISH, AMERICAN, BRITISH] {
            let lengths: Vec<_> = table.iter().map(|(from, _)| from.chars().count()).collect();
            assert!(lengths.is_sorted_by(|a, b| a >= b), "{table:?}");
        }
    }

    #[test]
    fn french_keeps_nasal_vowels_and_ties_affricates() {
        assert_eq!(from_espeak("lə- vˈɛ̃ blˈɑ̃", Dialect::French), "lə vˈɛ̃ blˈɑ̃");
        assert_eq!(from_espeak("d^ʒˈin", Dialect::French), "ʤˈin");
        assert_eq!(
            from_espeak("(^e^n)wiːkˈɛnd(^f^r) okˌe", Dialect::French),
            "wiːkˈɛnd okˌe"
        );
    }

    #[test]
    fn english_follows_the_dialect() {
        assert_eq!(from_espeak("həlˈo^ʊ", Dialect::AmericanEnglish), "həlˈO");
        assert_eq!(from_espeak("həlˈə^ʊ", Dialect::BritishEnglish), "həlˈQ");
        assert_eq!(from_espeak("bˈɜːd", Dialect::AmericanEnglish), "bˈɜɹd");
        assert_eq!(from_espeak("bˈɜːd", Dialect::BritishEnglish), "bˈɜːd");
        assert_eq!(
            from_espeak("bˈʌʔn\u{329}", Dialect::AmericanEnglish),
            "bˈʌtᵊn"
        );
        assert_eq!(from_espeak("d^ʒˈe^ɪn", Dialect::AmericanEnglish), "ʤˈAn");
    }
}
