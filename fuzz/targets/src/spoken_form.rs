//! Text as it is said: any text, and English and French without figures, for good.

use interpret_models::fuzzing::spoken_form;

use crate::Input;

/// The dialect whose figures stay.
const WITH_FIGURES: usize = 3;
/// Longest text: a sentence.
const MOST_BYTES: usize = 600;

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let dialect = usize::from(input.byte()) % 4;
    let text = String::from_utf8_lossy(input.rest());
    let text = &text[..text.floor_char_boundary(MOST_BYTES)];
    let once = spoken_form(text, dialect);
    if dialect != WITH_FIGURES {
        assert!(!once.contains(|c: char| c.is_ascii_digit()), "{once:?}");
    }
    assert_eq!(
        spoken_form(&once, dialect),
        once,
        "said once is said for good"
    );
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |dialect: u8, text: &str| [&[dialect], text.as_bytes()].concat();
    vec![
        seed(
            0,
            "On 31/12/1999 at 10:30 p.m. £1,234.50 (½ of 5%) for Dr. No, Louis XIV, 3rd, 1990s, −5°C, 10 km/h",
        ),
        seed(
            2,
            "Le 1er janvier 1999 à 10h30, 1 234,50 € (½ de 5 %) pour Mme Dupont, Louis XIV, XXIe, −5 °C, 10 km/h",
        ),
        seed(3, "Hay 3 gatos"),
    ]
}
