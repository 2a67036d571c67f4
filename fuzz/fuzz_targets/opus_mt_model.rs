//! See `fuzz/targets/src/opus_mt_model.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::opus_mt_model::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("opus_mt_model", seeds()), |data: &[u8]| check(data));
