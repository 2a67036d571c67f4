//! See `fuzz/targets/src/sentence_splitter.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::sentence_splitter::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("sentence_splitter", seeds()), |data: &[u8]| check(data));
