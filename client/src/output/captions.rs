//! A caption file of one language.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use interpret_models::Language;

use super::{Cue, CueBuilder, Output, WEBVTT_HEADER, file::OutputFile, subrip_cue, webvtt_cue};
use crate::session::{Event, Received};

/// Writes the committed translation of one language as captions: WebVTT, or SubRip where the name
/// ends in `.srt`.
#[derive(Debug)]
pub struct Captions {
    file: OutputFile,
    writer: BufWriter<File>,
    language: Language,
    builder: CueBuilder,
    subrip: bool,
    written: u64,
}

impl Captions {
    /// Opens a caption file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be created.
    pub fn create(path: PathBuf, language: Language) -> io::Result<Self> {
        let subrip = path
            .extension()
            .is_some_and(|extension| extension.eq_ignore_ascii_case("srt"));
        let (file, handle) = OutputFile::create(path)?;
        let mut writer = BufWriter::new(handle);
        if !subrip {
            writer.write_all(WEBVTT_HEADER.as_bytes())?;
        }
        Ok(Self {
            file,
            writer,
            language,
            builder: CueBuilder::default(),
            subrip,
            written: 0,
        })
    }

    fn write_cues(&mut self, cues: &[Cue]) -> io::Result<()> {
        for cue in cues {
            self.written += 1;
            let text = if self.subrip {
                subrip_cue(self.written, cue)
            } else {
                webvtt_cue(cue)
            };
            self.writer.write_all(text.as_bytes())?;
        }
        Ok(())
    }
}

impl Output for Captions {
    fn path(&self) -> &PathBuf {
        self.file.path()
    }

    fn write(&mut self, received: &Received) -> io::Result<()> {
        match &received.event {
            Event::TranslatedText(text) if text.language == self.language.code() => {
                let cues = self.builder.take(text);
                self.write_cues(&cues)
            }
            _ => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        let cues = std::mem::take(&mut self.builder).finish();
        self.write_cues(&cues)?;
        self.writer.flush()?;
        self.file.finish()
    }
}
