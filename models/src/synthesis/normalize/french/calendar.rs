//! Dates and times of day.

use super::{numbers, words::MONTHS};
use crate::synthesis::normalize::rules::{Rule, any_of, group, look_up, unchanged};

/// Rules for dates and times.
pub(super) fn rules() -> Vec<Rule> {
    let month = any_of(MONTHS);
    vec![
        Rule::new(r"\b(\d{4})-(\d\d)-(\d\d)\b", |found| {
            date(group(found, 3), group(found, 2), group(found, 1))
                .unwrap_or_else(|| unchanged(found))
        }),
        Rule::new(r"\b(\d\d?)/(\d\d?)/(\d{4})\b", |found| {
            date(group(found, 1), group(found, 2), group(found, 3))
                .unwrap_or_else(|| unchanged(found))
        }),
        Rule::new(&format!(r"\b(\d\d?)(?:er)? ({month})"), |found| {
            match (day(group(found, 1)), full_month(group(found, 2))) {
                (Some(day), Some(month)) => format!("{day} {month}"),
                _ => unchanged(found),
            }
        }),
        Rule::new(r"\b([01]?\d|2[0-4]) ?[hH] ?([0-5]\d)\b", |found| {
            time(group(found, 1), group(found, 2))
        }),
        Rule::new(r"\b([01]?\d|2[0-4]):([0-5]\d)(?::[0-5]\d)?\b", |found| {
            time(group(found, 1), group(found, 2))
        }),
        Rule::new(r"\b(\d+) ?h\b", |found| time(group(found, 1), "00")),
    ]
}

fn date(day_of_month: &str, month: &str, year: &str) -> Option<String> {
    let month = month.parse::<u64>().ok()?;
    let (name, _) = MONTHS.iter().find(|(_, number)| *number == month)?;
    Some(format!(
        "{} {name} {}",
        day(day_of_month)?,
        numbers::number(year)
    ))
}

fn day(figures: &str) -> Option<String> {
    match figures.parse().ok()? {
        1 => Some("premier".to_owned()),
        number @ 2..=31 => Some(numbers::cardinal(number)),
        _ => None,
    }
}

fn full_month(name: &str) -> Option<&'static str> {
    let number = look_up(MONTHS, name)?;
    let (full, _) = MONTHS.iter().find(|(_, other)| *other == number)?;
    Some(full)
}

fn time(hour: &str, minute: &str) -> String {
    let hour: u64 = hour.parse().unwrap_or_default();
    let minute: u64 = minute.parse().unwrap_or_default();
    let hours = if hour < 2 { "heure" } else { "heures" };
    let said = format!("{} {hours}", numbers::feminine(hour));
    match minute {
        0 => said,
        minute => format!("{said} {}", numbers::cardinal(minute)),
    }
}
