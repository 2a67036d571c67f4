//! `interpret file`: a recording, as if its speaker were speaking now.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
    time::Duration,
};

use clap::ValueEnum;
use interpret_models::Language;
use interpret_proto::v1::EndReason;
use tokio::time::{MissedTickBehavior, interval};

use super::{
    Failure, ServerArgs, glossary,
    interrupt::{Interrupt, Interrupts},
    source::parse_source,
};
use crate::{
    audio::{AudioFile, Pace},
    connect::connect,
    error::ClientError,
    exit_status::ExitStatus,
    measure::Measure,
    output::{OutputPaths, Outputs},
    session::{Config, Event, Mode, Session, Target},
    view::{self, Summary, View},
};

/// How often the clock on the terminal moves.
const TICK: Duration = Duration::from_millis(250);

/// Arguments of `interpret file`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Recording: WAV, FLAC, MP3, Ogg Vorbis, M4A; any sample rate and channel count.
    input: PathBuf,
    /// Language spoken: a code such as fr; auto to detect it; auto:fr,en to choose among these.
    #[arg(long, value_name = "LANGUAGE")]
    from: String,
    /// Language to interpret into; repeat it, or separate several by commas.
    #[arg(long, value_name = "LANGUAGE", required = true, value_delimiter = ',')]
    to: Vec<String>,
    /// Write the translated speech here (WAV). Several languages: OUT.en.wav, OUT.pt.wav.
    #[arg(long, short, value_name = "OUT.wav")]
    output: Option<PathBuf>,
    /// Write captions here (WebVTT; SubRip if the name ends in .srt).
    #[arg(long, value_name = "OUT.vtt")]
    captions: Option<PathBuf>,
    /// Write every event here, one line of JSON each.
    #[arg(long, value_name = "OUT.jsonl")]
    events: Option<PathBuf>,
    /// Keep the audio itself in the event log.
    #[arg(long, requires = "events")]
    events_audio: bool,
    /// Send as fast as the daemon takes it, not at the speed of speech.
    #[arg(long)]
    fast: bool,
    /// Voice to speak with (`interpret voices`); with several languages, LANGUAGE=VOICE.
    #[arg(long)]
    voice: Vec<String>,
    /// Trade between delay and quality [default: the daemon's].
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,
    /// Terms to render in a given way: a text with a term, a tab and its rendering on each line; only the
    /// term to leave it untranslated. For one of several languages, LANGUAGE=TERMS.tsv.
    #[arg(long, value_name = "TERMS.tsv")]
    glossary: Vec<String>,
    /// No captions, no summary.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// `--mode`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum ModeArg {
    /// Starts soonest.
    LowLatency,
    /// Between the two.
    Balanced,
    /// Waits for whole sentences.
    Accurate,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::LowLatency => Self::LowLatency,
            ModeArg::Balanced => Self::Balanced,
            ModeArg::Accurate => Self::Accurate,
        }
    }
}

/// Interprets the recording.
///
/// # Errors
///
/// One for each thing that went wrong; the gravest decides on the exit code.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut interrupts =
        Interrupts::listen().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    let mut work = tokio::select! {
        work = Work::prepare(&args) => work?,
        _ = interrupts.next() => return Err(ClientError::Interrupted.into()),
    };
    let outcome = work.drive(&mut interrupts).await;
    match Failure::first_of(work.complete(outcome, interrupts.any()).await) {
        Some(failure) => Err(failure),
        None => Ok(()),
    }
}

/// A session under way and everything that takes its events.
struct Work {
    session: Session,
    outputs: Outputs,
    measure: Measure,
    /// None if quiet, or once standard output is gone.
    view: Option<Box<dyn View>>,
    summarise: bool,
    shut_down: bool,
}

impl Work {
    /// Everything that can go wrong before the first sample is sent goes wrong here: cheap checks
    /// first.
    async fn prepare(args: &Args) -> Result<Self, ClientError> {
        let pace = if args.fast {
            Pace::Fast
        } else {
            Pace::RealTime
        };
        let (config, targets) = config(args)?;
        let endpoint = args.server.endpoint()?;
        let paths = OutputPaths {
            audio: args.output.clone(),
            captions: args.captions.clone(),
            events: args.events.clone(),
            events_audio: args.events_audio,
        };
        refuse_clashes(&args.input, &paths)?;
        let input = args.input.clone();
        let audio = tokio::task::spawn_blocking(move || AudioFile::open(input))
            .await
            .map_err(|error| ClientError::Usage(format!("the decoder failed: {error}")))??;
        let outputs = paths.open(&targets, pace)?;
        let channel = connect(&endpoint).await?;
        let session = Session::open(channel, config, audio.into_stream(), pace).await?;
        Ok(Self {
            session,
            outputs,
            measure: Measure::new(pace),
            view: (!args.quiet).then(|| view::for_stdout(pace)),
            summarise: !args.quiet,
            shut_down: false,
        })
    }

