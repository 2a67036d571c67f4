//! See `fuzz/targets/src/settings_files.rs`.

#![no_main]

use interpret_fuzz::plant;
use interpret_fuzz_targets::settings_files::{check, seeds};
use libfuzzer_sys::fuzz_target;

fuzz_target!(init: plant("settings_files", seeds()), |data: &[u8]| check(data));
