//! Sums of money, measures, and numbers of all other kinds.

use regex::Captures;

use super::{
    NUMBER, numbers,
    words::{CURRENCIES, FACTORS, UNITS},
};
use crate::synthesis::normalize::rules::{Rule, any_of, group, look_up, unchanged};

/// Rules for everything with figures that is no date and no time.
pub(super) fn rules() -> Vec<Rule> {
    let (currency, factor, unit) = (any_of(CURRENCIES), any_of(FACTORS), any_of(UNITS));
    vec![
        Rule::new(
            &format!(r"\b({NUMBER})(?: ?({factor}))? ?({currency})"),
            |found| {
                sum(group(found, 3), group(found, 1), group(found, 2))
                    .unwrap_or_else(|| unchanged(found))
            },
        ),
        Rule::new(
            &format!(r"({currency}) ?({NUMBER})(?: ?({factor})\b)?"),
            |found| {
                sum(group(found, 1), group(found, 2), group(found, 3))
                    .unwrap_or_else(|| unchanged(found))
            },
        ),
        Rule::new(r"\b0\d(?:[ .-]?\d\d){4}\b", |found| {
            telephone(group(found, 0))
        }),
        Rule::new(r"(^|[ (])-(\d)", |found| {
            format!("{}moins {}", group(found, 1), group(found, 2))
        }),
        Rule::new(&format!(r"({NUMBER}) ?%"), |found| {
            format!("{} pour cent", numbers::number(group(found, 1)))
        }),
        Rule::new(&format!(r"({NUMBER}) ?° ?([CF])\b"), |found| {
            let scale = if group(found, 2) == "C" {
                "Celsius"
            } else {
                "Fahrenheit"
            };
            format!("{} degrés {scale}", numbers::number(group(found, 1)))
        }),
        Rule::new(&format!(r"\b({NUMBER}) ?({unit})\b{{end-half}}"), measure),
        Rule::new(
            r"\b(\d{1,9})(er|ère|re|nde?|e|es|ème|èmes|eme|ième)\b",
            ordinal,
        ),
        Rule::new(r"(?:\b[Nn]°|\b[Nn]o\.?) ?(\d)", |found| {
            format!("numéro {}", group(found, 1))
        }),
        Rule::new(r"\b(\d\d?)/(\d\d?)\b", |found| {
            fraction(group(found, 1), group(found, 2))
        }),
        Rule::new(r"(\d) ?[–-] ?(\d)", |found| {
            format!("{} à {}", group(found, 1), group(found, 2))
        }),
        Rule::new(r"(\d):(\d)", |found| {
            format!("{} à {}", group(found, 1), group(found, 2))
        }),
        Rule::new(&format!(r"({NUMBER})"), |found| {
            format!("\u{1}{}\u{2}", numbers::number(group(found, 1)))
        }),
        // Marked for a moment: a word that touches the number shall stand apart from it.
        Rule::new(r"([\p{L}])\x01", |found| {
            format!("{} \u{1}", group(found, 1))
        }),
        Rule::new(r"\x02([\p{L}])", |found| {
            format!("\u{2} {}", group(found, 1))
        }),
        Rule::new(r"[\x01\x02]", |_| String::new()),
    ]
}

fn sum(currency: &str, number: &str, factor: &str) -> Option<String> {
    let (one, many, is_feminine) = look_up(CURRENCIES, currency)?;
    if let Some((factor, has_de)) = look_up(FACTORS, factor) {
        let de = match (has_de, many.starts_with(['e', 'a', 'o', 'y'])) {
            (false, _) => "",
            (true, true) if !many.starts_with('y') => "d'",
            (true, _) => "de ",
        };
        return Some(format!("{} {factor} {de}{many}", numbers::number(number)));
    }
    let (whole, fraction) = number.split_once(',').unwrap_or((number, ""));
    let name = if matches!(whole, "0" | "1") {
        one
    } else {
        many
    };
    Some(match fraction.len() {
        0 => format!("{} {name}", counted(whole, is_feminine)),
        2 if fraction == "00" => format!("{} {name}", counted(whole, is_feminine)),
        2 => format!(
            "{} {name} {}",
            counted(whole, is_feminine),
            numbers::fraction_words(fraction)
        ),
        _ => format!("{} {many}", numbers::number(number)),
    })
}

fn measure(found: &Captures<'_>) -> String {
    let number = group(found, 1);
    let Some((one, many, is_feminine)) = look_up(UNITS, group(found, 2)) else {
        return unchanged(found);
    };
    // In French the plural begins at two: "1,5 kilo".
    let is_plural = !matches!(number.split([',', '.']).next(), Some("0" | "1"));
    let name = if is_plural { many } else { one };
    format!("{} {name}", counted(number, is_feminine))
}

/// `number` before a noun of that gender.
fn counted(number: &str, is_feminine: bool) -> String {
    match number.replace(' ', "").parse::<u64>() {
        Ok(value) if is_feminine && value < 1_000_000 => numbers::feminine(value),
        _ => numbers::number(number),
    }
}

fn ordinal(found: &Captures<'_>) -> String {
    let Ok(number) = group(found, 1).parse::<u64>() else {
        return unchanged(found);
    };
    match (number, group(found, 2)) {
        (1, "ère" | "re") => "première".to_owned(),
        (2, "nd") => "second".to_owned(),
        (2, "nde") => "seconde".to_owned(),
        (_, "es" | "èmes") => format!("{}s", numbers::ordinal(number)),
        _ => numbers::ordinal(number),
    }
}

fn fraction(above: &str, below: &str) -> String {
    let [above, below] = [above, below].map(|figures| figures.parse::<u64>().unwrap_or_default());
    let said = numbers::cardinal(above);
    let plural = if above > 1 { "s" } else { "" };
    match below {
        2 if above == 1 => "un demi".to_owned(),
        3 if above < 3 => format!("{said} tiers"),
        4 if above < 4 => format!("{said} quart{plural}"),
        5..=10 if above < below => format!("{said} {}{plural}", numbers::ordinal(below)),
        _ => format!("{said} sur {}", numbers::cardinal(below)),
    }
}

/// Two figures at a time, with a breath between.
fn telephone(written: &str) -> String {
    let figures: Vec<char> = written.chars().filter(char::is_ascii_digit).collect();
    let pairs: Vec<String> = figures
        .chunks(2)
        .map(|pair| numbers::fraction_words(&pair.iter().collect::<String>()))
        .collect();
    pairs.join(", ")
}
