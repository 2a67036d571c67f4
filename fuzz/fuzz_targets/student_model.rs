//! See `fuzz/targets/src/student_model.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::student_model::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("student_model", seeds()), |data: &[u8]| check(data));
