//! Reading a file that may lie about its lengths.

use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use super::ConvertError;

/// A model file that knows its name and position, for errors that say where, and that checks
/// every length against what is left of the file before it sets memory aside.
#[derive(Debug)]
pub(super) struct Source<R> {
    reader: R,
    path: PathBuf,
    position: u64,
    length: u64,
}

impl Source<BufReader<File>> {
    pub(super) fn open(path: &Path) -> Result<Self, ConvertError> {
        let file = File::open(path).map_err(|e| ConvertError::io("open", path, e))?;
        Self::new(BufReader::with_capacity(1 << 18, file), path)
    }
}

impl<R: Read + Seek> Source<R> {
    pub(super) fn new(mut reader: R, path: &Path) -> Result<Self, ConvertError> {
        let length = reader
            .seek(SeekFrom::End(0))
            .and_then(|length| reader.rewind().map(|()| length))
            .map_err(|e| ConvertError::io("read", path, e))?;
        Ok(Self {
            reader,
            path: path.to_path_buf(),
            position: 0,
            length,
        })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn length(&self) -> u64 {
        self.length
    }

    pub(super) fn remaining(&self) -> u64 {
        self.length.saturating_sub(self.position)
    }

    /// Moves to `position`. A position past the end is refused by the next read.
    pub(super) fn seek(&mut self, position: u64) -> Result<(), ConvertError> {
        self.reader
            .seek(SeekFrom::Start(position))
            .map_err(|e| ConvertError::io("read", &self.path, e))?;
        self.position = position;
        Ok(())
    }

    /// The reader itself, for a decoder that reads on its own: [`Source::seek`] before reading
    /// here again.
    pub(super) fn reader(&mut self) -> &mut R {
        &mut self.reader
    }

    pub(super) fn malformed(&self, problem: impl Into<String>) -> ConvertError {
        self.malformed_at(self.position, problem)
    }

    pub(super) fn malformed_at(&self, offset: u64, problem: impl Into<String>) -> ConvertError {
        ConvertError::Malformed {
            path: self.path.clone(),
            offset,
            problem: problem.into(),
        }
    }

    /// The error if fewer than `length` bytes are left.
    pub(super) fn need(&self, length: u64, what: &str) -> Result<(), ConvertError> {
        if length > self.remaining() {
            return Err(self.malformed(format!(
                "{what} should take {length} bytes, but the file ends after {}",
                self.remaining()
            )));
        }
        Ok(())
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), ConvertError> {
        self.reader
            .read_exact(buffer)
            .map_err(|e| ConvertError::io("read", &self.path, e))?;
        self.position += buffer.len() as u64;
        Ok(())
    }

    /// The next `length` bytes. `what` they are goes into the error if the file ends before.
    pub(super) fn bytes(&mut self, length: u64, what: &str) -> Result<Vec<u8>, ConvertError> {
        self.need(length, what)?;
        let length = usize::try_from(length)
            .map_err(|_| self.malformed(format!("{what} is larger than this machine's memory")))?;
        let mut buffer = vec![0; length];
        self.fill(&mut buffer)?;
        Ok(buffer)
    }

    /// The next `length` bytes as text.
    pub(super) fn text(&mut self, length: u64, what: &str) -> Result<String, ConvertError> {
        let start = self.position;
        String::from_utf8(self.bytes(length, what)?)
            .map_err(|_| self.malformed_at(start, format!("{what} is not UTF-8 text")))
    }

    pub(super) fn array<const N: usize>(&mut self, what: &str) -> Result<[u8; N], ConvertError> {
        self.need(N as u64, what)?;
        let mut buffer = [0; N];
        self.fill(&mut buffer)?;
        Ok(buffer)
    }

    pub(super) fn u8(&mut self, what: &str) -> Result<u8, ConvertError> {
        self.array(what).map(u8::from_le_bytes)
    }

    pub(super) fn u16(&mut self, what: &str) -> Result<u16, ConvertError> {
        self.array(what).map(u16::from_le_bytes)
    }

    pub(super) fn u32(&mut self, what: &str) -> Result<u32, ConvertError> {
        self.array(what).map(u32::from_le_bytes)
    }

    pub(super) fn i32(&mut self, what: &str) -> Result<i32, ConvertError> {
        self.array(what).map(i32::from_le_bytes)
    }

    pub(super) fn i64(&mut self, what: &str) -> Result<i64, ConvertError> {
        self.array(what).map(i64::from_le_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    #[test]
    fn a_length_beyond_the_end_is_an_error_that_says_where() {
        let mut source = Source::new(Cursor::new(vec![1, 2, 3, 4, 5]), Path::new("x.bin")).unwrap();
        assert_eq!(source.u16("a number").unwrap(), 0x0201);
        let error = source.bytes(u64::MAX, "a name").unwrap_err().to_string();
        assert!(
            error.contains("x.bin") && error.contains("byte 2"),
            "{error}"
        );
        assert!(
            error.contains("a name") && error.contains("ends after 3"),
            "{error}"
        );
        source.seek(99).unwrap();
        assert!(source.u8("a flag").is_err());
    }
}
