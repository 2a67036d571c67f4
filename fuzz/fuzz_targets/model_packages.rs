//! See `fuzz/targets/src/model_packages.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::model_packages::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("model_packages", seeds()), |data: &[u8]| check(data));
