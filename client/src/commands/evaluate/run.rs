//! One evaluation, from the manifest to the report.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use clap::ValueEnum as _;

use super::{
    super::interrupt::Interrupts,
    Args, languages,
    select::{Selection, select},
    show,
    stream::stream,
    write,
};
use crate::{
    connect::{Connection, connect},
    error::{ClientError, Reason},
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
        connection: Connection,
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
            mut subjects,
            without_target,
        } = select(recordings, &languages(&args.to)?, args.only.as_deref())?;
        show::left_out(&without_target);
        let offline = args
            .offline_report
            .as_deref()
            .map(read_report)
            .transpose()?;
        match &args.logs {
            Some(folder) => keep_logged(&mut subjects, folder)?,
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
                connection: connect(&args.server.endpoint()?).await?,
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
        Ok(Self {
            subjects,
            origin,
            ears,
            folder: args.report.clone(),
            label: args.label.clone().unwrap_or_else(|| label(args)),
            offline,
            scored: Vec::new(),
            logs: Vec::new(),
        })
    }

    /// Measures one recording after another; one that fails does not stop the next, unless the next
    /// would fail as well. Tells what went wrong.
    pub(super) async fn measure(&mut self, mut interrupts: Interrupts) -> Vec<ClientError> {
        let mut failed = Vec::new();
        for subject in self.subjects.clone() {
            let errors = self.measure_one(subject, &mut interrupts).await;
            let hopeless = errors.iter().any(is_hopeless);
            failed.extend(errors);
            if hopeless {
                break;
            }
        }
        failed
    }

    async fn measure_one(
        &mut self,
        subject: Subject,
        interrupts: &mut Interrupts,
    ) -> Vec<ClientError> {
        let (mut errors, folder) = match &self.origin {
            Origin::Offline(offline) => {
                let scored = tokio::select! {
                    scored = offline_score(Arc::clone(offline), subject) => scored,
                    _ = interrupts.next() => Err(ClientError::Interrupted),
                };
                return scored
                    .and_then(|scored| self.keep(scored))
                    .err()
                    .into_iter()
                    .collect();
            }
            Origin::Logs(folder) => (Vec::new(), folder.clone()),
            Origin::Stream { connection, mode } => {
                let folder = self.folder.clone();
                let errors = stream(connection.clone(), &subject, *mode, &folder, interrupts).await;
                (errors, folder)
            }
        };
        if errors.is_empty() || log_path(&folder, &subject).exists() {
            errors.extend(self.score_log(&folder, subject).await.err());
        }
        errors
    }

    async fn score_log(&mut self, folder: &Path, subject: Subject) -> Result<(), ClientError> {
        let log = Log::read(&log_path(folder, &subject))?;
        let heard = self.heard(folder, &subject).await?;
        let scored = score(&subject, &log, heard.as_deref());
        write::session(&self.folder, &subject, &log, heard.as_deref())?;
        self.logs.push((subject, log));
        self.keep(scored)
    }

    /// What the recogniser hears in the speech, if there is any and it shall be recognised.
    async fn heard(&self, folder: &Path, subject: &Subject) -> Result<Option<String>, ClientError> {
        let wav = folder.join(format!("{}.wav", subject.name()));
        let Some(ears) = self.ears.clone().filter(|_| wav.exists()) else {
            return Ok(None);
        };
        let target = subject.target;
        let heard = in_background(move || {
            let speech = ears::without_long_silence(&ears::samples(&wav)?);
            ears.listen(&speech, target)
        });
        heard.await.map(Some)
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

/// What the report is called where the person does not say.
fn label(args: &Args) -> String {
    let mode = args.mode.and_then(|mode| mode.to_possible_value());
    match (&args.logs, mode) {
        (Some(folder), _) => folder.display().to_string(),
        (None, Some(mode)) => mode.get_name().to_owned(),
        (None, None) if args.offline => "offline".to_owned(),
        (None, None) => "default mode".to_owned(),
    }
}

async fn offline_score(
    offline: Arc<Mutex<Offline>>,
    subject: Subject,
) -> Result<Scored, ClientError> {
    in_background(move || {
        let mut offline = offline.lock().unwrap_or_else(PoisonError::into_inner);
        offline.score(&subject)
    })
    .await
}

/// Whether the next recording would fail as well.
fn is_hopeless(error: &ClientError) -> bool {
    match error {
        ClientError::Unreachable { .. }
        | ClientError::Interrupted
        | ClientError::ShutDown
        | ClientError::Output { .. }
        | ClientError::Stdout(_) => true,
        // A language or model that this recording needs, another may not.
        ClientError::Refused { reason, .. } => {
            matches!(
                reason,
                Reason::Full | Reason::Loading | Reason::ShuttingDown
            )
        }
        _ => false,
    }
}

/// Leaves out recordings of which the folder holds no log, and says so.
fn keep_logged(subjects: &mut Vec<Subject>, folder: &Path) -> Result<(), ClientError> {
    let (logged, absent): (Vec<Subject>, Vec<Subject>) = subjects
        .drain(..)
        .partition(|subject| log_path(folder, subject).exists());
    let names: Vec<String> = absent.iter().map(Subject::name).collect();
    if logged.is_empty() {
        return Err(ClientError::Usage(format!(
            "{} holds no event log of: {}",
            folder.display(),
            names.join(", ")
        )));
    }
    show::without_log(&names);
    *subjects = logged;
    Ok(())
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
