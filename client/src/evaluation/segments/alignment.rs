//! Cuts a text where a reference is cut.

use super::super::quality::plain_words;

/// Cost of a word too many, too few, or another.
const EDIT: u32 = 1000;
/// How much cheaper another word is when all of its letters are the same.
const ALIKE: u32 = 200;
/// How much dearer a substitution is where only one of the words ends a sentence.
const ENDS_APART: u32 = 1;

/// Tells for each word of `text` which segment of the reference it belongs to.
///
/// As mwerSegmenter (Matusov and others 2005): the segments are such that the word edit distance
/// between text and reference, summed over segments, is as small as it can be. Case and punctuation
/// do not count; among alignments of the same distance, those win that pair words of similar letters,
/// and sentence ends with one another. Segments follow one another; some may be empty. A word that
/// pairs with none belongs to the segment of the word before it, but after a sentence's end to the next.
#[must_use]
pub fn assign(text: &[&str], reference: &[Vec<&str>]) -> Vec<usize> {
    let expected: Vec<Normal> = reference
        .iter()
        .flatten()
        .map(|word| Normal::of(word))
        .collect();
    let segment_of: Vec<usize> = reference
        .iter()
        .enumerate()
        .flat_map(|(segment, words)| vec![segment; words.len()])
        .collect();
    let said: Vec<Normal> = text.iter().map(|word| Normal::of(word)).collect();
    let mut assigned = Vec::with_capacity(text.len());
    let mut segment = segment_of.first().copied().unwrap_or(0);
    let mut sentence_ended = false;
    let mut last = None;
    for (word, paired) in said.iter().zip(align(&said, &expected)) {
        match paired {
            Some(at) => {
                segment = segment_of[at];
                last = Some(at);
            }
            None if sentence_ended => {
                // Nothing but the next segment is left in this one.
                let next = last.and_then(|at| segment_of.get(at + 1)).copied();
                segment = next.unwrap_or(segment);
            }
            None => {}
        }
        sentence_ended = word.ends_sentence;
        assigned.push(segment);
    }
    assigned
}

/// A word as it is compared.
struct Normal {
    letters: String,
    ends_sentence: bool,
}

impl Normal {
    fn of(word: &str) -> Self {
        let letters = plain_words(word).concat();
        Self {
            // A dash is a word too.
            letters: if letters.is_empty() {
                word.to_owned()
            } else {
                letters
            },
            ends_sentence: word.ends_with(['.', '!', '?', '…']),
        }
    }
}

fn substitution(said: &Normal, expected: &Normal) -> u32 {
    let apart = ENDS_APART * u32::from(said.ends_sentence != expected.ends_sentence);
    if said.letters == expected.letters {
        return apart;
    }
    let letters =
        |word: &Normal| -> std::collections::BTreeSet<char> { word.letters.chars().collect() };
    let (a, b) = (letters(said), letters(expected));
    let common = a.intersection(&b).count();
    let alike = ALIKE as usize * common / a.union(&b).count().max(1);
    EDIT + apart - u32::try_from(alike).unwrap_or(ALIKE)
}

/// For each word of `said` the word of `expected` it pairs with in a cheapest alignment.
fn align(said: &[Normal], expected: &[Normal]) -> Vec<Option<usize>> {
    #[derive(Clone, Copy)]
    enum Step {
        Pair,
        Extra,
        Missing,
    }
    let width = expected.len() + 1;
    let mut steps = vec![Step::Missing; (said.len() + 1) * width];
    let mut above: Vec<u32> = (0..width as u32).map(|n| n * EDIT).collect();
    for (i, word) in said.iter().enumerate() {
        let row = (i + 1) * width;
        let mut costs = Vec::with_capacity(width);
        costs.push(above[0] + EDIT);
        steps[row] = Step::Extra;
        for (j, other) in expected.iter().enumerate() {
            let (pair, extra) = (above[j] + substitution(word, other), above[j + 1] + EDIT);
            let missing = costs[j] + EDIT;
            let (cost, step) = if pair <= extra && pair <= missing {
                (pair, Step::Pair)
            } else if extra <= missing {
                (extra, Step::Extra)
            } else {
                (missing, Step::Missing)
            };
            costs.push(cost);
            steps[row + j + 1] = step;
        }
        above = costs;
    }
    let (mut i, mut j) = (said.len(), expected.len());
    let mut paired = vec![None; said.len()];
    while i > 0 {
        match steps[i * width + j] {
            Step::Pair => {
                (i, j) = (i - 1, j - 1);
                paired[i] = Some(j);
            }
            Step::Extra => i -= 1,
            Step::Missing => j -= 1,
        }
    }
    paired
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn assigned(text: &str, reference: &[&str]) -> Vec<usize> {
        let text: Vec<&str> = text.split_whitespace().collect();
        let reference: Vec<Vec<&str>> = reference
            .iter()
            .map(|s| s.split_whitespace().collect())
            .collect();
        assign(&text, &reference)
    }

    #[test]
    fn text_is_cut_where_the_reference_is() {
        let reference = ["One two three.", "Four five.", "Six seven eight."];
        assert_eq!(
            assigned("one two three four five six seven eight", &reference),
            [0, 0, 0, 1, 1, 2, 2, 2]
        );
        // Missing, extra and other words move no boundary.
        assert_eq!(
            assigned("One tow. Yes four fife. Seven eight.", &reference),
            [0, 0, 0, 1, 1, 2, 2]
        );
        assert_eq!(assigned("six seven", &reference), [2, 2]);
        assert_eq!(assigned("", &reference), [] as [usize; 0]);
        assert_eq!(assigned("a b", &[]), [0, 0]);
    }

    #[test]
    fn words_after_the_last_sentence_stay_in_it() {
        assert_eq!(assigned("one two. more words", &["One two."]), [0, 0, 0, 0]);
    }

    proptest! {
        #[test]
        fn segments_follow_one_another(text in "[abc. ]{0,40}", reference in prop::collection::vec("[abc. ]{0,15}", 1..5)) {
            let reference: Vec<&str> = reference.iter().map(String::as_str).collect();
            let found = assigned(&text, &reference);
            prop_assert_eq!(found.len(), text.split_whitespace().count());
            prop_assert!(found.is_sorted());
            prop_assert!(found.iter().all(|segment| *segment < reference.len()));
        }

        #[test]
        fn the_reference_itself_is_cut_as_it_is(reference in prop::collection::vec("[a-d]{1,3}( [a-d]{1,3}){0,5}\\.", 1..6)) {
            let words = |s: &String| s.split_whitespace().count();
            let expected: Vec<usize> = reference.iter().enumerate().flat_map(|(n, s)| vec![n; words(s)]).collect();
            let reference: Vec<&str> = reference.iter().map(String::as_str).collect();
            prop_assert_eq!(assigned(&reference.join(" "), &reference), expected);
        }
    }
}
