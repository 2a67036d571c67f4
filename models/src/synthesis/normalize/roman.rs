//! Roman numerals.

/// The value of a well-formed numeral of I, V, X, L and C below 400; `None` for other words.
pub(super) fn value(numeral: &str) -> Option<u64> {
    // After a subtraction nothing of the same decade may follow: "IX" is no "IXI".
    let malformed = ["IXI", "IXV", "IVI", "XCX", "XCL", "XLX"];
    if malformed.iter().any(|run| numeral.contains(run)) {
        return None;
    }
    let mut rest = numeral;
    let mut total = 0;
    for (digit, worth, most) in [
        ("C", 100, 3),
        ("XC", 90, 1),
        ("L", 50, 1),
        ("XL", 40, 1),
        ("X", 10, 3),
        ("IX", 9, 1),
        ("V", 5, 1),
        ("IV", 4, 1),
        ("I", 1, 3),
    ] {
        for _ in 0..most {
            if let Some(after) = rest.strip_prefix(digit) {
                total += worth;
                rest = after;
            }
        }
    }
    (rest.is_empty() && total > 0).then_some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numerals_have_values_and_words_have_none() {
        for (numeral, expected) in [
            ("I", 1),
            ("IV", 4),
            ("IX", 9),
            ("XIV", 14),
            ("XIX", 19),
            ("XXI", 21),
            ("XLVIII", 48),
            ("XC", 90),
            ("CCC", 300),
        ] {
            assert_eq!(value(numeral), Some(expected), "{numeral}");
        }
        for word in ["", "IIII", "VX", "IC", "ROI", "i", "IXI"] {
            assert_eq!(value(word), None, "{word}");
        }
    }
}
