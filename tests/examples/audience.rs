//! What the listeners of a room cost: one French speaker, rendered in English (spoken) and in four more languages
//! (captions, through English), without listeners and with them. Prints processor time, also per listener.
//!
//! `cargo run --release -p interpret-tests --example audience -- 200`

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::collections::HashMap;

use anyhow::{Result, ensure};
use futures_util::stream;
use interpret::{
    audio::Pace,
    connect::{Endpoint, connect},
    session::{Event, Listening, Mode, Session},
};
use interpret_tests::{daemon_process::DaemonProcess, five_targets, speech::recording};

const ROOM: &str = "great-hall";
/// What listeners choose: a language, and whether only captions.
const CHOICES: [(&str, bool); 7] = [
    ("en", false),
    ("en", true),
    ("fr", false),
    ("pt", true),
    ("es", true),
    ("it", true),
    ("de", true),
];

#[tokio::main]
async fn main() -> Result<()> {
    let listeners = std::env::args().nth(1).map_or(Ok(200), |n| n.parse())?;
    let (daemon, _cache) = five_targets::daemon().await?;
    let endpoint: Endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    // Once for the pages and caches that everybody needs.
    interpreted(&daemon, &endpoint, 0).await?;
    let alone = interpreted(&daemon, &endpoint, 0).await?;
    let with = interpreted(&daemon, &endpoint, listeners).await?;
    println!(
        "without listeners: {:.3} cores, {} MB",
        alone.cores, alone.memory_mb
    );
    println!(
        "with {listeners}: {:.3} cores, {} MB; every word came to each; recognition ran for {} session",
        with.cores, with.memory_mb, with.recognisers
    );
    let each = (with.cores - alone.cores) / listeners.max(1) as f64;
    println!("{:.3} % of a core a listener", each * 100.0);
    Ok(())
}

struct Cost {
    cores: f64,
    memory_mb: u64,
    recognisers: usize,
}

async fn interpreted(
    daemon: &DaemonProcess,
    endpoint: &Endpoint,
    listeners: usize,
) -> Result<Cost> {
    let mut samples = vec![0.0; 16_000 * 4];
    for name in ["docs-a-fr", "docs-b-fr"] {
        samples.extend(recording(name)?.samples()?);
    }
    let seconds = samples.len() as f64 / 16_000.0;
    let config = five_targets::config(ROOM)?.mode(Mode::LowLatency);
    let pieces: Vec<_> = samples
        .chunks(640)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    let before = daemon.resources()?.processor_s;
    let connection = connect(endpoint).await?;
    let audio = stream::iter(pieces);
    let mut session = Session::open(connection, config, audio, Pace::RealTime).await?;
    let seats: Vec<_> = (0..listeners)
        .map(|n| {
            let (language, captions_only) = CHOICES[n % CHOICES.len()];
            let listened = listen(endpoint.clone(), language, captions_only);
            (language, tokio::spawn(listened))
        })
        .collect();
    let (mut said, mut recognisers) = (HashMap::<String, String>::new(), 0);
    while let Some(received) = session.next().await? {
        match received.event {
            Event::SourceText(text) => {
                said.entry("fr".to_owned())
                    .or_default()
                    .push_str(&text.committed);
            }
            Event::TranslatedText(text) => {
                said.entry(text.language)
                    .or_default()
                    .push_str(&text.committed);
            }
            Event::SessionEnded(ended) => {
                recognisers = ended
                    .stages
                    .iter()
                    .filter(|s| s.stage == "recognise")
                    .count();
            }
            _ => {}
        }
    }
    for (language, seat) in seats {
        ensure!(
            seat.await?? == said[language],
            "a listener in {language} has other words"
        );
    }
    Ok(Cost {
        cores: (daemon.resources()?.processor_s - before) / seconds,
        memory_mb: daemon.resident_bytes()? / 1_000_000,
        recognisers,
    })
}

async fn listen(endpoint: Endpoint, language: &str, captions_only: bool) -> Result<String> {
    let connection = connect(&endpoint).await?;
    let mut listening = Listening::join(connection, ROOM, language, captions_only).await?;
    let mut words = String::new();
    while let Some(received) = listening.next().await? {
        match received.event {
            Event::TranslatedText(text) => words.push_str(&text.committed),
            Event::SourceText(text) => words.push_str(&text.committed),
            _ => {}
        }
    }
    Ok(words)
}
