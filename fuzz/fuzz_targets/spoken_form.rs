//! See `fuzz/targets/src/spoken_form.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::spoken_form::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("spoken_form", seeds()), |data: &[u8]| check(data));
