//! How many live sessions this machine takes, and how they fare: sessions are added until the daemon
//! refuses, then all go on for a while.
//!
//! `cargo run --release -p interpret-tests --example load -- whisper-base 8` (recognition model, seconds
//! between sessions; further flags go to the daemon).

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use futures_util::stream;
use interpret::{
    ClientError, Reason,
    audio::Pace,
    connect::{Connection, connect},
    measure::Measure,
    session::{Config, Mode, Session, Source, Target},
};
use interpret_proto::v1::GetCapacityRequest;
use interpret_tests::{daemon_process::DaemonProcess, speech::recording};
use tokio::{sync::watch, task::JoinHandle};

/// After the first refusal all sessions go on for so long.
const FULL: Duration = Duration::from_secs(60);
/// Recordings that speakers repeat, each beginning elsewhere.
const SPOKEN: [(&str, &str, &str); 4] = [
    ("docs-a-fr", "fr", "en"),
    ("docs-b-en", "en", "fr"),
    ("docs-c-fr", "fr", "en"),
    ("docs-a-en", "en", "fr"),
];

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let model = arguments
        .next()
        .unwrap_or_else(|| "whisper-base".to_owned());
    let every = arguments.next().map_or(Ok(8), |seconds| seconds.parse())?;
    let more: Vec<String> = arguments.collect();
    let mut flags = vec!["--recognition", &model, "--preload", "fr-en,en-fr"];
    flags.extend(["--max-sessions", "64"]);
    flags.extend(more.iter().map(String::as_str));
    let daemon = DaemonProcess::ready(&flags).await?;
    let endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let connection = connect(&endpoint).await?;
    let (stop, stopped) = watch::channel(false);
    let mut speakers = Vec::new();
    loop {
        let capacity = connection
            .interpreter()
            .get_capacity(GetCapacityRequest {})
            .await?;
        let pressure = capacity.into_inner().pressure;
        let asked = Instant::now();
        match speaker(&connection, speakers.len(), stopped.clone()).await {
            Ok(speaker) => {
                println!(
                    "session {}: taken after {} ms, pressure before {pressure:.2}",
                    speakers.len() + 1,
                    asked.elapsed().as_millis()
                );
                speakers.push(speaker);
            }
            Err(ClientError::Refused {
                reason: Reason::Full,
                message,
            }) => {
                println!(
                    "refused after {} ms: {message}",
                    asked.elapsed().as_millis()
                );
                break;
            }
            Err(other) => return Err(other.into()),
        }
        tokio::time::sleep(Duration::from_secs(every)).await;
    }
    tokio::time::sleep(FULL).await;
    stop.send(true)?;
    for (number, speaker) in (1..).zip(speakers) {
        let measure = speaker.await??;
        let spoken = measure.spoken().next().context("nothing was spoken")?;
        let span = spoken.ear_voice_span.context("no span")?;
        println!(
            "session {number}: {} words, span {:.2} s, p95 {:.2} s, {} ms skipped or lost",
            measure.source_words(),
            span.median_ms as f64 / 1_000.0,
            span.p95_ms as f64 / 1_000.0,
            measure.lost_ms()
        );
    }
    println!("memory {} MB", daemon.resident_bytes()? / 1_000_000);
    Ok(())
}

/// Somebody who speaks until they are stopped.
async fn speaker(
    connection: &Connection,
    number: usize,
    stopped: watch::Receiver<bool>,
) -> Result<JoinHandle<Result<Measure>>, ClientError> {
    let (name, from, to) = SPOKEN[number % SPOKEN.len()];
    let samples = recording(name).and_then(|recording| recording.samples());
    let samples = samples.map_err(|error| ClientError::Usage(error.to_string()))?;
    let config = Config::new(Source::Language(from.parse()?))
        .target(Target::new(to.parse()?))
        .mode(Mode::LowLatency);
    let pieces = (0..).map(move |piece| {
        let from = (number * 37_000 + piece * 1_600) % samples.len();
        Ok(samples[from..(from + 1_600).min(samples.len())].to_vec())
    });
    let audio = stream::iter(pieces);
    let mut session = Session::open(connection.clone(), config, audio, Pace::RealTime).await?;
    let mut stopped = stopped;
    Ok(tokio::spawn(async move {
        let mut measure = Measure::new(Pace::RealTime);
        loop {
            tokio::select! {
                received = session.next() => match received? {
                    Some(received) => measure.take(&received),
                    None => return Ok(measure),
                },
                _ = stopped.changed() => session.finish(),
            }
        }
    }))
}
