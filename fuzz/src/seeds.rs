//! First inputs, put where the fuzzer finds them.

use std::{env, fs, path::PathBuf};

/// Names the folder of all corpora; scripts/fuzz sets it.
const FOLDER: &str = "INTERPRET_CORPUS";

/// Puts `seeds` into the corpus of `target`, over those of another version.
///
/// # Panics
/// When they cannot be written.
pub fn plant(target: &str, seeds: Vec<Vec<u8>>) {
    let Some(folder) = env::var_os(FOLDER) else {
        return;
    };
    let folder = PathBuf::from(folder).join(target);
    fs::create_dir_all(&folder).expect("a folder for the corpus");
    for (number, seed) in seeds.iter().enumerate() {
        fs::write(folder.join(format!("seed-{number}")), seed).expect("room for a seed");
    }
}