    /// Takes events until the session ends, breaks, or the person gives up on it.
    async fn drive(&mut self, interrupts: &mut Interrupts) -> Result<(), ClientError> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        loop {
            tokio::select! {
                received = self.session.next() => {
                    let Some(received) = received? else {
                        return Ok(());
                    };
                    for error in self.outputs.write(&received) {
                        tracing::warn!(%error, "an output failed; the others go on");
                    }
                    self.measure.take(&received);
                    self.show(|view| view.show(&received))?;
                    if let Event::SessionEnded(ended) = &received.event {
                        self.shut_down = ended.reason() == EndReason::Shutdown;
                    }
                }
                interrupt = interrupts.next() => match interrupt {
                    Interrupt::Finish => {
                        self.session.finish();
                        self.show(|view| view.note("finishing; Ctrl-C again stops at once"))?;
                    }
                    Interrupt::GiveUp => return Ok(()),
                },
                _ = ticks.tick() => {
                    let (now, sent) = (self.session.now_ms(), self.session.sent_ms());
                    self.show(|view| view.tick(now, sent))?;
                }
            }
        }
    }

    /// Draws; a reader of standard output that went away ends the drawing, not the work.
    fn show(
        &mut self,
        draw: impl FnOnce(&mut dyn View) -> io::Result<()>,
    ) -> Result<(), ClientError> {
        let Some(view) = &mut self.view else {
            return Ok(());
        };
        match draw(view.as_mut()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                self.view = None;
                Ok(())
            }
            outcome => outcome.map_err(ClientError::Stdout),
        }
    }

    /// Completes the files, prints the summary, and gathers what went wrong, gravest first.
    async fn complete(
        mut self,
        outcome: Result<(), ClientError>,
        interrupted: bool,
    ) -> Vec<Failure> {
        let closed = self.show(|view| view.close());
        let sent = self.session.close().await;
        let written = self.outputs.finish();
        if self.summarise {
            let summary = Summary {
                measure: &self.measure,
                files: &written.files,
            };
            // Nobody is left to tell if standard error is gone.
            let _ = write!(io::stderr().lock(), "\n{summary}");
        }
        let mut errors: Vec<ClientError> = outcome.err().into_iter().collect();
        if interrupted {
            errors.push(ClientError::Interrupted);
        } else if self.shut_down {
            errors.push(ClientError::ShutDown);
        }
        errors.extend(written.failed);
        errors.extend(sent.error.map(ClientError::from));
        errors.extend(closed.err());
        errors.into_iter().map(Failure::from).collect()
    }
}

fn config(args: &Args) -> Result<(Config, Vec<Language>), ClientError> {
    let mut config = Config::new(parse_source(&args.from)?);
    let targets: Vec<Language> = args
        .to
        .iter()
        .map(|code| code.parse())
        .collect::<Result<_, _>>()?;
    let voices = voices(&args.voice, &targets)?;
    for language in &targets {
        let mut target = Target::new(*language);
        if let Some((_, voice)) = voices.iter().find(|(of, _)| of == language) {
            target = target.voice(voice.clone());
        }
        // Speech that nobody keeps need not be made.
        if args.output.is_none() && args.events.is_none() {
            target = target.captions_only();
        }
        config = config.target(target);
    }
    if let Some(mode) = args.mode {
        config = config.mode(mode.into());
    }
    for term in glossary::read(&args.glossary)? {
        config = config.term(term);
    }
    config.check()?;
    Ok((config, targets))
}

/// Reads `af_heart` (with one target) and `en=af_heart`.
fn voices(given: &[String], targets: &[Language]) -> Result<Vec<(Language, String)>, ClientError> {
    given
        .iter()
        .map(|voice| match (voice.split_once('='), targets) {
            (Some((language, name)), _) => Ok((language.parse()?, name.to_owned())),
            (None, [only]) => Ok((*only, voice.clone())),
            (None, _) => Err(ClientError::Usage(format!(
                "--voice {voice} does not tell for which language; write LANGUAGE={voice}"
            ))),
        })
        .collect()
}

/// Refuses to write over the input, or two outputs to one file.
fn refuse_clashes(input: &Path, paths: &OutputPaths) -> Result<(), ClientError> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut taken = vec![real(input)];
    for path in paths.iter() {
        let path = real(path);
        // Devices may be given twice: nothing is lost there.
        if taken.contains(&path) && !path.metadata().is_ok_and(|found| !found.is_file()) {
            let path = path.display();
            return Err(ClientError::Usage(format!("{path} is named twice")));
        }
        taken.push(path);
    }
    Ok(())
}
