//! How good the text is: word error rate, BLEU, chrF.
//!
//! BLEU and chrF equal those of sacrebleu 2.6 at its defaults; a test compares them with scores that
//! sacrebleu gave.

mod bleu;
mod chrf;
mod ngrams;
mod tokens;
mod wer;

pub use bleu::{BleuCounts, sentence_bleu};
pub use chrf::ChrfCounts;
pub use tokens::tokens_13a;
pub use wer::{WordErrors, plain_words, word_errors};

#[cfg(test)]
mod tests;
