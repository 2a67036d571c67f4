//! Plays what a microphone hears, without interpreting it: the way of the sound alone.
//!
//! `device_bridge MICROPHONE LOUDSPEAKER`

#![allow(clippy::print_stdout, reason = "an example prints")]

use anyhow::{Context as _, Result};
use interpret::device::{
    Choice, EchoMode, Loudspeaker, LoudspeakerOptions, Microphone, MicrophoneOptions,
};
use tokio_stream::StreamExt as _;

#[tokio::main]
async fn main() -> Result<()> {
    let mut names = std::env::args().skip(1).map(Choice::Named);
    let mut name = || names.next().context("device_bridge MICROPHONE LOUDSPEAKER");
    let (microphone, loudspeaker) = (name()?, name()?);
    let (events, mut happened) = tokio::sync::mpsc::channel(16);
    let options = LoudspeakerOptions {
        choice: loudspeaker,
        fallback: false,
    };
    let loudspeaker = Loudspeaker::open(options, events.clone())?;
    let options = MicrophoneOptions {
        choice: microphone,
        // It would take out what it is asked to play.
        echo: EchoMode::Off,
        ..MicrophoneOptions::default()
    };
    let (_microphone, mut heard) = Microphone::open(options, &mut [], events)?;
    loop {
        tokio::select! {
            piece = heard.next() => match piece {
                Some(piece) => loudspeaker.speak(piece?, 16_000, 0),
                None => return Ok(()),
            },
            Some(event) = happened.recv() => println!("{event}"),
        }
    }
}
