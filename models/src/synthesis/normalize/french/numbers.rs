//! French numbers in words.

const SMALL: [&str; 20] = [
    "zéro", "un", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "neuf", "dix", "onze",
    "douze", "treize", "quatorze", "quinze", "seize", "dix-sept", "dix-huit", "dix-neuf",
];
/// Seventy and ninety count on from sixty and eighty.
const TENS: [&str; 10] = [
    "",
    "",
    "vingt",
    "trente",
    "quarante",
    "cinquante",
    "soixante",
    "soixante",
    "quatre-vingt",
    "quatre-vingt",
];
const SCALES: [(u64, &str); 3] = [
    (1_000_000_000_000, "billion"),
    (1_000_000_000, "milliard"),
    (1_000_000, "million"),
];

/// 381 as "trois cent quatre-vingt-un".
pub(super) fn cardinal(number: u64) -> String {
    for (scale, name) in SCALES {
        if number >= scale {
            let count = number / scale;
            let plural = if count > 1 { "s" } else { "" };
            return joined(
                format!("{} {name}{plural}", cardinal(count)),
                number % scale,
            );
        }
    }
    match number / 1_000 {
        0 => below_thousand(number),
        1 => joined("mille".to_owned(), number % 1_000),
        thousands => joined(
            // "quatre-vingts" and "cents" lose their s before "mille".
            format!("{} mille", without_plural(&below_thousand(thousands))),
            number % 1_000,
        ),
    }
}

/// 21 as "vingt et une": before a feminine noun.
pub(super) fn feminine(number: u64) -> String {
    let words = cardinal(number);
    if words == "un"
        || words.ends_with([' ', '-'])
        || words.ends_with(" un")
        || words.ends_with("-un")
    {
        format!("{words}e")
    } else {
        words
    }
}

/// 21 as "vingt et unième".
pub(super) fn ordinal(number: u64) -> String {
    if number == 1 {
        return "premier".to_owned();
    }
    let words = cardinal(number);
    let stem = match words.as_str() {
        // The s of "trois" belongs to the word, the one of "cents" does not.
        words
            if words.ends_with("cents")
                || words.ends_with("vingts")
                || words.ends_with("ions")
                || words.ends_with("ards") =>
        {
            without_plural(words)
        }
        words => words,
    };
    if let Some(stem) = stem.strip_suffix("cinq") {
        format!("{stem}cinquième")
    } else if let Some(stem) = stem.strip_suffix("neuf") {
        format!("{stem}neuvième")
    } else {
        format!("{}ième", stem.strip_suffix('e').unwrap_or(stem))
    }
}

/// "07" as "zéro sept": one figure at a time.
pub(super) fn digits(figures: &str) -> String {
    let said: Vec<&str> = figures
        .chars()
        .filter_map(|c| c.to_digit(10))
        .map(|digit| SMALL[digit as usize])
        .collect();
    said.join(" ")
}

/// A number as written: "1 234,5", "1.2.3".
pub(super) fn number(written: &str) -> String {
    let plain = written.replace(' ', "");
    if let Some((whole, fraction)) = plain.split_once(',') {
        return format!("{} virgule {}", integer(whole), fraction_words(fraction));
    }
    let parts: Vec<String> = plain.split('.').map(fraction_words).collect();
    parts.join(" point ")
}

/// Leading zeros are said one by one, then a number: "05" as "zéro cinq".
pub(super) fn fraction_words(figures: &str) -> String {
    let rest = figures.trim_start_matches('0');
    let zeros = figures.len() - rest.len();
    let mut said = vec!["zéro".to_owned(); zeros];
    if !rest.is_empty() {
        said.push(integer(rest));
    }
    said.join(" ")
}

fn integer(figures: &str) -> String {
    match figures.parse() {
        Ok(value) if figures.len() <= 15 && (figures.len() == 1 || !figures.starts_with('0')) => {
            cardinal(value)
        }
        _ => digits(figures),
    }
}

fn below_thousand(number: u64) -> String {
    let (hundreds, rest) = (number / 100, number % 100);
    let head = match hundreds {
        0 => return below_hundred(rest),
        1 => "cent".to_owned(),
        many if rest == 0 => return format!("{} cents", SMALL[many as usize]),
        many => format!("{} cent", SMALL[many as usize]),
    };
    joined(head, rest)
}

fn below_hundred(number: u64) -> String {
    if number < 20 {
        return SMALL[number as usize].to_owned();
    }
    let tens = number / 10;
    let units = if matches!(tens, 7 | 9) {
        number % 10 + 10
    } else {
        number % 10
    };
    let head = TENS[tens as usize];
    match (tens, units) {
        (8, 0) => "quatre-vingts".to_owned(),
        (_, 0) => head.to_owned(),
        (2..=7, 1 | 11) => format!("{head} et {}", SMALL[units as usize]),
        _ => format!("{head}-{}", SMALL[units as usize]),
    }
}

fn joined(head: String, rest: u64) -> String {
    if rest == 0 {
        head
    } else {
        format!("{head} {}", cardinal(rest))
    }
}

fn without_plural(words: &str) -> &str {
    if words.ends_with("trois") {
        words
    } else {
        words.strip_suffix('s').unwrap_or(words)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cardinals() {
        for (number, expected) in [
            (0, "zéro"),
            (1, "un"),
            (17, "dix-sept"),
            (20, "vingt"),
            (21, "vingt et un"),
            (22, "vingt-deux"),
            (70, "soixante-dix"),
            (71, "soixante et onze"),
            (77, "soixante-dix-sept"),
            (80, "quatre-vingts"),
            (81, "quatre-vingt-un"),
            (90, "quatre-vingt-dix"),
            (91, "quatre-vingt-onze"),
            (99, "quatre-vingt-dix-neuf"),
            (100, "cent"),
            (101, "cent un"),
            (180, "cent quatre-vingts"),
            (200, "deux cents"),
            (281, "deux cent quatre-vingt-un"),
            (1_000, "mille"),
            (1_999, "mille neuf cent quatre-vingt-dix-neuf"),
            (2_000, "deux mille"),
            (3_000, "trois mille"),
            (80_000, "quatre-vingt mille"),
            (200_000, "deux cent mille"),
            (1_000_000, "un million"),
            (2_000_200, "deux millions deux cents"),
            (80_000_000, "quatre-vingts millions"),
            (3_000_000_000, "trois milliards"),
        ] {
            assert_eq!(cardinal(number), expected);
        }
        assert_eq!(feminine(21), "vingt et une");
        assert_eq!(feminine(81), "quatre-vingt-une");
        assert_eq!(feminine(11), "onze");
    }

    #[test]
    fn ordinals() {
        for (number, expected) in [
            (1, "premier"),
            (2, "deuxième"),
            (3, "troisième"),
            (4, "quatrième"),
            (5, "cinquième"),
            (9, "neuvième"),
            (19, "dix-neuvième"),
            (21, "vingt et unième"),
            (30, "trentième"),
            (71, "soixante et onzième"),
            (80, "quatre-vingtième"),
            (100, "centième"),
            (200, "deux centième"),
            (1_000, "millième"),
            (2_000_000, "deux millionième"),
        ] {
            assert_eq!(ordinal(number), expected);
        }
    }

    #[test]
    fn written_numbers() {
        assert_eq!(number("3,14"), "trois virgule quatorze");
        assert_eq!(number("0,05"), "zéro virgule zéro cinq");
        assert_eq!(
            number("1 234 567"),
            "un million deux cent trente-quatre mille cinq cent soixante-sept"
        );
        assert_eq!(number("2.0.1"), "deux point zéro point un");
    }
}
