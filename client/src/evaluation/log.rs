//! Reading an event log back: all that scoring knows of a session.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use interpret_proto::v1::{AudioFormat, InterpretResponse};
use serde_json::Value;

use crate::{output::frame_bytes, session::Event};

/// An event, and when it came.
#[derive(Debug, Clone, PartialEq)]
pub struct Logged {
    /// Wall milliseconds since the first sample of source audio was due.
    pub at_ms: i64,
    /// What came.
    pub event: Event,
    /// Samples of audio in each channel, where the event is audio.
    pub samples: u64,
}

/// A session, as its event log tells it (see [`EventLog`](crate::output::EventLog)).
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Log {
    /// Everything that came, in order.
    pub events: Vec<Logged>,
}

/// An event log that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// It cannot be read.
    #[error("cannot read the event log {}", path.display())]
    Read {
        /// The log.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A line is no event.
    #[error("line {line} of the event log {} is no event: {what}", path.display())]
    Line {
        /// The log.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// What is wrong with it.
        what: String,
    },
}

impl Log {
    /// Reads a log.
    ///
    /// # Errors
    ///
    /// Where it cannot be read, or a line is no event.
    pub fn read(path: &Path) -> Result<Self, LogError> {
        let text = fs::read_to_string(path).map_err(|source| LogError::Read {
            path: path.to_path_buf(),
            source,
        })?;
        Self::parse(&text).map_err(|(line, what)| LogError::Line {
            path: path.to_path_buf(),
            line,
            what,
        })
    }

    /// Reads a log's text; an error is a line, from 1, and what is wrong with it.
    fn parse(text: &str) -> Result<Self, (usize, String)> {
        let mut log = Self::default();
        for (index, line) in text.lines().enumerate() {
            if line.trim().is_empty() {
                continue;
            }
            let mut logged = logged(line).map_err(|what| (index + 1, what))?;
            if let Event::TranslatedAudio(audio) = &logged.event
                && !audio.data.is_empty()
                && let Some(format) = log.format(&audio.language)
            {
                logged.samples = (audio.data.len() / frame_bytes(format)) as u64;
            }
            log.events.push(logged);
        }
        Ok(log)
    }

    /// The format of the speech in `language`; `None` where it is not spoken.
    #[must_use]
    pub fn format(&self, language: &str) -> Option<AudioFormat> {
        let started = self.events.iter().find_map(|logged| match &logged.event {
            Event::SessionStarted(started) => Some(started),
            _ => None,
        })?;
        let target = started.targets.iter().find(|t| t.language == language)?;
        target.audio_format.filter(|_| !target.captions_only)
    }

    /// Source audio that the daemon received, in ms; of a session that broke, as far as it told.
    #[must_use]
    pub fn source_ms(&self) -> u64 {
        let told = self.events.iter().map(|logged| match &logged.event {
            Event::SessionEnded(ended) => ended.source_ms,
            Event::Heartbeat(heartbeat) => heartbeat.source_ms,
            Event::SourceText(text) => text.words.last().map_or(0, |word| word.source_end_ms),
            _ => 0,
        });
        told.max().unwrap_or(0)
    }

    /// Whether the session came to its end.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        let last = self.events.last();
        last.is_some_and(|logged| matches!(logged.event, Event::SessionEnded(_)))
    }
}

fn logged(line: &str) -> Result<Logged, String> {
    let mut value: Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
    let fields = value.as_object_mut().ok_or("it is no JSON object")?;
    let at_ms = fields.remove("receivedAtMs").and_then(|at| at.as_i64());
    let at_ms = at_ms.ok_or("it has no receivedAtMs")?;
    let samples = fields
        .get_mut("translatedAudio")
        .and_then(Value::as_object_mut)
        .and_then(|audio| audio.remove("dataSamples"))
        .and_then(|samples| samples.as_u64());
    let response: InterpretResponse =
        serde_json::from_value(value).map_err(|error| error.to_string())?;
    Ok(Logged {
        at_ms,
        event: response.response.ok_or("it holds no response")?,
        samples: samples.unwrap_or(0),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_no_event_is_named() {
        let good = r#"{"receivedAtMs":3,"heartbeat":{"sourceMs":"40"}}"#;
        assert_eq!(Log::parse(good).unwrap().source_ms(), 40);
        for (line, says) in [
            ("{", "EOF"),
            ("[]", "no JSON object"),
            (r#"{"heartbeat":{}}"#, "no receivedAtMs"),
            (r#"{"receivedAtMs":3}"#, "no response"),
            (
                r#"{"receivedAtMs":3,"heartbeat":{"sourceMs":"x"}}"#,
                "invalid",
            ),
        ] {
            let (at, what) = Log::parse(&format!("{good}\n{line}\n")).unwrap_err();
            assert_eq!(at, 2);
            assert!(what.contains(says), "{line}: {what}");
        }
    }

    #[test]
    fn what_the_client_writes_is_read() {
        use interpret_proto::v1::{AudioEncoding, TranslatedAudio};

        let audio = crate::session::Received {
            at_ms: 7,
            event: Event::TranslatedAudio(TranslatedAudio {
                language: "en".to_owned(),
                data: vec![0; 10],
                ..TranslatedAudio::default()
            }),
        };
        let format = AudioFormat {
            encoding: AudioEncoding::Linear16.into(),
            ..AudioFormat::default()
        };
        let line = crate::output::log_line(&audio, Some(format), false).unwrap();
        let log = Log::parse(&line.to_string()).unwrap();
        assert_eq!((log.events[0].at_ms, log.events[0].samples), (7, 5));
        assert!(!log.is_complete());
    }
}
