//! See `fuzz/targets/src/call_requests.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::call_requests::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("call_requests", seeds()), |data: &[u8]| check(data));
