//! `interpret file`: a recording, as if its speaker were speaking now.

use std::path::PathBuf;

use super::{
    Failure, ServerArgs,
    interrupt::Interrupts,
    request::{ModeArg, OutputArgs, Request, refuse_clashes, speed_percent},
    work::Work,
};
use crate::{
    audio::{AudioFile, Pace},
    connect::connect,
    error::ClientError,
    exit_status::ExitStatus,
    session::Session,
    view,
};

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
    #[command(flatten)]
    outputs: OutputArgs,
    /// Send as fast as the daemon takes it, not at the speed of speech.
    #[arg(long)]
    fast: bool,
    /// Voice to speak with (`interpret voices`); with several languages, LANGUAGE=VOICE.
    #[arg(long)]
    voice: Vec<String>,
    /// Speak so fast, in percent of the voice's own speed.
    #[arg(long, value_name = "PERCENT", value_parser = speed_percent())]
    speed: Option<u32>,
    /// Trade between delay and quality [default: the daemon's].
    #[arg(long, value_enum)]
    mode: Option<ModeArg>,
    /// Terms to render in a given way: a text with a term, a tab and its rendering on each line; only the
    /// term to leave it untranslated. For one of several languages, LANGUAGE=TERMS.tsv.
    #[arg(long, value_name = "TERMS.tsv")]
    glossary: Vec<String>,
    /// Word that the recogniser should expect, such as a name, as it is to be written; may be repeated.
    #[arg(long, value_name = "WORD")]
    hot_word: Vec<String>,
    /// Let others listen, with `interpret listen NAME`; letters, digits, dots, dashes, underscores.
    #[arg(long, value_name = "NAME")]
    room: Option<String>,
    /// No captions, no summary.
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Interprets the recording.
///
/// # Errors
///
/// One for each thing that went wrong; the gravest decides on the exit code.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut interrupts =
        Interrupts::listen().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    let work = tokio::select! {
        work = prepare(&args) => work?,
        _ = interrupts.next() => return Err(ClientError::Interrupted.into()),
    };
    work.run(&mut interrupts).await
}

/// Everything that can go wrong before the first sample is sent goes wrong here: cheap checks
/// first.
async fn prepare(args: &Args) -> Result<Work, ClientError> {
    let pace = if args.fast {
        Pace::Fast
    } else {
        Pace::RealTime
    };
    let paths = args.outputs.paths();
    let request = Request {
        from: &args.from,
        to: &args.to,
        voices: &args.voice,
        speed: args.speed,
        mode: args.mode,
        glossaries: &args.glossary,
        hot_words: &args.hot_word,
        room: args.room.as_deref(),
        spoken: paths.audio.is_some() || paths.events.is_some() || args.room.is_some(),
    };
    let (config, targets) = request.config()?;
    let endpoint = args.server.endpoint()?;
    let config = config.resumable_if(endpoint.is_network());
    refuse_clashes(Some(&args.input), &paths)?;
    let input = args.input.clone();
    let audio = tokio::task::spawn_blocking(move || AudioFile::open(input))
        .await
        .map_err(|error| ClientError::Usage(format!("the decoder failed: {error}")))??;
    let outputs = paths.open(&targets, pace)?;
    let connection = connect(&endpoint).await?;
    let session = Session::open(connection, config, audio.into_stream(), pace).await?;
    let view = (!args.quiet).then(|| view::for_stdout(pace));
    Ok(Work::new(session, outputs, pace, view))
}
