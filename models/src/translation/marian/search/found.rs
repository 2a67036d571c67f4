//! What a search finds.

use std::sync::Arc;

/// A target, without its end: three lists of equal length.
#[derive(Debug, Clone, PartialEq, Default)]
pub(in crate::translation::marian) struct Hypothesis {
    pub(in crate::translation::marian) tokens: Vec<u32>,
    /// 0 for the tokens of the prefix and of terms: they were forced.
    pub(in crate::translation::marian) log_probabilities: Vec<f32>,
    /// Over the source tokens, where each token was chosen.
    pub(in crate::translation::marian) attention: Vec<Arc<[f32]>>,
    /// Which of the terms it says.
    pub(in crate::translation::marian) said: Vec<bool>,
}

impl Hypothesis {
    pub(super) fn push(&mut self, token: u32, log_probability: f32, attention: Arc<[f32]>) {
        self.tokens.push(token);
        self.log_probabilities.push(log_probability);
        self.attention.push(attention);
    }

    pub(super) fn truncate(&mut self, tokens: usize) {
        self.tokens.truncate(tokens);
        self.log_probabilities.truncate(tokens);
        self.attention.truncate(tokens);
    }
}

/// A target that ended.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::translation::marian) struct Ranked {
    /// The log probability of its tokens since the prefix, the end included, divided by how many they are to
    /// the power of the length penalty.
    pub(in crate::translation::marian) score: f32,
    pub(in crate::translation::marian) hypothesis: Hypothesis,
}

/// What a search found.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::translation::marian) struct Found {
    pub(in crate::translation::marian) best: Hypothesis,
    /// All that beam search still kept when it was over, best first: that is `best`. Greedy search knows
    /// no others.
    pub(in crate::translation::marian) ranked: Vec<Ranked>,
}

impl From<Hypothesis> for Found {
    fn from(best: Hypothesis) -> Self {
        Self {
            best,
            ranked: Vec::new(),
        }
    }
}
