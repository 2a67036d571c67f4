//! Terms that a target must render in a given way, honoured while it is searched.
//!
//! The decoder's attention tells when it is about to render a term: at the beginning of a word it looks
//! strongest at one of the term's source tokens; or it begins to say it by itself. From there on the given
//! rendering is forced. (Hasler et
//! al. 2018, "Neural Machine Translation Decoding with Terminology Constraints", place constraints by
//! alignment in the same way.)

use std::{ops::Range, sync::Arc};

use super::hold_back::Words;
use crate::translation::strongest;

/// One term in a source.
#[derive(Debug)]
pub(super) struct Term {
    /// Its source tokens.
    pub(super) source: Range<usize>,
    /// Target tokens: where the term is the target's beginning, and elsewhere. Empty where the model has
    /// no pieces for it.
    pub(super) forms: [Vec<u32>; 2],
}

/// The terms of a source, and how far a target has come with them.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    terms: Arc<[Term]>,
    progress: Vec<Progress>,
    /// The one that is being said, its form, and how many of the form's tokens are said.
    saying: Option<(usize, usize, usize)>,
    /// A term has been said with the last token.
    just_said: bool,
}

/// What a target has of a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Nothing,
    /// A short word that may belong before it: an article or a preposition.
    Article,
    All,
}

/// Letters of a word that may come before a term although the decoder looks at the term already.
const ARTICLE: usize = 3;

impl Terms {
    pub(super) fn new(terms: Vec<Term>) -> Self {
        Self {
            progress: vec![Progress::Nothing; terms.len()],
            terms: terms.into(),
            saying: None,
            just_said: false,
        }
    }

    /// Reads a target's forced beginning, whose tokens were chosen with these `attention`s. A term that
    /// it breaks off in is said on.
    pub(super) fn read(&mut self, prefix: &[u32], attention: &[Arc<[f32]>]) {
        let mut taken = vec![false; prefix.len()];
        for (term, progress) in self.terms.iter().zip(&mut self.progress) {
            if let Some(at) = place(term, prefix, &taken) {
                taken[at].fill(true);
                *progress = Progress::All;
            }
        }
        self.saying = self.broken_off(prefix, attention, &taken);
    }

    /// The term that `prefix` ends with the beginning of.
    fn broken_off(
        &self,
        prefix: &[u32],
        attention: &[Arc<[f32]>],
        taken: &[bool],
    ) -> Option<(usize, usize, usize)> {
        let left = self.progress.iter().enumerate();
        let mut left = left.filter(|(_, progress)| **progress != Progress::All);
        left.find_map(|(index, _)| {
            let term = &self.terms[index];
            term.forms.iter().enumerate().find_map(|(form, tokens)| {
                let most = tokens.len().saturating_sub(1).min(prefix.len());
                let said = (1..=most).rev().find(|said| {
                    let from = prefix.len() - said;
                    prefix.ends_with(&tokens[..*said])
                        && !taken[from]
                        && attention.get(from).is_some_and(|looked| term.is_at(looked))
                })?;
                Some((index, form, said))
            })
        })
    }

    /// The token that must come next: the next one of a term that is being said, or the first one of a
    /// term that `best`, the most probable token, would render in another way. `attention` is where the
    /// decoder looks for it, `first` tells that it is the target's first.
    pub(super) fn wanted(
        &mut self,
        best: u32,
        attention: &[f32],
        first: bool,
        words: &Words,
    ) -> Option<u32> {
        self.just_said = false;
        if self.saying.is_none() {
            self.saying = self.begun(best, attention, first, words);
        }
        let (term, form, said) = self.saying?;
        let tokens = &self.terms[term].forms[form];
        let token = *tokens.get(said)?;
        self.saying = Some((term, form, said + 1)).filter(|_| said + 1 < tokens.len());
        if self.saying.is_none() {
            self.progress[term] = Progress::All;
            self.just_said = true;
        }
        Some(token)
    }

    fn begun(
        &mut self,
        best: u32,
        attention: &[f32],
        first: bool,
        words: &Words,
    ) -> Option<(usize, usize, usize)> {
        let form = usize::from(!first);
        let named = words.begins(best) && words.letters(best) > ARTICLE;
        let left = self.terms.iter().zip(&mut self.progress).enumerate();
        let left = left.filter(|(_, (term, progress))| {
            **progress != Progress::All && !term.forms[form].is_empty()
        });
        for (index, (term, progress)) in left {
            let is_first = term.forms[form].first() == Some(&best);
            // A long first token tells it too: the source has the term as it is to be rendered.
            if is_first && (named || term.is_at(attention)) {
                return Some((index, form, 0));
            }
            if !term.is_at(attention) || !words.begins(best) {
                continue;
            }
            let article = words.letters(best) <= ARTICLE && !words.is_space(best);
            if *progress == Progress::Article || !article {
                return Some((index, form, 0));
            }
            *progress = Progress::Article;
        }
        None
    }

