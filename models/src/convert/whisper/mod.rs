//! Whisper models: `CTranslate2` to ggml, and ggml to 8 bits.

mod ct2;
mod from_ct2;
mod ggml;
mod layout;
mod quantize;

#[cfg(test)]
mod tests;

pub use from_ct2::whisper_ct2_to_ggml;
pub use quantize::quantize_ggml_q8_0;
