//! `interpret mic`: from a microphone to headphones.

mod desk;
mod keys;
mod line;
mod settings;
mod voices;

use tokio::sync::mpsc;

pub(super) use desk::{Desk, DeskEvent};
pub(super) use keys::Key;
pub(super) use line::Line;
pub use settings::Args;
pub(super) use voices::Voices;

use self::{keys::Keys, settings::Settings};
use super::{
    Failure,
    interrupt::Interrupts,
    request::{Request, refuse_clashes},
    work::Work,
};
use crate::{
    audio::Pace,
    device::{Microphone, MicrophoneOptions},
    error::ClientError,
    exit_status::ExitStatus,
    session::Shift,
    view,
};

/// Device events that wait for the terminal. Full: the newest is dropped.
const DEVICE_EVENTS: usize = 64;

/// Interprets what the microphone hears until the person ends it.
///
/// # Errors
///
/// One for each thing that went wrong; the gravest decides on the exit code.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut interrupts =
        Interrupts::listen().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    let work = tokio::select! {
        work = prepare(args) => work?,
        _ = interrupts.next() => return Err(ClientError::Interrupted.into()),
    };
    work.run(&mut interrupts).await
}

/// Everything that can go wrong before somebody speaks goes wrong here: cheap checks first, the
/// models last.
async fn prepare(args: Args) -> Result<Work, ClientError> {
    let paths = args.outputs.paths();
    let (quiet, plain, server) = (args.quiet, args.plain, args.server.clone());
    let settings = Settings::load(args)?;
    let request = Request {
        from: settings.from()?,
        to: settings.to()?,
        voices: &settings.voice,
        speed: settings.speed,
        mode: settings.mode,
        glossaries: &settings.glossary,
        hot_words: &settings.hot_word,
        room: settings.room.as_deref(),
        spoken: !settings.captions_only
            || paths.audio.is_some()
            || paths.events.is_some()
            || settings.room.is_some(),
    };
    let (config, targets) = request.config()?;
    let endpoint = server.endpoint()?;
    refuse_clashes(None, &paths)?;

    let (events, received) = mpsc::channel(DEVICE_EVENTS);
    let mut voices = match settings.captions_only {
        true => Voices::none(),
        false => Voices::open(&settings, &targets, &events)?,
    };
    let options = MicrophoneOptions {
        choice: settings.microphone(),
        fallback: settings.fallback,
        pick: settings.pick(),
        gain_db: settings.gain_db,
        echo: settings.echo.into(),
    };
    let (microphone, audio) = Microphone::open(options, voices.loudspeakers(), events)?;
    let outputs = paths.open(&targets, Pace::Device)?;

    let config = config
        .codec(settings.codec(endpoint.is_far()))
        .resumable_if(endpoint.is_network());
    let mut line = Line::connect(endpoint, config, audio).await?;
    let session = line.open(&mut Shift::default()).await?;
    let view = (!quiet)
        .then(|| view::for_mic(plain, request.from))
        .transpose();
    let view = view.map_err(ClientError::Stdout)?;
    let keys = view
        .as_ref()
        .and_then(|view| view.takes_keys().then(Keys::listen));
    let captions = paths.captions;
    let desk = Desk::new(microphone, voices, received, keys, captions);
    Ok(Work::new(session, outputs, Pace::Device, view).at(desk, line))
}
