//! See `fuzz/targets/src/audio_chunks.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::audio_chunks::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("audio_chunks", seeds()), |data: &[u8]| check(data));
