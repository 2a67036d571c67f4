//! Captions of a recording, as they are committed: `cargo run --example captions -- talk.flac fr en`.

use std::io::Write as _;

use anyhow::{Context as _, Result};
use interpret::{
    audio::{AudioFile, Pace},
    connect::connect,
    session::{Config, Event, Session, Source, Target},
};

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let mut argument = |name: &'static str| arguments.next().context(name);
    let audio = AudioFile::open(argument("a sound file")?)?.into_stream();
    let source = Source::Language(argument("the language spoken")?.parse()?);
    let target = Target::new(argument("the language to read")?.parse()?).captions_only();
    let connection = connect(&"localhost:50551".parse()?).await?;
    let config = Config::new(source).target(target);
    let mut session = Session::open(connection, config, audio, Pace::RealTime).await?;
    let mut out = std::io::stdout();
    while let Some(received) = session.next().await? {
        if let Event::TranslatedText(text) = received.event {
            write!(out, "{}", text.committed)?;
            out.flush()?;
        }
    }
    writeln!(out)?;
    Ok(())
}
