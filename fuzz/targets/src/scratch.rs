//! Files and a runtime for targets that need them.

use std::{
    env, fs,
    path::{Path, PathBuf},
};

use tempfile::TempDir;

/// Where files lie in memory, on most systems.
const MEMORY: &str = "/dev/shm";

/// A folder that is gone when it is dropped: in memory where that can be, for a disk takes most of a target's time.
/// `TMPDIR` says where else.
#[derive(Debug)]
pub(crate) struct Scratch(TempDir);

impl Scratch {
    /// An empty folder.
    ///
    /// # Panics
    /// Where there is no room for one.
    #[must_use]
    pub(crate) fn new() -> Self {
        let in_memory = || {
            env::var_os("TMPDIR")
                .is_none()
                .then(|| tempfile::tempdir_in(MEMORY).ok())
        };
        let folder = in_memory().flatten().map_or_else(tempfile::tempdir, Ok);
        Self(folder.expect("a folder for files"))
    }

    /// The folder.
    #[must_use]
    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Writes a file.
    ///
    /// # Panics
    /// Where there is no room for it.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).expect("room for a file");
        path
    }

    /// Names of what is in it, in order.
    ///
    /// # Panics
    /// When it cannot be listed.
    #[must_use]
    pub(crate) fn names(&self) -> Vec<String> {
        let entries = fs::read_dir(self.path()).expect("a folder");
        let names = entries.map(|entry| entry.expect("an entry").file_name());
        let mut names: Vec<String> = names.map(|name| name.to_string_lossy().into()).collect();
        names.sort();
        names
    }
}

/// Runs `work` to its end on one thread, with a clock that jumps whenever nothing else is to be done.
///
/// # Panics
/// When the system has no runtime to give.
pub(crate) fn block_on<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("a runtime")
        .block_on(work)
}
