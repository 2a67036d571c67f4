//! See `fuzz/targets/src/whisper_files.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::whisper_files::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("whisper_files", seeds()), |data: &[u8]| check(data));
