//! Makes whisper.cpp begin its text with given tokens.
//!
//! whisper.cpp knows a prompt (text before the window) but no prefix (text of the window that is
//! certain). Its filter of logits, called before each token is chosen, can do it.

use std::ffi::c_void;

use whisper_rs::{FullParams, WhisperSysContext, WhisperSysState, WhisperTokenData};

/// Tokens to begin with.
#[derive(Debug)]
pub(super) struct Forced {
    tokens: Vec<i32>,
    vocabulary: usize,
}

impl Forced {
    /// `tokens` that are text tokens of a vocabulary of so many; others are left out.
    pub(super) fn new(tokens: &[i32], end_of_text: i32, vocabulary: i32) -> Self {
        let text = |token: &i32| (0..end_of_text).contains(token);
        Self {
            tokens: tokens.iter().copied().filter(text).collect(),
            vocabulary: usize::try_from(vocabulary).unwrap_or(0),
        }
    }

    /// How many tokens are forced.
    pub(super) fn len(&self) -> usize {
        self.tokens.len()
    }

    /// Makes a run with `parameters` begin with the tokens.
    ///
    /// # Safety
    /// `self` must outlive the run.
    #[expect(unsafe_code, reason = "whisper-rs has no safe form")]
    pub(super) unsafe fn apply(&self, parameters: &mut FullParams<'_, '_>) {
        if self.tokens.is_empty() {
            return;
        }
        // SAFETY: `allow_next` takes a pointer to `Forced`, which the caller keeps alive.
        unsafe {
            parameters.set_filter_logits_callback(Some(allow_next));
            parameters.set_filter_logits_callback_user_data(
                std::ptr::from_ref(self).cast_mut().cast::<c_void>(),
            );
        }
    }

    /// Leaves only the forced token possible after `chosen` others.
    fn filter(&self, chosen: usize, logits: &mut [f32]) {
        let Some(token) = self.tokens.get(chosen) else {
            return;
        };
        logits.fill(f32::NEG_INFINITY);
        if let Some(logit) = usize::try_from(*token)
            .ok()
            .and_then(|at| logits.get_mut(at))
        {
            *logit = 0.0;
        }
    }
}

/// # Safety
/// `data` must point to a [`Forced`], `logits` to as many numbers as the vocabulary has tokens.
#[expect(unsafe_code, reason = "the form whisper.cpp calls")]
unsafe extern "C" fn allow_next(
    _context: *mut WhisperSysContext,
    _state: *mut WhisperSysState,
    _tokens: *const WhisperTokenData,
    chosen: i32,
    logits: *mut f32,
    data: *mut c_void,
) {
    // SAFETY: `apply` gave the pointer, and its caller keeps the value alive during the run.
    let forced = unsafe { &*data.cast::<Forced>() };
    // SAFETY: whisper.cpp passes one number for each token of its vocabulary.
    let logits = unsafe { std::slice::from_raw_parts_mut(logits, forced.vocabulary) };
    forced.filter(usize::try_from(chosen).unwrap_or(0), logits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_forced_token_is_possible_and_then_any() {
        let forced = Forced::new(&[2, 9, 1], 4, 5);
        assert_eq!(forced.len(), 2, "9 is no text token");
        let after = |chosen| {
            let mut logits = [0.5; 5];
            forced.filter(chosen, &mut logits);
            logits.map(|logit| logit.is_finite())
        };
        assert_eq!(after(0), [false, false, true, false, false]);
        assert_eq!(after(1), [false, true, false, false, false]);
        assert_eq!(after(2), [true; 5]);
    }
}
