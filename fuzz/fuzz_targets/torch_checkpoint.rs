//! See `fuzz/targets/src/torch_checkpoint.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::torch_checkpoint::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("torch_checkpoint", seeds()), |data: &[u8]| check(data));
