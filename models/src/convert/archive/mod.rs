//! Files that were cut to fit a registry's size limit.

mod cut_zip;
mod entry;
mod pieces;

#[cfg(test)]
mod tests;

use std::path::{Path, PathBuf};

pub use cut_zip::extract_from_cut_zip;

use super::output::{Output, Progress};
use super::{ConvertError, source::Source};

/// Writes `parts`, one after the other, as one file.
///
/// # Errors
/// If a part cannot be read or `dst` not be written; `dst` is then left as it was.
pub fn join_parts(parts: &[PathBuf], dst: &Path) -> Result<(), ConvertError> {
    let mut output = Output::create(dst)?;
    for part in parts {
        let mut source = Source::open(part)?;
        let length = source.length();
        output.copy(
            &mut source,
            length,
            "the part",
            &mut Progress::new(length, &mut |_| ()),
        )?;
    }
    output.finish()
}
