//! Whether a sentence ends at a full stop, question mark or the like.

use super::abbreviations::{Kind, Words};

/// Characters after a mark that a decision may look at. Bounded, so that a text of nothing but
/// dots or spaces cannot hold a decision back for ever.
const LOOK_AHEAD: usize = 64;

/// What holds at a mark, however the text goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A sentence ends; how many bytes after the beginning of the mark (closing quotes included).
    Ends(usize),
    /// No sentence ends. So many bytes belong to the mark.
    GoesOn(usize),
    /// It depends on text that is not there yet.
    Unknown,
}

/// Whether a sentence may end at `c`.
pub(super) fn is_mark(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '‽' | '؟' | '।') || is_wide_mark(c)
}

/// Marks of scripts that put no space after them.
fn is_wide_mark(c: char) -> bool {
    matches!(c, '。' | '！' | '？' | '｡')
}

/// Closes what it directly follows, the end of a sentence included.
fn is_closer(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '’' | '”' | '»' | '›' | ')' | ']' | '」' | '』'
    )
}

/// Closes even after a space, as French sets it.
fn is_spaced_closer(c: char) -> bool {
    matches!(c, '»' | '›' | '”')
}

/// Begins a sentence before its first word.
fn is_opener(c: char) -> bool {
    matches!(
        c,
        '"' | '\'' | '‘' | '“' | '«' | '‹' | '(' | '[' | '¿' | '¡' | '-' | '–' | '—'
    )
}

/// Cannot begin a sentence.
fn continues(c: char) -> bool {
    is_mark(c) || matches!(c, ',' | ';' | ':' | ')' | ']' | '%' | '/' | '»' | '›')
}

/// Judges the mark at the beginning of `rest`, which follows `before` (the sentence so far).
/// `complete` tells that no more text comes.
pub(super) fn judge(before: &str, rest: &str, words: &Words, complete: bool) -> Verdict {
    let (window, complete) = match rest.char_indices().nth(LOOK_AHEAD) {
        Some((bytes, _)) => (&rest[..bytes], true),
        None => (rest, complete),
    };
    let mark = &window[..skip(window, 0, is_mark)];
    let end = closed(window, mark.len());
    let last = |verdict| if complete { verdict } else { Verdict::Unknown };
    let Some(follows) = window[end..].chars().next() else {
        return last(Verdict::Ends(end));
    };
    if !follows.is_whitespace() {
        return if mark.chars().any(is_wide_mark) {
            Verdict::Ends(end)
        } else {
            Verdict::GoesOn(mark.len())
        };
    }
    let next = skip(window, end, char::is_whitespace);
    match window[next..].chars().next() {
        None => return last(Verdict::Ends(end)),
        Some(c) if continues(c) => return Verdict::GoesOn(mark.len()),
        Some(_) => {}
    }
    let word = &window[skip(window, next, |c| is_opener(c) || c.is_whitespace())..];
    let Some(initial) = word.chars().next() else {
        return last(Verdict::Ends(end));
    };
    let ends = if initial.is_lowercase() {
        Some(false)
    } else if mark == "." {
        period(before, word, words, complete)
    } else {
        Some(true)
    };
    match ends {
        Some(true) => Verdict::Ends(end),
        Some(false) => Verdict::GoesOn(mark.len()),
        None => Verdict::Unknown,
    }
}

/// The first position at or after `from` whose character does not satisfy `matches`.
fn skip(text: &str, from: usize, matches: impl Fn(char) -> bool) -> usize {
    text[from..]
        .find(|c| !matches(c))
        .map_or(text.len(), |bytes| from + bytes)
}

/// Where closing quotes and brackets after `from` end.
fn closed(text: &str, from: usize) -> usize {
    let mut end = skip(text, from, is_closer);
    loop {
        let next = skip(text, end, char::is_whitespace);
        let after = skip(text, next, is_spaced_closer);
        if after == next {
            return end;
        }
        end = skip(text, after, is_closer);
    }
}

/// Whether a single period between `before` and the capitalised or unlettered `next` ends a
/// sentence; `None` where the next word must be known in full first.
fn period(before: &str, next: &str, words: &Words, complete: bool) -> Option<bool> {
    let word = before
        .rsplit(char::is_whitespace)
        .next()
        .unwrap_or_default()
        .trim_start_matches(is_opener);
    let word = word.rsplit(['\'', '’']).next().unwrap_or_default();
    let starter = || {
        let length = skip(next, 0, char::is_alphabetic);
        let whole = length < next.len() || complete;
        // An initial or an abbreviation starts no sentence: "52 av. J.-C." is not "J'ai".
        let abbreviated = next[length..].starts_with('.');
        whole.then(|| !abbreviated && words.starts_sentence(&next[..length]))
    };
    match words.kind(word) {
        Kind::Abbreviation => Some(false),
        Kind::AbbreviationBeforeNumber => Some(!next.starts_with(|c: char| c.is_numeric())),
        Kind::MayEndSentence => starter(),
        Kind::Word if word.contains('.') || is_initial(word) => starter(),
        // "1. Introduction": the number of a list, not a sentence.
        Kind::Word if is_number(word) => Some(before.trim() != word),
        Kind::Word => Some(true),
    }
}

fn is_initial(word: &str) -> bool {
    let mut chars = word.chars();
    matches!((chars.next(), chars.next()), (Some(c), None) if c.is_uppercase())
}

fn is_number(word: &str) -> bool {
    !word.is_empty() && word.chars().all(char::is_numeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(language: &str, text: &str, mark: usize) -> Verdict {
        let words = Words::of(language.parse().unwrap());
        judge(&text[..mark], &text[mark..], words, false)
    }

    #[test]
    fn waits_for_what_may_change_the_decision() {
        assert_eq!(verdict("en", "It is 3.", 7), Verdict::Unknown);
        assert_eq!(verdict("en", "It is 3. ", 7), Verdict::Unknown);
        assert_eq!(verdict("en", "It is 3. “", 7), Verdict::Unknown);
        assert_eq!(verdict("en", "It is 3. “W", 7), Verdict::Ends(1));
        assert_eq!(verdict("en", "It is 3.5", 7), Verdict::GoesOn(1));
        assert_eq!(verdict("en", "In the U.S. He", 10), Verdict::Unknown);
        assert_eq!(verdict("en", "In the U.S. He ", 10), Verdict::Ends(1));
        assert_eq!(verdict("en", "In the U.S. Hen", 10), Verdict::Unknown);
        assert_eq!(verdict("en", "In the U.S. Senate ", 10), Verdict::GoesOn(1));
    }

    #[test]
    fn does_not_wait_for_ever() {
        let text = format!("So.{}", " ".repeat(100));
        assert_eq!(verdict("en", &text, 2), Verdict::Ends(1));
        let text = format!("So{}", ".".repeat(100));
        assert_eq!(verdict("en", &text, 2), Verdict::Ends(LOOK_AHEAD));
    }

    #[test]
    fn a_spaced_french_closer_belongs_to_the_sentence() {
        let text = "« Bonjour ! » Il sort";
        let mark = text.find('!').unwrap();
        assert_eq!(verdict("fr", text, mark), Verdict::Ends("! »".len()));
        let text = "« Bonjour ! » dit-il";
        assert_eq!(verdict("fr", text, mark), Verdict::GoesOn(1));
    }
}
