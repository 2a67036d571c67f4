//! Sums of money, measures, and numbers of all other kinds.

use regex::Captures;

use super::{
    NUMBER, numbers,
    words::{CURRENCIES, FACTORS, UNITS},
};
use crate::synthesis::normalize::rules::{Rule, any_of, group, look_up, unchanged};

/// Small words that end in s but are no plural: what stands before is a year.
const NO_PLURALS: [&str; 8] = ["is", "was", "as", "has", "its", "this", "plus", "across"];

/// Sums of money.
pub(super) fn money() -> Vec<Rule> {
    let (currency, factor) = (any_of(CURRENCIES), any_of(FACTORS));
    vec![
        Rule::new(
            &format!(r"({currency}) ?({NUMBER})(?: ?({factor})\b)?"),
            |found| sum(found, 1, 2),
        ),
        Rule::new(
            &format!(r"\b({NUMBER})(?: ?({factor}))? ?({currency})"),
            sum_before,
        ),
    ]
}

fn sum(found: &Captures<'_>, currency: usize, number: usize) -> String {
    said_sum(
        group(found, currency),
        group(found, number),
        group(found, 3),
    )
    .unwrap_or_else(|| unchanged(found))
}

fn sum_before(found: &Captures<'_>) -> String {
    said_sum(group(found, 3), group(found, 1), group(found, 2)).unwrap_or_else(|| unchanged(found))
}

fn said_sum(currency: &str, number: &str, factor: &str) -> Option<String> {
    let [one, many, cent, cents] = look_up(CURRENCIES, currency)?;
    if let Some(factor) = look_up(FACTORS, factor) {
        return Some(format!("{} {factor} {many}", numbers::number(number)));
    }
    let plural = |figures: &str, one, many| {
        if figures.trim_start_matches('0') == "1" {
            one
        } else {
            many
        }
    };
    Some(match number.split_once('.') {
        Some((whole, fraction)) if fraction.len() == 2 && fraction != "00" => format!(
            "{} {} and {} {}",
            numbers::number(whole),
            plural(whole, one, many),
            numbers::number(fraction.trim_start_matches('0')),
            plural(fraction, cent, cents)
        ),
        Some((whole, "00")) => format!("{} {}", numbers::number(whole), plural(whole, one, many)),
        Some(_) => format!("{} {many}", numbers::number(number)),
        None => format!("{} {}", numbers::number(number), plural(number, one, many)),
    })
}

/// Everything else with figures.
pub(super) fn rules() -> Vec<Rule> {
    let unit = any_of(UNITS);
    vec![
        Rule::new(r"(^|[ (])-(\d)", |found| {
            format!("{}minus {}", group(found, 1), group(found, 2))
        }),
        Rule::new(&format!(r"({NUMBER}) ?%"), |found| {
            format!("{} percent", numbers::number(group(found, 1)))
        }),
        Rule::new(&format!(r"({NUMBER}) ?° ?([CF])\b"), |found| {
            let scale = if group(found, 2) == "C" {
                "Celsius"
            } else {
                "Fahrenheit"
            };
            format!("{} degrees {scale}", numbers::number(group(found, 1)))
        }),
        Rule::new(
            &format!(r"\b({NUMBER}) ?({unit})\b{{end-half}}"),
            |found| match look_up(UNITS, group(found, 2)) {
                Some([one, _]) if group(found, 1) == "1" => format!("one {one}"),
                Some([_, many]) => format!("{} {many}", numbers::number(group(found, 1))),
                None => unchanged(found),
            },
        ),
        Rule::new(r"\b(\d{1,9})(?:st|nd|rd|th)\b", |found| {
            group(found, 1)
                .parse()
                .map_or_else(|_| unchanged(found), numbers::ordinal)
        }),
        Rule::new(r"(?:\b[Nn]o\. ?|\bn° ?|#)(\d)", |found| {
            format!("number {}", group(found, 1))
        }),
        Rule::new(r"\b24/7\b", |_| "twenty-four seven".to_owned()),
        Rule::new(r"\b(\d\d?)/(\d\d?)\b", |found| {
            fraction(group(found, 1), group(found, 2))
        }),
        Rule::new(r"\+?\(?\b\d{2,4}\)?(?:[ .-]\d{2,4}){2,}\b", |found| {
            telephone(group(found, 0))
        }),
        Rule::new(r"(\d) ?[–-] ?(\d)", |found| {
            format!("{} to {}", group(found, 1), group(found, 2))
        }),
        Rule::new(r"(\d):(\d)", |found| {
            format!("{} to {}", group(found, 1), group(found, 2))
        }),
        Rule::new(r"\b(\d{4})\b( [a-z]+s\b)?", four_figures),
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

fn four_figures(found: &Captures<'_>) -> String {
    let next = group(found, 2);
    let counts = !next.is_empty() && !NO_PLURALS.contains(&next.trim_start());
    match group(found, 1).parse::<u64>() {
        Ok(number) if (1100..2100).contains(&number) && !counts => {
            format!("{}{next}", numbers::year(number))
        }
        _ => unchanged(found),
    }
}

fn fraction(above: &str, below: &str) -> String {
    let parts = [above, below].map(|figures| figures.parse::<u64>().unwrap_or_default());
    let [above, below] = parts;
    let said = numbers::cardinal(above);
    match (above, below) {
        (1, 2) => "one half".to_owned(),
        (_, 2..=10) if above > 0 && above < below => {
            let part = if below == 4 {
                "quarter".to_owned()
            } else {
                numbers::ordinal(below)
            };
            format!("{said} {part}{}", if above == 1 { "" } else { "s" })
        }
        _ => format!("{said} {}", numbers::cardinal(below)),
    }
}

/// Figure by figure, with a breath between the groups.
fn telephone(written: &str) -> String {
    let groups: Vec<String> = written
        .split(|c: char| !c.is_ascii_digit())
        .filter(|figures| !figures.is_empty())
        .map(numbers::digits)
        .collect();
    let plus = if written.starts_with('+') {
        "plus "
    } else {
        ""
    };
    format!("{plus}{}", groups.join(", "))
}
