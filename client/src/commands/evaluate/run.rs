//! One evaluation, from the manifest to the report.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use tonic::transport::Channel;

use super::{
    super::interrupt::Interrupts,
    Args, languages,
    select::{Selection, select},
    show,
    stream::stream,
    write,
};
use crate::{
    connect::connect,
    error::ClientError,
    evaluation::{
        Log,
        ears::{self, Ears},
        manifest,
        offline::Offline,
        report::{Kind, Report, SCHEMA, Scored, compare_with_offline, memory, totals},
        score::{Subject, score},
    },
    session::Mode,
};

/// Where the text comes from.
enum Origin {
    /// A daemon, at the speed of speech.
    Stream {
        channel: Channel,
        mode: Option<Mode>,
    },
    /// Event logs of earlier runs.
    Logs(PathBuf),
    /// Whole files. The models run on threads that may block.
    Offline(Arc<Mutex<Offline>>),
}

/// An evaluation under way.
pub(super) struct Run {
    subjects: Vec<Subject>,
    origin: Origin,
    ears: Option<Arc<Ears>>,
    folder: PathBuf,
    label: String,
    offline: Option<Report>,
    scored: Vec<Scored>,
    logs: Vec<(Subject, Log)>,
}

impl Run {
    /// Everything that can go wrong before an hour of streaming goes wrong here: cheap checks first.
    pub(super) async fn prepare(args: &Args) -> Result<Self, ClientError> {
        let recordings = manifest::read(&args.manifest)?;
        let Selection {
            subjects,
            without_target,
        } = select(recordings, &languages(&args.to)?, args.only.as_deref())?;
        show::left_out(&without_target);
        let offline = args
            .offline_report
            .as_deref()
            .map(read_report)
            .transpose()?;
        match &args.logs {
            Some(folder) => all_there(subjects.iter().map(|s| log_path(folder, s)))?,
            None => all_there(subjects.iter().map(|s| s.recording.audio.clone()))?,
        }
        fs::create_dir_all(&args.report).map_err(|source| ClientError::Output {
            path: args.report.clone(),
            source,
        })?;
        let origin = match &args.logs {
            Some(folder) => Origin::Logs(folder.clone()),
            None if args.offline => {
                let offline = in_background(|| Offline::open(ears::store()?)).await?;
                Origin::Offline(Arc::new(Mutex::new(offline)))
            }
            None => Origin::Stream {
                channel: connect(&args.server.endpoint()?).await?,
                mode: args.mode.map(Mode::from),
            },
        };
        let asr = !args.no_asr && !args.offline;
        let ears = match asr {
            true => Some(Arc::new(
                in_background(|| Ears::open(&ears::store()?)).await?,
            )),
            false => None,
        };
        let mode = args
            .mode
            .map_or("default mode".to_owned(), |mode| format!("{mode:?}"));
        let kind = if args.offline {
            "offline".to_owned()
        } else {
            mode
        };
        Ok(Self {
            subjects,
            origin,
            ears,
            folder: args.report.clone(),
            label: args.label.clone().unwrap_or(kind),
            offline,
            scored: Vec::new(),
            logs: Vec::new(),
        })
    }

    /// Measures one recording after another; one that fails does not stop the next, unless nothing
    /// can be expected of it. Tells what went wrong.
    pub(super) async fn measure(
        &mut self,
        mut interrupts: Interrupts,
    ) -> Result<Vec<ClientError>, ClientError> {
        let mut failed = Vec::new();
        for subject in self.subjects.clone() {
            if let Origin::Offline(offline) = &self.origin {
                let offline = Arc::clone(offline);
                let scored = in_background(move || {
                    let mut offline = offline.lock().unwrap_or_else(PoisonError::into_inner);
                    offline.score(&subject)
                });
                let scored = tokio::select! {
                    scored = scored => scored?,
                    _ = interrupts.next() => return Err(ClientError::Interrupted),
                };
                self.keep(scored)?;
                continue;
            }
            let folder = match &self.origin {
                Origin::Logs(folder) => folder.clone(),
                _ => self.folder.clone(),
            };
            if let Origin::Stream { channel, mode } = &self.origin {
                let errors =
                    stream(channel.clone(), &subject, *mode, &folder, &mut interrupts).await;
                let hopeless = errors.iter().any(|error| {
                    matches!(
                        error,
                        ClientError::Unreachable { .. }
                            | ClientError::Refused { .. }
                            | ClientError::Interrupted
                            | ClientError::ShutDown
                    )
                });
                failed.extend(errors);
                if !log_path(&folder, &subject).exists() {
                    if hopeless {
                        return Ok(failed);
                    }
                    continue;
                }
                self.score_log(&folder, subject).await?;
                if hopeless {
                    return Ok(failed);
                }
            } else {
                self.score_log(&folder, subject).await?;
            }
        }
        Ok(failed)
    }

    async fn score_log(&mut self, folder: &Path, subject: Subject) -> Result<(), ClientError> {
        let log = Log::read(&log_path(folder, &subject))?;
        let wav = folder.join(format!("{}.wav", subject.name()));
        let heard = match &self.ears {
            Some(ears) if wav.exists() => {
                let (ears, target) = (Arc::clone(ears), subject.target);
                let listen = move || {
                    let speech = ears::without_long_silence(&ears::samples(&wav)?);
                    ears.listen(&speech, target)
                };
                Some(in_background(listen).await?)
            }
            _ => None,
        };
        let scored = score(&subject, &log, heard.as_deref());
        write::session(&self.folder, &subject, &log, heard.as_deref())?;
        self.logs.push((subject, log));
        self.keep(scored)
    }

    fn keep(&mut self, scored: Scored) -> Result<(), ClientError> {
        show::recording(&scored.report)?;
        self.scored.push(scored);
        Ok(())
    }

    /// Writes the report of all that was measured, and shows the summary.
    pub(super) fn report(self) -> Result<(), ClientError> {
        if self.scored.is_empty() {
            return Ok(());
        }
        let mut report = Report {
            schema: SCHEMA.to_owned(),
            kind: match self.origin {
                Origin::Offline(_) => Kind::Offline,
                Origin::Stream { .. } | Origin::Logs(_) => Kind::Streamed,
            },
            label: self.label,
            recordings: self.scored.iter().map(|s| s.report.clone()).collect(),
            totals: totals(&self.scored),
            memory: memory(&self.scored),
            offline: None,
        };
        report.offline = self
            .offline
            .map(|offline| compare_with_offline(&report, &offline));
        write::report(&self.folder, &report)?;
        write::export(&self.folder, &self.logs)?;
        show::summary(&report, &self.folder)
    }
}

fn log_path(folder: &Path, subject: &Subject) -> PathBuf {
    folder.join(format!("{}.jsonl", subject.name()))
}

/// Finds missing files before any work is done.
fn all_there(paths: impl Iterator<Item = PathBuf>) -> Result<(), ClientError> {
    for path in paths {
        if let Err(source) = fs::File::open(&path) {
            return Err(crate::audio::AudioError::Read { path, source }.into());
        }
    }
    Ok(())
}

fn read_report(path: &Path) -> Result<Report, ClientError> {
    let text = fs::read_to_string(path).map_err(|source| crate::audio::AudioError::Read {
        path: path.to_path_buf(),
        source,
    })?;
    serde_json::from_str(&text).map_err(|error| {
        ClientError::Usage(format!(
            "{} is no report of an evaluation: {error}",
            path.display()
        ))
    })
}

/// Runs models without holding up the runtime.
async fn in_background<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ClientError> + Send + 'static,
) -> Result<T, ClientError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|error| ClientError::Engine(error.to_string()))?
}
