//! Recognition of a whole recording at once: what streaming is compared with.

use whisper_rs::{FullParams, SamplingStrategy};

use super::{RecognitionError, WhisperModel};
use crate::Language;

/// The text of a whole recording by whisper.cpp's own long-form decoding (its windows, its
/// timestamps, greedy, with temperature fallback). `samples` are 16 kHz mono, of any length.
///
/// What measures must not fail itself: with the text before as context and without fallback it wrote
/// "5 ans, 5 ans, ..." for half a minute of clear speech. Neither is so in streaming.
///
/// # Errors
/// When the model fails to run.
pub fn recognize_whole(
    model: &WhisperModel,
    samples: &[f32],
    language: Language,
    threads: u16,
) -> Result<String, RecognitionError> {
    let failed = |error: whisper_rs::WhisperError| RecognitionError::Run(error.to_string());
    let mut state = model.context.create_state().map_err(failed)?;
    let mut parameters = FullParams::new(SamplingStrategy::Greedy { best_of: 1 });
    parameters.set_language(Some(language.code()));
    parameters.set_no_context(true);
    parameters.set_n_threads(i32::from(threads.max(1)));
    parameters.set_print_progress(false);
    parameters.set_print_realtime(false);
    parameters.set_print_timestamps(false);
    state.full(parameters, samples).map_err(failed)?;
    let mut text = String::new();
    for segment in state.as_iter() {
        text.push_str(&segment.to_str_lossy().map_err(failed)?);
    }
    Ok(text.trim().to_owned())
}
