//! See `fuzz/targets/src/session_link.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::session_link::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("session_link", seeds()), |data: &[u8]| check(data));
