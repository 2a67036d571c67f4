//! Addresses, abbreviations, signs.

use super::{
    numbers,
    words::{ABBREVIATIONS, SIGNS},
};
use crate::synthesis::normalize::{
    roman,
    rules::{Rule, any_of, group, look_up, unchanged},
};

/// Web and mail addresses, before their dots and figures are read as something else.
pub(super) fn addresses() -> Vec<Rule> {
    vec![
        Rule::new(r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+", |found| {
            address(group(found, 0))
        }),
        Rule::new(
            r"(?:https?://(?:www\.)?|www\.)([\w-]+(?:\.[\w-]+)*(?:[/?#&=%:.~+-]*\w+)*/?)",
            |found| address(group(found, 1)),
        ),
        Rule::new(
            r"\b(?:[a-z0-9-]+\.)+(?:com|org|net|edu|gov|io|co|fr|uk|eu)\b(?:/\w+)*",
            |found| address(group(found, 0)),
        ),
    ]
}

fn address(written: &str) -> String {
    let mut said = String::new();
    for character in written.trim_end_matches('/').chars() {
        match character {
            '.' => said.push_str(" dot "),
            '@' => said.push_str(" at "),
            '/' => said.push_str(" slash "),
            '-' => said.push_str(" dash "),
            '_' => said.push_str(" underscore "),
            c if c.is_alphanumeric() => said.push(c),
            _ => said.push(' '),
        }
    }
    said
}

/// What is left when the numbers are said.
pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::new(
            r"\b(World War|Chapter|Part|Volume|Act|Type|Phase|Title|Article|Section|Super Bowl|Book|Scene) ([IVXLC]+)\b",
            |found| match roman::value(group(found, 2)) {
                Some(value) => format!(
                    "{} {}",
                    group(found, 1),
                    capitalised(&numbers::cardinal(value))
                ),
                None => unchanged(found),
            },
        ),
        Rule::new(r"\b(\p{Lu}\p{Ll}{2,}) ([IVX]{2,})\b", |found| {
            match (group(found, 1), roman::value(group(found, 2))) {
                ("The", _) | (_, None) => unchanged(found),
                (name, Some(value)) => format!("{name} the {}", numbers::ordinal(value)),
            }
        }),
        Rule::new(r"\bSt\. (\p{Lu})", |found| {
            format!("Saint {}", group(found, 1))
        }),
        Rule::new(r"\bSt\.", |_| "Street.".to_owned()),
        Rule::new(
            &format!(r"\b({})(\s*$)?", any_of(ABBREVIATIONS)),
            |found| match look_up(ABBREVIATIONS, group(found, 1)) {
                // The full stop of an abbreviation at the end ends the sentence too.
                Some(said) if found.get(2).is_some() => format!("{said}."),
                Some(said) => said.to_owned(),
                None => unchanged(found),
            },
        ),
        Rule::new(&any_of(SIGNS), |found| {
            format!(" {} ", look_up(SIGNS, group(found, 0)).unwrap_or_default())
        }),
    ]
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_uppercase().chain(letters).collect())
        .unwrap_or_default()
}
