//! What a model is, for interpretd: where it comes from ([`catalogue`], [`fetch`], [`convert`]) and
//! what it does ([`vad`], [`recognition`], [`translation`], [`synthesis`]), each behind one small
//! trait.
//!
//! This crate knows no audio device and no network service. Engines are plain synchronous objects:
//! the daemon gives each its own thread.

pub mod catalogue;
pub mod convert;
pub mod error;
pub mod fetch;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
pub mod import;
pub mod language;
pub mod onnx;
pub mod recognition;
pub mod store;
pub mod synthesis;
pub mod translation;
pub mod vad;

pub use error::ModelError;
pub use language::{Language, LanguagePair};

/// Samples a second of all audio that enters recognition and speech detection; mono `f32`, full
/// scale +-1.
pub const SOURCE_SAMPLE_RATE: u32 = 16_000;
