//! Dates, decades and times of day.

use super::{numbers, words::MONTHS};
use crate::synthesis::normalize::rules::{Rule, any_of, group, look_up, unchanged};

/// Rules for dates and times.
pub(super) fn rules() -> Vec<Rule> {
    let month = any_of(MONTHS);
    vec![
        Rule::new(r"\b(\d{4})-(\d\d)-(\d\d)\b", |found| {
            date(group(found, 1), group(found, 2), group(found, 3))
                .unwrap_or_else(|| unchanged(found))
        }),
        // Month first, as in America, unless that cannot be.
        Rule::new(r"\b(\d\d?)/(\d\d?)/(\d{4})\b", |found| {
            let (first, second, year) = (group(found, 1), group(found, 2), group(found, 3));
            date(year, first, second)
                .or_else(|| date(year, second, first))
                .unwrap_or_else(|| unchanged(found))
        }),
        Rule::new(
            &format!(r"\b({month})\.? (\d\d?)(?:st|nd|rd|th)?\b(,? (?:\d{{4}})\b)?"),
            |found| match (full_month(group(found, 1)), day(group(found, 2))) {
                (Some(month), Some(day)) => format!("{month} {day}{}", group(found, 3)),
                _ => unchanged(found),
            },
        ),
        Rule::new(
            &format!(r"\b([Tt]he )?(\d\d?)(?:st|nd|rd|th)? (?:of )?({month})\b\.?"),
            |found| match (full_month(group(found, 3)), day(group(found, 2))) {
                (Some(month), Some(day)) => {
                    let article = found.get(1).map_or("the ", |article| article.as_str());
                    format!("{article}{day} of {month}")
                }
                _ => unchanged(found),
            },
        ),
        Rule::new(&format!(r"\b({month})\.? (\d{{4}})\b"), |found| {
            match (full_month(group(found, 1)), group(found, 2).parse()) {
                (Some(month), Ok(year)) => format!("{month} {}", numbers::year(year)),
                _ => unchanged(found),
            }
        }),
        Rule::new(r"'(\d0)s\b", |found| decade(group(found, 1))),
        Rule::new(r"\b(\d{3}0|\d0)'?s\b", |found| decade(group(found, 1))),
        Rule::new(
            r"\b([01]?\d|2[0-3]):([0-5]\d)(?::[0-5]\d)?(?: ?([AaPp])\.?[Mm]\b\.?)?",
            |found| time(group(found, 1), group(found, 2), group(found, 3)),
        ),
        Rule::new(r"\b(1[0-2]|0?[1-9]) ?([AaPp])\.?[Mm]\b\.?", |found| {
            time(group(found, 1), "00", group(found, 2))
        }),
    ]
}

fn date(year: &str, month: &str, day_of_month: &str) -> Option<String> {
    let month = month.parse::<u64>().ok()?;
    let (name, _) = MONTHS.iter().find(|(_, number)| *number == month)?;
    let year = numbers::year(year.parse().ok()?);
    Some(format!("{name} {}, {year}", day(day_of_month)?))
}

fn day(figures: &str) -> Option<String> {
    let number = figures.parse().ok()?;
    (1..=31).contains(&number).then(|| numbers::ordinal(number))
}

fn full_month(name: &str) -> Option<&'static str> {
    let number = look_up(MONTHS, name)?;
    let (full, _) = MONTHS.iter().find(|(_, other)| *other == number)?;
    Some(full)
}

fn decade(figures: &str) -> String {
    figures
        .parse()
        .map_or_else(|_| numbers::digits(figures), numbers::decade)
}

fn time(hour: &str, minute: &str, half: &str) -> String {
    let half = match half {
        "a" | "A" => " a.m.",
        "p" | "P" => " p.m.",
        _ => "",
    };
    let value = |figures: &str| figures.parse::<u64>().unwrap_or_default();
    let said = numbers::cardinal(value(hour));
    match value(minute) {
        0 if !half.is_empty() => format!("{said}{half}"),
        0 if value(hour) == 0 => "midnight".to_owned(),
        0 if value(hour) <= 12 => format!("{said} o'clock"),
        0 => format!("{said} hundred"),
        minute if minute < 10 => format!("{said} oh {}{half}", numbers::cardinal(minute)),
        minute => format!("{said} {}{half}", numbers::cardinal(minute)),
    }
}
