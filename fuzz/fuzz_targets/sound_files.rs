//! See `fuzz/targets/src/sound_files.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::sound_files::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("sound_files", seeds()), |data: &[u8]| check(data));
