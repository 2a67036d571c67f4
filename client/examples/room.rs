//! Listens in a room: `cargo run --example room -- hall en`.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use interpret::{
    connect::connect,
    session::{Event, Listening},
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let room = arguments.next().context("the name of the room")?;
    let language = arguments.next().unwrap_or_default();
    let connection = connect(&"localhost:50551".parse()?).await?;
    let mut listening = Listening::join(connection, &room, &language, false).await?;
    let mut out = std::io::stdout();
    while let Some(received) = listening.next().await? {
        match received.event {
            Event::TranslatedText(text) => {
                writeln!(out, "{}", text.committed.trim())?;
            }
            // Samples in the format that `listening.started()` tells, to be played.
            Event::TranslatedAudio(audio) => {
                writeln!(out, "[{} bytes of speech]", audio.data.len())?;
            }
            _ => {}
        }
    }
    Ok(())
}
