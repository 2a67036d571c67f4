//! Where a sentence without end is cut.

use super::abbreviations::Words;

/// Characters a word may have on average before a text of few words counts as too long.
const CHARS_PER_WORD: usize = 10;

/// Where a text is cut that is no sentence by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    /// Here, in bytes.
    pub(super) at: usize,
    /// That is certain after so many bytes: up to there the text may still turn out to be a sentence by itself.
    pub(super) seen: usize,
}

/// Where `text` is cut when it is no sentence by itself: in the last quarter of `longest` words behind
/// the first clause, in the last eighth also before a conjunction, and after that many words, or as many
/// characters as that many long words, wherever that is.
///
/// It is the end of what has come so far, but for the conjunction, and never a place that the text has passed:
/// translation of it may have begun, and would be said again with the next sentence.
pub(super) fn cut(text: &str, words: &Words, longest: usize) -> Option<Cut> {
    let after_clause = longest - longest / 4;
    let before_conjunction = longest - longest / 8;
    let mut whole = 0;
    let mut word = None;
    for (chars, (at, c)) in text.char_indices().enumerate() {
        if chars >= longest * CHARS_PER_WORD {
            // Not within a word, unless there is no other.
            let start = word.filter(|&start| start > 0);
            return Some(Cut {
                at: start.unwrap_or(at),
                seen: at,
            });
        }
        match word {
            None if !c.is_whitespace() => {
                let clause = whole >= after_clause && ends_clause(&text[..at]);
                if clause || whole == longest {
                    return Some(Cut { at, seen: at });
                }
                word = Some(at);
            }
            Some(start) if c.is_whitespace() => {
                if whole >= before_conjunction && words.is_conjunction(&text[start..at]) {
                    return Some(Cut {
                        at: start,
                        seen: at,
                    });
                }
                whole += 1;
                word = None;
            }
            _ => {}
        }
    }
    None
}

/// Whether the text before a word ends a clause.
fn ends_clause(before: &str) -> bool {
    before
        .trim_end()
        .ends_with([',', ';', ':', '—', '–', '،', '、', '，', '；'])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut_of<'a>(language: &str, text: &'a str, longest: usize) -> Option<(&'a str, &'a str)> {
        let words = Words::of(language.parse().unwrap());
        cut(text, words, longest).map(|cut| text.split_at(cut.at))
    }

    #[test]
    fn the_limit_is_certain_only_when_one_more_word_begins() {
        let english = |text| cut_of("en", text, 3);
        assert_eq!(english("one two three"), None);
        assert_eq!(english("one two three "), None);
        assert_eq!(english("one two three f"), Some(("one two three ", "f")));
        let long = "a".repeat(31);
        assert_eq!(english(&long[..30]), None);
        assert_eq!(english(&long), Some(long.split_at(30)));
        let long = format!("one {long}");
        assert_eq!(english(&long), Some(long.split_at(4)));
    }

    #[test]
    fn cuts_after_a_clause_or_before_a_conjunction_as_soon_as_it_is_there() {
        let text = "we went to the market, then home";
        assert_eq!(cut_of("en", text, 6), Some(text.split_at(23)));
        assert_eq!(cut_of("en", &text[..23], 6), None);
        assert_eq!(
            cut_of("en", text, 7),
            None,
            "a clause after five of seven words"
        );
        let text = "nous sommes allés au marché puis à la maison et au";
        assert_eq!(cut_of("fr", text, 10), Some(text.split_at(48)));
        assert_eq!(cut_of("fr", text, 11), None);
        assert_eq!(
            cut_of("fr", &text[..text.len() - 3], 10),
            None,
            "it may go on"
        );
    }
}
