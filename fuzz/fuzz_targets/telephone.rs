//! See `fuzz/targets/src/telephone.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::telephone::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("telephone", seeds()), |data: &[u8]| check(data));
