//! See `fuzz/targets/src/voice_network.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::voice_network::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("voice_network", seeds()), |data: &[u8]| check(data));
