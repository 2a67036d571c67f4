//! Cuts text that arrives piece by piece into sentences.

mod abbreviations;
mod boundary;
mod length;

use self::{abbreviations::Words, boundary::Verdict};
use crate::Language;

/// Words after which a sentence without end is cut at the latest. Translation models are trained on sentences,
/// and lose words in longer ones.
pub const LONGEST_SENTENCE: usize = 60;

/// A sentence and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sentence {
    /// Its text, without white space around it.
    pub text: String,
    /// Its first byte in all text pushed so far.
    pub start: usize,
    /// The byte after its last.
    pub end: usize,
}

/// Cuts text that arrives piece by piece into sentences.
///
/// A sentence is given out as soon as no further text can change where it ends: after "M." or "3."
/// that takes the next word. How the text is cut into pieces makes no difference to the sentences.
/// Together they hold all text but white space.
///
/// ```
/// use interpret_models::translation::sentences::SentenceSplitter;
/// let mut splitter = SentenceSplitter::new("fr".parse()?);
/// assert!(splitter.push("Voici M. Dupont.").is_empty());
/// let sentences = splitter.push(" Il arr");
/// assert_eq!(sentences[0].text, "Voici M. Dupont.");
/// splitter.push("ive");
/// assert_eq!(splitter.pause()[0].text, "Il arrive");
/// # Ok::<(), interpret_models::language::UnknownLanguage>(())
/// ```
#[derive(Debug, Clone)]
pub struct SentenceSplitter {
    words: &'static Words,
    longest: usize,
    /// Text not given out yet.
    pending: String,
    /// Bytes of the text before `pending`.
    offset: usize,
}

impl SentenceSplitter {
    /// A splitter for text in `language`. English and French have their own abbreviations.
    #[must_use]
    pub fn new(language: Language) -> Self {
        Self {
            words: Words::of(language),
            longest: LONGEST_SENTENCE,
            pending: String::new(),
            offset: 0,
        }
    }

    /// Cuts sentences after `words` at the latest instead of [`LONGEST_SENTENCE`]; shortly before that behind a
    /// clause or before a conjunction.
    #[must_use]
    pub fn with_longest(mut self, words: usize) -> Self {
        self.longest = words.max(1);
        self
    }

    /// Takes more text, exactly as it follows what came before (white space included), and gives
    /// out the sentences that are certain now.
    pub fn push(&mut self, piece: &str) -> Vec<Sentence> {
        self.pending.push_str(piece);
        self.give_out(false)
    }

    /// Says that the speaker has paused, or finished: gives out all that is left, whether
    /// punctuated or not. More text may follow.
    pub fn pause(&mut self) -> Vec<Sentence> {
        self.give_out(true)
    }

    /// The beginning of a sentence that is not given out yet, if any.
    #[must_use]
    pub fn pending(&self) -> Option<Sentence> {
        sentence(&self.pending, self.offset)
    }

    /// Where the text of [`pending`](Self::pending) may end a sentence, in bytes: before a mark of which only
    /// the text to come tells whether it does.
    #[must_use]
    pub fn may_end(&self) -> Option<usize> {
        let pending = self.pending.trim_start();
        match first_end(pending, self.words, self.longest, false) {
            FirstEnd::Unknown(mark) => Some(mark),
            FirstEnd::At(_) | FirstEnd::None => None,
        }
    }

    fn give_out(&mut self, complete: bool) -> Vec<Sentence> {
        let mut sentences = Vec::new();
        let mut from = 0;
        loop {
            from = self.pending.len() - self.pending[from..].trim_start().len();
            let rest = &self.pending[from..];
            let end = match first_end(rest, self.words, self.longest, complete) {
                FirstEnd::At(end) => end,
                _ if complete => rest.len(),
                _ => break,
            };
            if end == 0 {
                break;
            }
            sentences.extend(sentence(&rest[..end], self.offset + from));
            from += end;
        }
        self.pending.drain(..from);
        self.offset += from;
        sentences
    }
}

/// `text`, which begins at byte `offset`, as a sentence, unless it is blank.
fn sentence(text: &str, offset: usize) -> Option<Sentence> {
    let trimmed = text.trim();
    let start = offset + text.len() - text.trim_start().len();
    (!trimmed.is_empty()).then(|| Sentence {
        text: trimmed.to_owned(),
        start,
        end: start + trimmed.len(),
    })
}

/// Where the first sentence of a text ends, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum FirstEnd {
    /// Here, however the text goes on: that is what makes the sentences independent of the pieces.
    At(usize),
    /// Maybe at the mark here: that depends on text that is not there yet.
    Unknown(usize),
    /// Nowhere in this text.
    None,
}

/// Where the first sentence of `text` ends, which begins with no white space.
fn first_end(text: &str, words: &Words, longest: usize, complete: bool) -> FirstEnd {
    let cut = length::cut(text, words, longest);
    let searched = &text[..cut.map_or(text.len(), |cut| cut.seen)];
    let mut from = 0;
    while let Some(at) = searched
        .get(from..)
        .and_then(|rest| rest.find(boundary::is_mark))
    {
        let mark = from + at;
        match boundary::judge(&text[..mark], &text[mark..], words, complete) {
            Verdict::Ends(bytes) => return FirstEnd::At(mark + bytes),
            Verdict::GoesOn(bytes) => from = mark + bytes,
            Verdict::Unknown => return FirstEnd::Unknown(mark),
        }
    }
    cut.map_or(FirstEnd::None, |cut| FirstEnd::At(cut.at))
}

#[cfg(test)]
mod tests;
