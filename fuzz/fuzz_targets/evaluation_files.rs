//! See `fuzz/targets/src/evaluation_files.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::evaluation_files::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("evaluation_files", seeds()), |data: &[u8]| check(data));
