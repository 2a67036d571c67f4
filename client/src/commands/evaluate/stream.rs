//! One session at the speed of speech, written down.

use std::path::Path;

use super::super::interrupt::{Interrupt, Interrupts};
use crate::{
    audio::{AudioFile, Pace},
    connect::Connection,
    error::ClientError,
    evaluation::score::Subject,
    output::{EventLog, Output, Outputs, TranslatedAudioFile},
    session::{Config, Event, Mode, Session, Source, Target},
};

/// Streams a recording and writes `NAME.jsonl` and, where the language is spoken, `NAME.wav` into
/// `folder`. Tells what went wrong, gravest first; what came before that is written.
pub(super) async fn stream(
    connection: Connection,
    subject: &Subject,
    mode: Option<Mode>,
    folder: &Path,
    interrupts: &mut Interrupts,
) -> Vec<ClientError> {
    // What an earlier run left must not be taken for what this one heard.
    for ending in ["jsonl", "wav"] {
        let _ = std::fs::remove_file(folder.join(format!("{}.{ending}", subject.name())));
    }
    let mut session = match open(connection, subject, mode).await {
        Ok(session) => session,
        Err(error) => return vec![error],
    };
    let mut outputs = match outputs(&session, subject, folder) {
        Ok(outputs) => outputs,
        Err(error) => return vec![error],
    };
    let mut errors = Vec::new();
    loop {
        tokio::select! {
            received = session.next() => match received {
                Ok(Some(received)) => {
                    if let Event::SessionEnded(ended) = &received.event
                        && ended.reason() == interpret_proto::v1::EndReason::Shutdown
                    {
                        errors.push(ClientError::ShutDown);
                    }
                    outputs.write(&received);
                }
                Ok(None) => break,
                Err(error) => {
                    errors.push(error);
                    break;
                }
            },
            interrupt = interrupts.next() => match interrupt {
                Interrupt::Finish => session.finish(),
                Interrupt::GiveUp => break,
            },
        }
    }
    if interrupts.any() {
        errors.push(ClientError::Interrupted);
    }
    let sent = session.close().await;
    errors.extend(outputs.finish().failed);
    errors.extend(sent.error.map(ClientError::from));
    errors
}

async fn open(
    connection: Connection,
    subject: &Subject,
    mode: Option<Mode>,
) -> Result<Session, ClientError> {
    let recording = &subject.recording;
    let mut config = Config::new(Source::Language(recording.language));
    config = config.target(Target::new(subject.target));
    if let Some(mode) = mode {
        config = config.mode(mode);
    }
    config.check()?;
    let path = recording.audio.clone();
    let audio = tokio::task::spawn_blocking(move || AudioFile::open(path))
        .await
        .map_err(|error| ClientError::Usage(format!("the decoder failed: {error}")))??;
    Session::open(connection, config, audio.into_stream(), Pace::RealTime).await
}

fn outputs(session: &Session, subject: &Subject, folder: &Path) -> Result<Outputs, ClientError> {
    let target = subject.target.code();
    let spoken = session.started().targets.iter().any(|announced| {
        announced.language == target && announced.audio_format.is_some() && !announced.captions_only
    });
    let mut outputs = Outputs::default();
    let path = |ending: &str| folder.join(format!("{}.{ending}", subject.name()));
    let created = |path: std::path::PathBuf, output: std::io::Result<Box<dyn Output>>| {
        output.map_err(|source| ClientError::Output { path, source })
    };
    let log = EventLog::create(path("jsonl"), false);
    outputs.add(created(
        path("jsonl"),
        log.map(|log| Box::new(log) as Box<dyn Output>),
    )?);
    if spoken {
        let wav = TranslatedAudioFile::create(path("wav"), subject.target, Pace::RealTime);
        outputs.add(created(
            path("wav"),
            wav.map(|wav| Box::new(wav) as Box<dyn Output>),
        )?);
    }
    Ok(outputs)
}
