//! The files a session leaves behind: event log, captions, translated audio.
//!
//! Each is written under a temporary name beside its final one and renamed when it is complete, so
//! a file under the final name is always whole. One that fails does not lose the others.

mod captions;
mod cue;
mod event_log;
mod file;
mod paths;
mod subrip;
mod translated_audio;
mod webvtt;

use std::{io, path::PathBuf};

pub use captions::Captions;
pub use cue::{Cue, CueBuilder};
pub(crate) use event_log::frame_bytes;
pub use event_log::{EventLog, log_line};
pub use paths::{OutputPaths, with_language};
pub use subrip::subrip_cue;
pub use translated_audio::TranslatedAudioFile;
pub use webvtt::{WEBVTT_HEADER, webvtt_cue};

use crate::{error::ClientError, session::Received};

/// One file that is written while the session goes.
pub trait Output: Send {
    /// Its final name.
    fn path(&self) -> &PathBuf;

    /// Writes what this event adds.
    ///
    /// # Errors
    ///
    /// Where the disk does not take it. No further event is given to an output that failed.
    fn write(&mut self, received: &Received) -> io::Result<()>;

    /// Completes the file and gives it its final name.
    ///
    /// # Errors
    ///
    /// Where the disk does not take it.
    fn finish(self: Box<Self>) -> io::Result<()>;
}

/// All outputs of a session.
#[derive(Default)]
pub struct Outputs {
    open: Vec<Box<dyn Output>>,
    failed: Vec<ClientError>,
}

/// What became of the outputs.
#[derive(Debug, Default)]
pub struct Written {
    /// Files that are complete.
    pub files: Vec<PathBuf>,
    /// Those that failed, and why.
    pub failed: Vec<ClientError>,
}

impl Outputs {
    /// Adds one.
    pub fn add(&mut self, output: Box<dyn Output>) {
        self.open.push(output);
    }

    /// Gives an event to all; returns those that failed just now.
    pub fn write(&mut self, received: &Received) -> &[ClientError] {
        let before = self.failed.len();
        let failed = &mut self.failed;
        self.open.retain_mut(|output| match output.write(received) {
            Ok(()) => true,
            Err(source) => {
                failed.push(not_written(output.path(), source));
                false
            }
        });
        &self.failed[before..]
    }

    /// Completes all.
    #[must_use]
    pub fn finish(self) -> Written {
        let mut written = Written {
            files: Vec::new(),
            failed: self.failed,
        };
        for output in self.open {
            let path = output.path().clone();
            match output.finish() {
                Ok(()) => written.files.push(path),
                Err(source) => written.failed.push(not_written(&path, source)),
            }
        }
        written
    }
}

fn not_written(path: &std::path::Path, source: io::Error) -> ClientError {
    ClientError::Output {
        path: path.to_path_buf(),
        source,
    }
}

impl std::fmt::Debug for Outputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list()
            .entries(self.open.iter().map(|output| output.path()))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::Heartbeat;
    use tempfile::TempDir;

    use super::*;
    use crate::session::Event;

    #[test]
    fn a_full_disk_stops_one_output_and_no_other() {
        let dir = TempDir::new().unwrap();
        let whole = dir.path().join("whole.jsonl");
        let mut outputs = Outputs::default();
        // Every write to /dev/full fails as a full disk does.
        outputs.add(Box::new(
            EventLog::create("/dev/full".into(), false).unwrap(),
        ));
        outputs.add(Box::new(EventLog::create(whole.clone(), false).unwrap()));
        for at_ms in 0..5_000 {
            let event = Event::Heartbeat(Heartbeat {
                source_ms: 1,
                next_audio_sequence: 0,
            });
            outputs.write(&Received { at_ms, event });
        }
        let written = outputs.finish();
        assert_eq!(written.files.as_slice(), std::slice::from_ref(&whole));
        assert_eq!(written.failed.len(), 1);
        let ClientError::Output { source, .. } = &written.failed[0] else {
            panic!("{:?}", written.failed);
        };
        assert_eq!(source.kind(), io::ErrorKind::StorageFull);
        assert_eq!(
            std::fs::read_to_string(whole).unwrap().lines().count(),
            5_000
        );
    }

    #[test]
    fn nothing_lies_under_the_final_name_before_it_is_whole() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("log.jsonl");
        let log = EventLog::create(path.clone(), false).unwrap();
        assert!(!path.exists());
        Box::new(log).finish().unwrap();
        assert!(path.exists());
        assert_eq!(
            std::fs::read_dir(dir.path()).unwrap().count(),
            1,
            "no part is left"
        );
    }
}