    /// Whether a term is begun, but not said.
    pub(super) fn is_saying(&self) -> bool {
        self.saying.is_some()
    }

    /// Whether a term has been said with the last token, so that no more may be added to its last word.
    pub(super) fn just_said(&self) -> bool {
        self.just_said
    }

    /// Which of the terms are said.
    pub(super) fn said(&self) -> Vec<bool> {
        let said = |progress: &Progress| *progress == Progress::All;
        self.progress.iter().map(said).collect()
    }
}

impl Term {
    /// Whether attention is strongest on it.
    fn is_at(&self, attention: &[f32]) -> bool {
        strongest(attention).is_some_and(|token| self.source.contains(&token))
    }
}

/// Where in `target` a form of the term is, in tokens that are not `taken`.
fn place(term: &Term, target: &[u32], taken: &[bool]) -> Option<Range<usize>> {
    let forms = term.forms.iter().filter(|form| !form.is_empty());
    forms
        .flat_map(|form| {
            let places = target.windows(form.len()).enumerate();
            let found = places.filter(move |(_, tokens)| tokens == form);
            found.map(move |(at, _)| at..at + form.len())
        })
        .find(|at| !taken[at.clone()].contains(&true))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Tokens of a target: pieces by number.
    const PIECES: [&str; 8] = [
        "▁le",
        "▁chat",
        "▁félin",
        "▁noir",
        "s",
        "▁grand",
        "▁Félin",
        ".",
    ];

    fn words() -> Words {
        Words::new(&PIECES.map(str::to_owned))
    }

    /// "the cat is black.": the second source token is "big feline" in the target.
    fn terms() -> Terms {
        Terms::new(vec![Term {
            source: 1..2,
            forms: [vec![6, 3], vec![5, 2]],
        }])
    }

    /// Attention over five source tokens and the end, strongest on one.
    fn at(token: usize) -> Vec<f32> {
        (0..6)
            .map(|other| if other == token { 0.5 } else { 0.1 })
            .collect()
    }

    #[test]
    fn a_term_is_said_where_the_decoder_looks_at_it() {
        let (words, mut terms) = (words(), terms());
        assert_eq!(terms.wanted(0, &at(0), true, &words), None);
        assert_eq!(terms.wanted(1, &at(1), false, &words), Some(5));
        assert!(terms.is_saying() && !terms.just_said());
        assert_eq!(
            terms.wanted(0, &at(3), false, &words),
            Some(2),
            "to its end"
        );
        assert!(!terms.is_saying() && terms.just_said());
        assert_eq!(terms.said(), [true]);
        assert_eq!(terms.wanted(1, &at(1), false, &words), None, "only once");
    }

    #[test]
    fn an_article_may_come_first_and_nothing_in_the_middle_of_a_word() {
        let (words, mut terms) = (words(), terms());
        assert_eq!(
            terms.wanted(4, &at(1), false, &words),
            None,
            "goes on with a word"
        );
        assert_eq!(terms.wanted(0, &at(1), false, &words), None, "an article");
        assert_eq!(
            terms.wanted(0, &at(1), false, &words),
            Some(5),
            "no second one"
        );
    }

    #[test]
    fn the_beginning_of_a_sentence_has_a_form_of_its_own() {
        let (words, mut terms) = (words(), terms());
        assert_eq!(terms.wanted(1, &at(1), true, &words), Some(6));
        assert_eq!(terms.wanted(1, &at(1), false, &words), Some(3));
    }

    #[test]
    fn what_the_prefix_says_is_said_and_what_it_breaks_off_in_goes_on() {
        let words = words();
        let looked = |tokens: &[usize]| -> Vec<Arc<[f32]>> {
            tokens.iter().map(|token| at(*token).into()).collect()
        };
        let mut said = terms();
        said.read(&[0, 5, 2], &looked(&[0, 1, 1]));
        assert_eq!(said.said(), [true]);
        let mut broken_off = terms();
        broken_off.read(&[0, 5], &looked(&[0, 1]));
        assert!(broken_off.is_saying());
        assert_eq!(broken_off.wanted(7, &at(4), false, &words), Some(2));
        let mut other = terms();
        other.read(&[0, 5], &looked(&[0, 3]));
        assert!(!other.is_saying(), "another word that is the same");
    }

    #[test]
    fn a_term_that_is_begun_elsewhere_is_said_to_its_end() {
        let (words, mut terms) = (words(), terms());
        assert_eq!(terms.wanted(5, &at(4), false, &words), Some(5));
        assert_eq!(terms.wanted(1, &at(4), false, &words), Some(2));
    }

    #[test]
    fn a_term_without_pieces_is_missed() {
        let mut terms = Terms::new(vec![Term {
            source: 1..2,
            forms: [Vec::new(), Vec::new()],
        }]);
        assert_eq!(terms.wanted(1, &at(1), false, &words()), None);
        assert_eq!(terms.said(), [false]);
    }
}
