//! Word error rate.

/// Errors of a text against a reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct WordErrors {
    /// Words substituted, inserted or deleted.
    pub errors: usize,
    /// Words of the reference.
    pub words: usize,
}

impl WordErrors {
    /// Errors per word of the reference, in percent.
    #[must_use]
    pub fn percent(self) -> f64 {
        100.0 * self.errors as f64 / self.words.max(1) as f64
    }
}

impl std::ops::Add for WordErrors {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            errors: self.errors + other.errors,
            words: self.words + other.words,
        }
    }
}

/// The fewest word errors that turn `reference` into `text`; case and punctuation do not count.
#[must_use]
pub fn word_errors(text: &str, reference: &str) -> WordErrors {
    let (text, reference) = (plain_words(text), plain_words(reference));
    // Levenshtein distance by rows: `row[j]` of row i is the distance of the first i words of the
    // reference to the first j of the text.
    let mut row: Vec<usize> = (0..=text.len()).collect();
    for (i, expected) in reference.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, found) in text.iter().enumerate() {
            let substituted = diagonal + usize::from(expected != found);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(diagonal + 1).min(row[j] + 1);
        }
    }
    WordErrors {
        errors: row[text.len()],
        words: reference.len(),
    }
}

/// Lower-case words; everything that is no letter or digit parts words.
#[must_use]
pub fn plain_words(text: &str) -> Vec<String> {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

impl std::iter::Sum for WordErrors {
    fn sum<I: Iterator<Item = Self>>(errors: I) -> Self {
        errors.fold(Self::default(), |sum, errors| sum + errors)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn errors_are_a_distance(a in "[ab ]{0,20}", b in "[ab ]{0,20}", c in "[ab ]{0,20}") {
            let errors = |x: &str, y: &str| word_errors(x, y).errors;
            let (long, short) = (plain_words(&a).len(), plain_words(&b).len());
            prop_assert_eq!(errors(&a, &a), 0);
            prop_assert_eq!(errors(&a, &b), errors(&b, &a));
            prop_assert!(errors(&a, &b) >= long.abs_diff(short));
            prop_assert!(errors(&a, &b) <= long.max(short));
            prop_assert!(errors(&a, &c) <= errors(&a, &b) + errors(&b, &c));
        }
    }

    #[test]
    fn substitutions_insertions_and_deletions_count_one_each() {
        let errors = |text| word_errors(text, "one two three four").errors;
        assert_eq!(errors("One, two: three four."), 0);
        assert_eq!(errors("one too three four"), 1);
        assert_eq!(errors("one two two three four"), 1);
        assert_eq!(errors("one three"), 2);
        assert_eq!(errors(""), 4);
    }

    #[test]
    fn the_rate_is_of_the_reference() {
        assert!((word_errors("a x", "a b c d").percent() - 75.0).abs() < 1e-9);
        assert!((WordErrors::default().percent() - 0.0).abs() < 1e-9);
    }
}
