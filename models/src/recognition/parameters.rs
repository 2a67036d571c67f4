//! Settings of a run of whisper.cpp.

use std::{cell::RefCell, collections::HashMap};

use whisper_rs::{FullParams, SamplingStrategy, WhisperContext};

use crate::Language;

/// Longest prompt, in bytes: the last words count, and each token of it costs decoder time.
const PROMPT_BYTES: usize = 400;
/// Most tokens whisper.cpp decodes in one run, less one: at its own limit it throws the text away.
const TOKEN_LIMIT: usize = 219;

thread_local! {
    /// whisper-rs leaks a copy of the language's code each time it is set; this keeps it to one for
    /// each language and thread.
    static BY_LANGUAGE: RefCell<HashMap<Language, FullParams<'static, 'static>>> =
        RefCell::default();
}

/// What is the same in every run. Greedy, no second try at a higher temperature (a stream has no
/// time for it, and guards judge the text), nothing remembered from the window before.
pub(super) fn base(language: Language, threads: u16) -> FullParams<'static, 'static> {
    let mut parameters = BY_LANGUAGE.with_borrow_mut(|known| {
        known
            .entry(language)
            .or_insert_with(|| {
                let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
                parameters.set_language(Some(language.code()));
                parameters
            })
            .clone()
    });
    parameters.set_n_threads(i32::from(threads.max(1)));
    parameters.set_temperature(0.0);
    parameters.set_temperature_inc(0.0);
    parameters.set_no_context(true);
    // Without timestamp tokens a run is one segment over the whole window.
    parameters.set_no_timestamps(true);
    parameters.set_single_segment(true);
    parameters.set_suppress_blank(true);
    parameters.set_suppress_nst(true);
    // The guards decide, and want to see what they judge.
    parameters.set_no_speech_thold(1.0);
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_special(false);
    parameters.set_print_timestamps(false);
    parameters
}

/// The tokens of the end of `text`.
pub(super) fn prompt(context: &WhisperContext, text: &str) -> Vec<i32> {
    let mut from = text.len().saturating_sub(PROMPT_BYTES);
    while !text.is_char_boundary(from) {
        from += 1;
    }
    let text = text[from..].replace('\0', "");
    if text.trim().is_empty() {
        return Vec::new();
    }
    // A token is a byte at least. With less room than tokens, whisper-rs 0.16 is unsound.
    context.tokenize(&text, text.len() + 1).unwrap_or_default()
}

/// `wanted`, within what whisper.cpp can do.
pub(super) fn most_tokens(wanted: usize) -> i32 {
    wanted.min(TOKEN_LIMIT) as i32
}
