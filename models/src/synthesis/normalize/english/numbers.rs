//! English numbers in words.

const SMALL: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = [
    "", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety",
];
const SCALES: [(u64, &str); 4] = [
    (1_000_000_000_000, "trillion"),
    (1_000_000_000, "billion"),
    (1_000_000, "million"),
    (1_000, "thousand"),
];
const IRREGULAR_ORDINALS: [(&str, &str); 7] = [
    ("one", "first"),
    ("two", "second"),
    ("three", "third"),
    ("five", "fifth"),
    ("eight", "eighth"),
    ("nine", "ninth"),
    ("twelve", "twelfth"),
];

/// 342 as "three hundred and forty-two".
pub(super) fn cardinal(number: u64) -> String {
    for (scale, name) in SCALES {
        if number >= scale {
            let head = format!("{} {name}", cardinal(number / scale));
            return match number % scale {
                0 => head,
                rest if rest < 100 => format!("{head} and {}", cardinal(rest)),
                rest => format!("{head} {}", cardinal(rest)),
            };
        }
    }
    let small = |n: u64| SMALL[n as usize];
    match (number / 100, number % 100) {
        (0, n) if n < 20 => small(n).to_owned(),
        (0, n) if n % 10 == 0 => TENS[n as usize / 10].to_owned(),
        (0, n) => format!("{}-{}", TENS[n as usize / 10], small(n % 10)),
        (hundreds, 0) => format!("{} hundred", small(hundreds)),
        (hundreds, rest) => format!("{} hundred and {}", small(hundreds), cardinal(rest)),
    }
}

/// 21 as "twenty-first".
pub(super) fn ordinal(number: u64) -> String {
    let words = cardinal(number);
    let last_at = words.rfind([' ', '-']).map_or(0, |at| at + 1);
    let (head, last) = words.split_at(last_at);
    let irregular = IRREGULAR_ORDINALS.iter().find(|(word, _)| *word == last);
    match (irregular, last.strip_suffix('y')) {
        (Some((_, ordinal)), _) => format!("{head}{ordinal}"),
        (None, Some(stem)) => format!("{head}{stem}ieth"),
        (None, None) => format!("{head}{last}th"),
    }
}

/// 1987 as "nineteen eighty-seven", 2005 as "two thousand and five".
pub(super) fn year(number: u64) -> String {
    match (number / 100, number % 100) {
        (10 | 20, rest) if rest < 10 => cardinal(number),
        (10..=99, 0) => format!("{} hundred", cardinal(number / 100)),
        (10..=99, rest) if rest < 10 => {
            format!("{} oh {}", cardinal(number / 100), cardinal(rest))
        }
        (10..=99, rest) => format!("{} {}", cardinal(number / 100), cardinal(rest)),
        _ => cardinal(number),
    }
}

/// "1990" as "nineteen nineties".
pub(super) fn decade(number: u64) -> String {
    let words = year(number);
    match words.strip_suffix('y') {
        Some(stem) => format!("{stem}ies"),
        None => format!("{words}s"),
    }
}

/// "407" as "four oh seven": one figure at a time.
pub(super) fn digits(figures: &str) -> String {
    let said: Vec<&str> = figures
        .chars()
        .filter_map(|c| c.to_digit(10))
        .map(|digit| SMALL[digit as usize])
        .collect();
    said.join(" ")
}

/// A number as written, "1,234.5": long ones and those with a leading zero figure by figure.
pub(super) fn number(written: &str) -> String {
    let plain = written.replace(',', "");
    let mut parts = plain.split('.');
    let whole = integer(parts.next().unwrap_or_default());
    parts.fold(whole, |said, fraction| {
        format!("{said} point {}", digits(fraction))
    })
}

fn integer(figures: &str) -> String {
    match figures.parse() {
        Ok(value) if figures.len() <= 15 && (figures.len() == 1 || !figures.starts_with('0')) => {
            cardinal(value)
        }
        _ => digits(figures),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cardinals() {
        for (number, expected) in [
            (0, "zero"),
            (13, "thirteen"),
            (20, "twenty"),
            (42, "forty-two"),
            (100, "one hundred"),
            (101, "one hundred and one"),
            (342, "three hundred and forty-two"),
            (1_000, "one thousand"),
            (1_001, "one thousand and one"),
            (12_345, "twelve thousand three hundred and forty-five"),
            (1_000_000, "one million"),
            (7_000_000_010, "seven billion and ten"),
        ] {
            assert_eq!(cardinal(number), expected);
        }
    }

    #[test]
    fn ordinals() {
        for (number, expected) in [
            (1, "first"),
            (2, "second"),
            (3, "third"),
            (4, "fourth"),
            (5, "fifth"),
            (8, "eighth"),
            (9, "ninth"),
            (12, "twelfth"),
            (20, "twentieth"),
            (21, "twenty-first"),
            (40, "fortieth"),
            (100, "one hundredth"),
            (112, "one hundred and twelfth"),
        ] {
            assert_eq!(ordinal(number), expected);
        }
    }

    #[test]
    fn years() {
        for (number, expected) in [
            (1066, "ten sixty-six"),
            (1492, "fourteen ninety-two"),
            (1900, "nineteen hundred"),
            (1905, "nineteen oh five"),
            (2000, "two thousand"),
            (2009, "two thousand and nine"),
            (2010, "twenty ten"),
            (2024, "twenty twenty-four"),
        ] {
            assert_eq!(year(number), expected);
        }
        assert_eq!(decade(1990), "nineteen nineties");
        assert_eq!(decade(2000), "two thousands");
    }

    #[test]
    fn written_numbers() {
        assert_eq!(
            number("1,234.05"),
            "one thousand two hundred and thirty-four point zero five"
        );
        assert_eq!(number("007"), "zero zero seven");
        assert_eq!(number("1.2.3"), "one point two point three");
    }
}
