//! See `fuzz/targets/src/glossary_terms.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::glossary_terms::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("glossary_terms", seeds()), |data: &[u8]| check(data));
