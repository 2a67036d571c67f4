//! Where a sentence without end is cut.

use super::abbreviations::Words;

/// Characters a word may have on average before a text of few words counts as too long.
const CHARS_PER_WORD: usize = 10;

/// The longest beginning of `text` that is short enough, in bytes, once it is certain that the
/// text is longer: `words` words, or as many characters as that many long words.
pub(super) fn longest(text: &str, words: usize) -> Option<usize> {
    let mut begun = 0;
    let mut in_word = false;
    for (chars, (at, c)) in text.char_indices().enumerate() {
        if !c.is_whitespace() && !in_word {
            begun += 1;
        }
        in_word = !c.is_whitespace();
        if begun > words || chars >= words * CHARS_PER_WORD {
            return Some(at);
        }
    }
    None
}

/// Where to cut `text` (which is [`longest`]): after the last clause, else before the last
/// conjunction, both only in its second half; else after the last word.
pub(super) fn cut(text: &str, words: &Words) -> usize {
    let second_half = |at: &usize| *at >= text.len() / 2;
    let starts: Vec<(usize, &str)> = word_starts(text).collect();
    let clause = starts
        .iter()
        .map(|&(start, _)| start)
        .rfind(|start| second_half(start) && ends_clause(&text[..*start]));
    let conjunction = || {
        starts
            .iter()
            .rfind(|(start, word)| second_half(start) && words.is_conjunction(word))
            .map(|&(start, _)| start)
    };
    // The last word may be cut short by the limit of characters.
    let word = || {
        let whole = text.ends_with(char::is_whitespace);
        let last = starts
            .last()
            .map(|&(start, _)| start)
            .filter(|&start| start > 0);
        if whole { None } else { last }
    };
    clause
        .or_else(conjunction)
        .or_else(word)
        .unwrap_or(text.len())
}

/// Whether the text before a word ends a clause.
fn ends_clause(before: &str) -> bool {
    before
        .trim_end()
        .ends_with([',', ';', ':', '—', '–', '،', '、', '，', '；'])
}

/// Words after white space, with where they start; only their letters.
fn word_starts(text: &str) -> impl Iterator<Item = (usize, &str)> {
    text.split_whitespace().map(move |word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let letters = word
            .find(|c: char| !c.is_alphabetic())
            .unwrap_or(word.len());
        (start, &word[..letters])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_of(language: &str, text: &str) -> (String, String) {
        let (first, rest) = text.split_at(cut(text, Words::of(language.parse().unwrap())));
        (first.to_owned(), rest.to_owned())
    }

    #[test]
    fn the_limit_is_certain_only_when_one_more_word_begins() {
        assert_eq!(longest("one two three", 3), None);
        assert_eq!(longest("one two three ", 3), None);
        assert_eq!(longest("one two three f", 3), Some("one two three ".len()));
        assert_eq!(longest(&"a".repeat(30), 3), None);
        assert_eq!(longest(&"a".repeat(31), 3), Some(30));
    }

    #[test]
    fn cuts_after_a_clause_before_a_conjunction_or_between_words() {
        let (first, rest) = cut_of("en", "we went to the market, then we came home and ate ");
        assert_eq!((first.as_str(), rest.as_str()).1, "and ate ");
        assert_eq!(first, "we went to the market, then we came home ");
        let (_, rest) = cut_of(
            "fr",
            "nous sommes allés au marché puis, enfin, à la maison et ",
        );
        assert_eq!(rest, "à la maison et ");
        let (first, rest) = cut_of("en", "and one two three four five ");
        assert_eq!(
            (first.as_str(), rest.as_str()),
            ("and one two three four five ", "")
        );
        let (first, rest) = cut_of("en", "one two threefourfi");
        assert_eq!((first.as_str(), rest.as_str()), ("one two ", "threefourfi"));
    }
}
