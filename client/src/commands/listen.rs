//! `interpret listen`: what somebody says in a room, in one's own language.

use std::io;

use tokio::sync::mpsc;

use super::{Failure, ServerArgs, interrupt::Interrupts, mic::Voices};
use crate::{
    audio::Pace, connect::connect, error::ClientError, exit_status::ExitStatus, session::Listening,
    view,
};

/// Device events that wait for the terminal.
const DEVICE_EVENTS: usize = 16;

/// Arguments of `interpret listen`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The room, as the speaker's `--room` names it.
    room: String,
    /// Language to listen in [default: the floor, as it is spoken].
    #[arg(
        long,
        value_name = "LANGUAGE",
        default_value = "",
        hide_default_value = true
    )]
    language: String,
    /// Loudspeaker or headphones (`interpret devices`).
    #[arg(long, value_name = "NAME")]
    loudspeaker: Option<String>,
    /// Show the text and do not speak.
    #[arg(long)]
    captions_only: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Listens until the session ends or the person leaves.
///
/// # Errors
///
/// Where nobody speaks in the room, a device cannot be used, or the connection is lost.
pub async fn run(args: Args) -> Result<(), Failure> {
    let mut interrupts =
        Interrupts::listen().map_err(|error| Failure::new(ExitStatus::Unexpected, error))?;
    let (events, mut devices) = mpsc::channel(DEVICE_EVENTS);
    let connection = connect(&args.server.endpoint()?).await?;
    let joined = Listening::join(connection, &args.room, &args.language, args.captions_only);
    let mut listening = joined.await?;
    let mut voices = match args.captions_only {
        true => Voices::none(),
        false => {
            let languages = listening.started().targets.iter();
            let languages: Vec<String> = languages.map(|t| t.language.clone()).collect();
            Voices::all_on(args.loudspeaker.as_deref(), &languages, &events)
                .map_err(ClientError::from)?
        }
    };
    let mut view = view::for_stdout(Pace::Device);
    let stdout = |error: io::Error| ClientError::Stdout(error);
    loop {
        tokio::select! {
            received = listening.next() => match received? {
                Some(received) => {
                    voices.take(&received);
                    view.show(&received).map_err(stdout)?;
                }
                None => break,
            },
            Some(event) = devices.recv() => {
                view.note(&event.to_string()).map_err(stdout)?;
            }
            _ = interrupts.next() => break,
        }
    }
    view.close().map_err(stdout)?;
    tokio::select! {
        () = voices.drain() => {}
        _ = interrupts.give_up() => {}
    }
    Ok(())
}
