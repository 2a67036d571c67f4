//! Writing a file that exists whole or not at all.

use std::io::{BufWriter, Read, Seek, Write};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

use super::{ConvertError, source::Source};

/// Bytes that are moved at once from file to file.
pub(super) const CHUNK: u64 = 1 << 20;

/// A file being written beside its final place. It takes its name in [`Output::finish`]; if it is
/// dropped before, nothing stays.
#[derive(Debug)]
pub(super) struct Output {
    writer: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl Output {
    pub(super) fn create(path: &Path) -> Result<Self, ConvertError> {
        let folder = match path.parent() {
            Some(folder) if !folder.as_os_str().is_empty() => folder,
            _ => Path::new("."),
        };
        let mut builder = tempfile::Builder::new();
        builder.prefix(".converting-");
        // The default is for secrets: a model may be read by whomever the umask lets.
        #[cfg(unix)]
        builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
        let file = builder
            .tempfile_in(folder)
            .map_err(|e| ConvertError::io("write into", folder, e))?;
        Ok(Self {
            writer: BufWriter::with_capacity(CHUNK as usize, file),
            path: path.to_path_buf(),
        })
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), ConvertError> {
        self.writer
            .write_all(bytes)
            .map_err(|e| ConvertError::io("write", &self.path, e))
    }

    /// Copies the next `length` bytes of `source`.
    pub(super) fn copy<R: Read + Seek>(
        &mut self,
        source: &mut Source<R>,
        length: u64,
        what: &str,
        progress: &mut Progress<'_>,
    ) -> Result<(), ConvertError> {
        source.need(length, what)?;
        let mut left = length;
        while left > 0 {
            let bytes = source.bytes(left.min(CHUNK), what)?;
            self.write(&bytes)?;
            left -= bytes.len() as u64;
            progress.advance(bytes.len() as u64);
        }
        Ok(())
    }

    /// Puts the file under its final name, in place of what was there.
    pub(super) fn finish(self) -> Result<(), ConvertError> {
        let path = self.path;
        let file = self
            .writer
            .into_inner()
            .map_err(|e| ConvertError::io("write", &path, e.into_error()))?;
        // Without this a power cut after the rename could leave an empty file of the right name.
        file.as_file()
            .sync_all()
            .map_err(|e| ConvertError::io("write", &path, e))?;
        file.persist(&path)
            .map_err(|e| ConvertError::io("rename to", &path, e.error))?;
        Ok(())
    }
}

/// Counts bytes and reports the fraction that is done, never falling, ending at 1.
pub(super) struct Progress<'a> {
    report: &'a mut dyn FnMut(f32),
    done: u64,
    total: u64,
}

impl<'a> Progress<'a> {
    pub(super) fn new(total: u64, report: &'a mut dyn FnMut(f32)) -> Self {
        report(0.0);
        Self {
            report,
            done: 0,
            total: total.max(1),
        }
    }

    pub(super) fn advance(&mut self, bytes: u64) {
        self.reach(self.done.saturating_add(bytes));
    }

    /// Reports that the first `done` bytes are dealt with.
    pub(super) fn reach(&mut self, done: u64) {
        self.done = done.clamp(self.done, self.total.max(self.done));
        (self.report)((self.done as f64 / self.total as f64) as f32);
    }

    pub(super) fn finish(mut self) {
        self.reach(self.total);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_appears_only_when_finished() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.bin");
        let mut output = Output::create(&path).unwrap();
        output.write(b"abc").unwrap();
        assert!(!path.exists());
        drop(output);
        assert_eq!(
            std::fs::read_dir(folder.path()).unwrap().count(),
            0,
            "nothing may stay"
        );

        let mut output = Output::create(&path).unwrap();
        output.write(b"abc").unwrap();
        output.finish().unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"abc");
    }

    #[test]
    fn progress_never_falls_and_ends_at_one() {
        let mut seen = Vec::new();
        let mut report = |fraction| seen.push(fraction);
        let mut progress = Progress::new(10, &mut report);
        progress.advance(4);
        progress.reach(2);
        progress.advance(100);
        progress.finish();
        assert_eq!(seen, [0.0, 0.4, 0.4, 1.0, 1.0]);
    }
}
