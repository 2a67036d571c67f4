//! Several files read as if they were one.

use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};

/// The concatenation of files.
#[derive(Debug)]
pub(super) struct Pieces {
    /// Each file with the position of its end in the whole.
    files: Vec<(File, u64)>,
    position: u64,
}

impl Pieces {
    pub(super) fn new(files: Vec<File>) -> Result<Self> {
        let mut end = 0;
        let files = files
            .into_iter()
            .map(|file| {
                end += file.metadata()?.len();
                Ok((file, end))
            })
            .collect::<Result<Vec<_>>>()?;
        Ok(Self { files, position: 0 })
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let index = self.files.partition_point(|&(_, end)| end <= self.position);
        let start = if index == 0 {
            0
        } else {
            self.files[index - 1].1
        };
        let Some((file, _)) = self.files.get_mut(index) else {
            return Ok(0);
        };
        file.seek(SeekFrom::Start(self.position - start))?;
        let count = file.read(buffer)?;
        self.position += count as u64;
        Ok(count)
    }
}

impl Seek for Pieces {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let end = self.files.last().map_or(0, |&(_, end)| end);
        let target = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(by) => end.checked_add_signed(by),
            SeekFrom::Current(by) => self.position.checked_add_signed(by),
        };
        self.position = target.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}
