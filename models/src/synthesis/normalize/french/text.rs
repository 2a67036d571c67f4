//! Addresses, abbreviations, Roman numerals, acronyms, signs.

use super::{
    numbers,
    words::{ABBREVIATIONS, SAID_AS_WORDS, SIGNS, SPELLED},
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
            r"\b(?:[a-z0-9-]+\.)+(?:com|org|net|gouv|io|fr|be|ch|eu)\b(?:/\w+)*",
            |found| address(group(found, 0)),
        ),
    ]
}

fn address(written: &str) -> String {
    let mut said = String::new();
    for character in written.trim_end_matches('/').chars() {
        match character {
            '.' => said.push_str(" point "),
            '@' => said.push_str(" arobase "),
            '/' => said.push_str(" slash "),
            '-' => said.push_str(" tiret "),
            '_' => said.push_str(" tiret bas "),
            c if c.is_alphanumeric() => said.push(c),
            _ => said.push(' '),
        }
    }
    said
}

/// What is left when the numbers are said.
pub(super) fn rules() -> Vec<Rule> {
    vec![
        Rule::new(r"\b([IVXLC]+)(?:e|ème)\b", |found| {
            roman::value(group(found, 1)).map_or_else(|| unchanged(found), numbers::ordinal)
        }),
        Rule::new(r"\b(\p{Lu}\p{Ll}+) Ier\b", |found| {
            format!("{} premier", group(found, 1))
        }),
        Rule::new(
            r"\b(\p{Lu}\p{Ll}{2,}|type|tome|chapitre|acte) ([IVX]+)\b",
            |found| {
                match roman::value(group(found, 2)) {
                    // A single letter after a name is an initial or a word.
                    Some(value)
                        if group(found, 2).len() > 1
                            || group(found, 1).starts_with(char::is_lowercase) =>
                    {
                        format!("{} {}", group(found, 1), numbers::cardinal(value))
                    }
                    _ => unchanged(found),
                }
            },
        ),
        Rule::new(r"\bM\. (\p{Lu})", |found| {
            format!("monsieur {}", group(found, 1))
        }),
        Rule::new(
            &format!(r"\b({})\b{{end-half}}(\s*$)?", any_of(ABBREVIATIONS)),
            abbreviation,
        ),
        Rule::new(&format!(r"\b({})(\s*$)?", dotted()), abbreviation),
        Rule::new(r"\b\p{Lu}{2,6}\b", |found| acronym(group(found, 0))),
        Rule::new(&any_of(SIGNS), |found| {
            format!(" {} ", look_up(SIGNS, group(found, 0)).unwrap_or_default())
        }),
    ]
}

/// A pattern for the abbreviations that end in a full stop.
fn dotted() -> String {
    let dotted: Vec<(&str, &str)> = ABBREVIATIONS
        .iter()
        .copied()
        .filter(|(short, _)| short.ends_with('.'))
        .collect();
    any_of(&dotted)
}

fn abbreviation(found: &regex::Captures<'_>) -> String {
    let short = group(found, 1);
    match look_up(ABBREVIATIONS, short) {
        // The full stop of an abbreviation at the end ends the sentence too.
        Some(said) if found.get(2).is_some() && short.ends_with('.') => format!("{said}."),
        Some(said) => said.to_owned(),
        None => unchanged(found),
    }
}

/// Letter by letter where it cannot be read as a word.
fn acronym(letters: &str) -> String {
    let is_word = SAID_AS_WORDS.contains(&letters)
        || !SPELLED.contains(&letters) && letters.chars().count() > 3 && is_readable(letters);
    if is_word {
        return letters.to_owned();
    }
    let spelled: Vec<String> = letters
        .chars()
        .map(without_accent)
        .map(String::from)
        .collect();
    spelled.join(" ")
}

/// The bare letter: an accent would be named when the letter is.
fn without_accent(letter: char) -> char {
    match letter {
        'À' | 'Â' | 'Ä' => 'A',
        'É' | 'È' | 'Ê' | 'Ë' => 'E',
        'Î' | 'Ï' => 'I',
        'Ô' | 'Ö' => 'O',
        'Ù' | 'Û' | 'Ü' => 'U',
        'Ç' => 'C',
        other => other,
    }
}

/// Whether vowels and consonants take turns well enough to be read.
fn is_readable(letters: &str) -> bool {
    let vowels: Vec<bool> = letters
        .chars()
        .map(|letter| "AEIOUYÀÂÄÉÈÊËÎÏÔÖÙÛÜ".contains(letter))
        .collect();
    let consonants_in_a_row = vowels.split(|&vowel| vowel).map(<[bool]>::len).max();
    let begins_readably = vowels.iter().take(2).any(|&vowel| vowel);
    begins_readably && consonants_in_a_row < Some(3) && vowels.contains(&true)
}
