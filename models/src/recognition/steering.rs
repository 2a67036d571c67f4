//! Makes whisper.cpp begin its text with given tokens, and end it where it loops.
//!
//! whisper.cpp knows a prompt (text before the window) but no prefix (text of the window that is
//! certain), and writes a loop on to the most tokens it may. Its filter of logits, called before each
//! token is chosen, can do both.

use std::ffi::c_void;

use whisper_rs::{FullParams, WhisperSysContext, WhisperSysState, WhisperTokenData};

use super::guard;

/// What a run may write.
#[derive(Debug)]
pub(super) struct Steering {
    /// Tokens to begin with.
    forced: Vec<i32>,
    /// Whether another run over the same sound will follow.
    provisional: bool,
    end_of_text: i32,
    vocabulary: usize,
}

impl Steering {
    /// Text that begins with those of the tokens `forced` that are text tokens of a vocabulary of so
    /// many.
    pub(super) fn new(
        forced: &[i32],
        provisional: bool,
        end_of_text: i32,
        vocabulary: i32,
    ) -> Self {
        let text = |token: &i32| (0..end_of_text).contains(token);
        Self {
            forced: forced.iter().copied().filter(text).collect(),
            provisional,
            end_of_text,
            vocabulary: usize::try_from(vocabulary).unwrap_or(0),
        }
    }

    /// How many tokens are forced.
    pub(super) fn forced(&self) -> usize {
        self.forced.len()
    }

    /// Steers a run with `parameters`.
    ///
    /// # Safety
    /// `self` must outlive the run.
    #[expect(unsafe_code, reason = "whisper-rs has no safe form")]
    pub(super) unsafe fn apply(&self, parameters: &mut FullParams<'_, '_>) {
        // SAFETY: `allow_next` takes a pointer to `Steering`, which the caller keeps alive.
        unsafe {
            parameters.set_filter_logits_callback(Some(allow_next));
            parameters.set_filter_logits_callback_user_data(
                std::ptr::from_ref(self).cast_mut().cast::<c_void>(),
            );
        }
    }

    /// Leaves only one token possible after `chosen` ones, where it is settled which.
    fn filter(&self, chosen: impl ExactSizeIterator<Item = i32>, logits: &mut [f32]) {
        let only = match self.forced.get(chosen.len()) {
            Some(forced) => *forced,
            None => {
                let chosen: Vec<i32> = chosen.collect();
                if !guard::repeats(&chosen, self.provisional) {
                    return;
                }
                self.end_of_text
            }
        };
        logits.fill(f32::NEG_INFINITY);
        let logit = usize::try_from(only).ok().and_then(|at| logits.get_mut(at));
        if let Some(logit) = logit {
            *logit = 0.0;
        }
    }
}

/// # Safety
/// `data` must point to a [`Steering`], `tokens` to `chosen` tokens, and `logits` to as many numbers as
/// the vocabulary has tokens.
#[expect(unsafe_code, reason = "the form whisper.cpp calls")]
unsafe extern "C" fn allow_next(
    _context: *mut WhisperSysContext,
    _state: *mut WhisperSysState,
    tokens: *const WhisperTokenData,
    chosen: i32,
    logits: *mut f32,
    data: *mut c_void,
) {
    // SAFETY: `apply` gave the pointer, and its caller keeps the value alive during the run.
    let steering = unsafe { &*data.cast::<Steering>() };
    // SAFETY: whisper.cpp passes one number for each token of its vocabulary.
    let logits = unsafe { std::slice::from_raw_parts_mut(logits, steering.vocabulary) };
    let tokens = match usize::try_from(chosen) {
        // SAFETY: whisper.cpp passes that many tokens.
        Ok(chosen) if chosen > 0 => unsafe { std::slice::from_raw_parts(tokens, chosen) },
        // It passes null where there is none.
        _ => &[],
    };
    steering.filter(tokens.iter().map(|token| token.id), logits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_next_forced_token_is_possible_and_then_any() {
        let steering = Steering::new(&[2, 9, 1], false, 4, 5);
        assert_eq!(steering.forced(), 2, "9 is no text token");
        let after = |chosen: &[i32]| possible(&steering, chosen);
        assert_eq!(after(&[]), [false, false, true, false, false]);
        assert_eq!(after(&[2]), [false, true, false, false, false]);
        assert_eq!(after(&[2, 1]), [true; 5]);
    }

    fn possible(steering: &Steering, chosen: &[i32]) -> [bool; 5] {
        let mut logits = [0.5; 5];
        steering.filter(chosen.iter().copied(), &mut logits);
        logits.map(f32::is_finite)
    }

    #[test]
    fn a_loop_ends_the_text() {
        let end = [false, false, false, false, true];
        let twice = [0, 1, 2, 3, 0, 1, 2, 3];
        for provisional in [true, false] {
            let steering = Steering::new(&[], provisional, 4, 5);
            assert_eq!(possible(&steering, &twice[..7]), [true; 5]);
            assert_eq!(possible(&steering, &twice) == end, provisional);
            assert_eq!(possible(&steering, &twice.repeat(2)), end);
        }
    }
}
