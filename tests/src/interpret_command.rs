//! `interpret` as a process of its own.

use std::{
    path::{Path, PathBuf},
    process::{Command, Output},
};

use anyhow::{Context as _, Result, bail};
use interpret_proto::v1::{InterpretResponse, NoticeKind, interpret_response::Response};

use crate::daemon_process::program;

/// Runs `interpret` with `arguments` and gives what came of it.
///
/// # Errors
/// When it cannot be started.
pub fn interpret(arguments: &[&str]) -> Result<Output> {
    Command::new(program("interpret")?)
        .args(arguments)
        .output()
        .context("starting interpret")
}

/// The events of a log, in order.
///
/// # Errors
/// When it cannot be read, or is no event log.
pub fn read_events(log: &Path) -> Result<Vec<Response>> {
    std::fs::read_to_string(log)?
        .lines()
        .map(|line| {
            let mut line: serde_json::Value = serde_json::from_str(line)?;
            // Beside the response itself, the log holds what the client measured.
            if let Some(fields) = line.as_object_mut() {
                fields.retain(|name, _| name != "receivedAtMs");
                if let Some(audio) = fields
                    .get_mut("translatedAudio")
                    .and_then(|audio| audio.as_object_mut())
                {
                    audio.retain(|name, _| name != "dataSamples");
                }
            }
            let message: InterpretResponse = serde_json::from_value(line)?;
            message.response.context("an empty response")
        })
        .collect()
}

/// What `interpret file` or `interpret mic` left behind.
#[derive(Debug)]
pub struct Interpreted {
    /// The spoken translation.
    pub wav: PathBuf,
    /// The captions.
    pub vtt: PathBuf,
    /// The event log, in order.
    pub events: Vec<Response>,
}

impl Interpreted {
    /// Interprets a file through the daemon at `server`, as fast as it goes, in `mode`, into
    /// `folder`.
    ///
    /// # Errors
    /// When the command fails; the error holds what it said.
    pub fn fast(
        input: &Path,
        (from, to): (&str, &str),
        mode: &str,
        server: &str,
        folder: &Path,
    ) -> Result<Self> {
        let path = |ending: &str| folder.join(format!("out.{ending}"));
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let (wav, vtt, log) = (path("wav"), path("vtt"), path("jsonl"));
        let output = interpret(&[
            "file",
            &text(input),
            "--from",
            from,
            "--to",
            to,
            "--server",
            server,
            "--fast",
            "--mode",
            mode,
            "--output",
            &text(&wav),
            "--captions",
            &text(&vtt),
            "--events",
            &text(&log),
        ])?;
        if !output.status.success() {
            bail!(
                "interpret file: {}\n{}",
                output.status,
                String::from_utf8_lossy(&output.stderr)
            );
        }
        let events = read_events(&log)?;
        Ok(Self { wav, vtt, events })
    }

    /// The whole committed source text.
    #[must_use]
    pub fn source(&self) -> String {
        let text = |event: &Response| match event {
            Response::SourceText(text) => Some(text.committed.clone()),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    /// The whole committed translation.
    #[must_use]
    pub fn translation(&self) -> String {
        let text = |event: &Response| match event {
            Response::TranslatedText(text) => Some(text.committed.clone()),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    /// What was spoken of the translation.
    #[must_use]
    pub fn spoken(&self) -> String {
        let text = |event: &Response| match event {
            Response::TranslatedAudio(audio) => Some(audio.text.clone()),
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    /// What was told not to be spoken of the translation.
    #[must_use]
    pub fn not_spoken(&self) -> String {
        let text = |event: &Response| match event {
            Response::Notice(notice) if notice.kind() == NoticeKind::SpeechSkipped => {
                Some(notice.text.clone())
            }
            _ => None,
        };
        self.events.iter().filter_map(text).collect()
    }

    /// Source sentences and their committed translations, where whole sentences are committed.
    #[must_use]
    pub fn sentences(&self) -> Vec<(String, String)> {
        let sentence = |event: &Response| match event {
            Response::TranslatedText(text) => {
                Some((text.source_text.clone(), text.committed.trim().to_owned()))
            }
            _ => None,
        };
        self.events.iter().filter_map(sentence).collect()
    }
}
