//! Word error rate, as `interpret evaluate` counts it.

pub use interpret::evaluation::quality::{WordErrors, word_errors};
