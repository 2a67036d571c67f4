//! Cuts a sentence into clauses to be spoken one after the other.
//!
//! The first clause can be heard while the next is synthesised, so a sentence is cut wherever a
//! reader would pause.

/// Fewest words of a clause: shorter ones sound clipped, because each is spoken on its own.
pub const SHORTEST_CLAUSE: usize = 3;

/// Cuts `sentence` at commas, semicolons, colons, dashes and ends of sentences that white space
/// follows (so not in "1,000" or "10:30"). No clause has fewer than [`SHORTEST_CLAUSE`] words,
/// unless the whole sentence does. Joined, the clauses are the sentence; white space between two
/// belongs to the first.
///
/// ```
/// use interpret_models::synthesis::clauses::clauses;
/// assert_eq!(
///     clauses("Well, he paid 1,000 euros; then he left."),
///     ["Well, he paid 1,000 euros; ", "then he left."]
/// );
/// ```
#[must_use]
pub fn clauses(sentence: &str) -> Vec<&str> {
    let mut clauses = Vec::new();
    let mut from = 0;
    for end in pauses(sentence) {
        let enough = |text| words(text) >= SHORTEST_CLAUSE;
        if enough(&sentence[from..end]) && enough(&sentence[end..]) {
            clauses.push(&sentence[from..end]);
            from = end;
        }
    }
    if from < sentence.len() {
        clauses.push(&sentence[from..]);
    }
    clauses
}

/// Where a reader would pause: after a mark, what closes with it, and white space.
fn pauses(sentence: &str) -> impl Iterator<Item = usize> {
    sentence
        .char_indices()
        .filter(|&(_, c)| is_pause(c))
        .filter_map(move |(at, mark)| {
            let rest = sentence[at + mark.len_utf8()..].trim_start_matches(is_closer);
            let next = rest.trim_start();
            let spaced = next.len() < rest.len() || mark == '—';
            // A mark or a closing guillemet that follows belongs to the same pause.
            let goes_on = next.starts_with(|c| is_pause(c) || c == '»');
            (spaced && !goes_on).then_some(sentence.len() - next.len())
        })
}

/// A full stop is not among these: it also ends abbreviations, and a sentence has one at most.
fn is_pause(c: char) -> bool {
    matches!(c, ',' | ';' | ':' | '—' | '–' | '…' | '!' | '?' | '»')
}

fn is_closer(c: char) -> bool {
    matches!(c, '"' | '”' | '’' | '\'' | '»' | ')' | ']')
}

/// Words of `text`: what white space separates and has a letter or digit.
fn words(text: &str) -> usize {
    text.split_whitespace()
        .filter(|word| word.contains(char::is_alphanumeric))
        .count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(barred: &str) {
        let expected: Vec<&str> = barred.split('|').collect();
        assert_eq!(clauses(&expected.concat()), expected);
    }

    #[test]
    fn cuts_where_a_reader_pauses() {
        check("When the rain stopped, |we went to the market; |then we came home.");
        check("Il a dit ceci : |nous partirons demain matin.");
        check("Le « grand soir », |comme on l'appelle, |n'est jamais venu.");
        check("They are here to stay — |or so they say.");
        check("They are here to stay—|or so they say.");
        check("“I would not go,” |he said to her.");
        check("Est-ce que tu viens ? |Je pars sans toi.");
    }

    #[test]
    fn leaves_numbers_and_short_clauses_whole() {
        check("It cost 1,000 euros at 10:30 in the morning.");
        check("Yes, of course, |I will come with you, too.");
        check("Well, no.");
        check("Dr. Smith saw Mr. Jones in St. Louis.");
        check("Red, green, blue, |white, black and grey.");
    }

    #[test]
    fn nothing_has_no_clauses() {
        assert!(clauses("").is_empty());
        assert_eq!(clauses(" ,;"), [" ,;"]);
    }

    proptest! {
        #[test]
        fn joined_they_are_the_sentence_and_none_is_short(
            bits in prop::collection::vec(
                prop::sample::select(vec![
                    "mot", "été", "1", "000", "l'eau", ",", ";", ":", "—", "–", "…", "!", "?",
                    ".", "«", "»", "\"", "(", ")", " ", " ", " ", "\u{a0}", "🙂",
                ]),
                0..60,
            ),
        ) {
            let sentence = bits.concat();
            let clauses = clauses(&sentence);
            prop_assert_eq!(&clauses.concat(), &sentence);
            if clauses.len() > 1 {
                for clause in clauses {
                    prop_assert!(words(clause) >= SHORTEST_CLAUSE, "{:?}", clause);
                }
            }
        }
    }
}
