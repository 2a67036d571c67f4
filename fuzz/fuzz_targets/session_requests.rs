//! See `fuzz/targets/src/session_requests.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::session_requests::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("session_requests", seeds()), |data: &[u8]| check(data));
