//! Room on the disk.

use std::path::Path;

use super::failure::Failure;

/// Fails when the file system under `path` (which need not exist yet) has less than `needed` bytes
/// free. A system that cannot tell is believed to have enough: writing will show.
pub(crate) fn check_space(path: &Path, needed: u64) -> Result<(), Failure> {
    let existing = path.ancestors().find(|folder| folder.exists());
    let Some(stat) = existing.and_then(|folder| rustix::fs::statvfs(folder).ok()) else {
        return Ok(());
    };
    let free = stat.f_bavail.saturating_mul(stat.f_frsize);
    if free >= needed {
        return Ok(());
    }
    Err(Failure::DiskFull {
        path: path.to_owned(),
        needed: Some(needed - free),
        free: Some(free),
    })
}
