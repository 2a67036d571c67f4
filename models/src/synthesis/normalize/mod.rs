//! Text normalised for speech: everything written in figures or signs spelled out as it is said.
//!
//! English and French are done here, by an ordered list of rules for each. The other languages
//! leave numbers to espeak-ng, which reads them.

mod cleaning;
mod english;
mod french;
mod roman;
mod rules;

use super::phonemes::Dialect;

/// Passes after which the text is taken as it is; ordinary text is done after two.
const MOST_PASSES: usize = 6;

/// `text` as it is said in `dialect`. English and French come without figures.
pub(crate) fn normalize(text: &str, dialect: Dialect) -> String {
    let text = cleaning::clean(text);
    match dialect {
        Dialect::AmericanEnglish | Dialect::BritishEnglish => settle(text, english::pass),
        Dialect::French => settle(text, french::pass),
        _ => text,
    }
}

/// Repeats `pass` until it changes nothing: what one rule writes may be what another reads.
fn settle(mut text: String, pass: fn(&str) -> String) -> String {
    for _ in 0..MOST_PASSES {
        let next = cleaning::tidy(&pass(&text));
        if next == text {
            break;
        }
        text = next;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const DIALECTS: [Dialect; 2] = [Dialect::AmericanEnglish, Dialect::French];

    fn check(text: &str) -> Result<(), TestCaseError> {
        for dialect in DIALECTS {
            let once = normalize(text, dialect);
            prop_assert!(!once.contains(|c: char| c.is_ascii_digit()), "{once:?}");
            prop_assert_eq!(normalize(&once, dialect), once);
        }
        Ok(())
    }

    proptest! {
        #[test]
        fn any_text_loses_its_figures_for_good(text in any::<String>()) {
            check(&text)?;
        }

        #[test]
        fn text_of_figures_and_signs_loses_its_figures_for_good(
            text in "([0-9]{1,5}|[ .,:/%$€£+°#&@-]|km|th|er|h|e|I|X|M|Dr|am|No|s|²|½){0,12}"
        ) {
            check(&text)?;
        }
    }

    #[test]
    fn other_languages_keep_their_figures() {
        assert_eq!(
            normalize("Hay 3\u{a0}gatos", Dialect::Spanish),
            "Hay 3 gatos"
        );
    }
}
