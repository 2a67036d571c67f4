//! A file that appears under its name only when it is whole.

use std::{
    fs::{File, OpenOptions},
    io,
    path::{Path, PathBuf},
};

use tempfile::{Builder, TempPath};

/// A file being written. Dropped without [`finish`](Self::finish), it leaves nothing behind.
#[derive(Debug)]
pub(super) struct OutputFile {
    path: PathBuf,
    /// None for what is no regular file (a device, a pipe): that is written directly.
    part: Option<TempPath>,
}

impl OutputFile {
    /// Creates the file under a temporary name in the same folder, and the handle to write to.
    pub(super) fn create(path: PathBuf) -> io::Result<(Self, File)> {
        if path
            .metadata()
            .is_ok_and(|found| !found.is_file() && !found.is_dir())
        {
            let file = OpenOptions::new().write(true).open(&path)?;
            return Ok((Self { path, part: None }, file));
        }
        if path.is_dir() {
            return Err(io::ErrorKind::IsADirectory.into());
        }
        let name = path.file_name().ok_or(io::ErrorKind::InvalidFilename)?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let mut builder = Builder::new();
        let mut prefix = std::ffi::OsString::from(".");
        prefix.push(name);
        prefix.push(".");
        builder.prefix(&prefix).suffix(".part");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            // As any new file: the umask takes away what it takes.
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let (file, part) = builder
            .tempfile_in(folder.unwrap_or(Path::new(".")))?
            .into_parts();
        Ok((
            Self {
                path,
                part: Some(part),
            },
            file,
        ))
    }

    pub(super) fn path(&self) -> &PathBuf {
        &self.path
    }

    /// Gives the file its final name. Everything must have been flushed.
    pub(super) fn finish(self) -> io::Result<()> {
        match self.part {
            Some(part) => part.persist(&self.path).map_err(|error| error.error),
            None => Ok(()),
        }
    }
}
