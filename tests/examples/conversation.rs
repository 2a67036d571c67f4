//! A telephone call of two people who take turns, as the Python client streams it (8 kHz, mu-law), beside
//! the same speech (its first minutes) in two wide-band sessions: ear-voice spans of both directions.
//!
//! `cargo run --release -p interpret-tests --example conversation -- 10 python/.venv/bin/python`
//! (minutes; a Python that has `interpretd-client`, such as the one that `python/test` leaves behind).

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::{path::Path, process::Command};

use anyhow::{Context as _, Result, ensure};
use futures_util::stream;
use interpret::{
    audio::Pace,
    connect::connect,
    evaluation::latency::{Weighted, percentile},
    measure::Measure,
    session::{Config, Mode, Session, Source, Target},
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    telephone::{RATE, narrow_band},
};
use serde_json::Value;

const WIDE_HZ: usize = 16_000;
/// Between two turns: time for the translation to be heard, as people who talk through an interpreter leave.
const TURN_S: usize = 4;
/// The sessions in wide band hear so much of it.
const WIDE_S: usize = 3 * 60;
const LANGUAGES: [&str; 2] = ["fr", "en"];
const TURNS: [[&str; 3]; 2] = [
    ["docs-a-fr", "docs-b-fr", "docs-c-fr"],
    ["docs-a-en", "docs-b-en", "docs-c-en"],
];

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let minutes: usize = arguments.next().map_or(Ok(10), |minutes| minutes.parse())?;
    let python = arguments
        .next()
        .unwrap_or_else(|| "python/.venv/bin/python".to_owned());
    let said = conversation(minutes * 60 * WIDE_HZ)?;
    let seconds = said[0].len() / WIDE_HZ;
    println!("{seconds} s, whisper-base, low-latency, spans in words' median and p95");

    let flags = ["--preload", "fr-en,en-fr", "--max-sessions", "2"];
    let daemon = DaemonProcess::ready(&flags).await?;
    let called = telephone(&python, &daemon.socket(), &said)?;
    for (leg, spans) in called.iter().enumerate() {
        println!("call, {} speaks: {}", LANGUAGES[leg], shown(spans)?);
    }
    let socket = daemon.socket();
    for (leg, mut samples) in said.into_iter().enumerate() {
        samples.truncate(WIDE_S * WIDE_HZ);
        let measure = wide_band(&socket, samples, LANGUAGES[leg], LANGUAGES[1 - leg]).await?;
        let spoken = measure.spoken().next().context("nothing was spoken")?;
        let span = spoken.ear_voice_span.context("no span")?;
        println!(
            "16 kHz, {} speaks: {:.2} s, {:.2} s",
            LANGUAGES[leg],
            span.median_ms as f64 / 1_000.0,
            span.p95_ms as f64 / 1_000.0
        );
    }
    println!("memory {} MB", daemon.resident_bytes()? / 1_000_000);
    Ok(())
}

fn shown(spans: &[Weighted]) -> Result<String> {
    let [median, p95] = [50, 95].map(|percent| percentile(spans, percent));
    Ok(format!(
        "{:.2} s, {:.2} s",
        median.context("nothing was spoken")? as f64 / 1_000.0,
        p95.context("nothing was spoken")? as f64 / 1_000.0
    ))
}

/// What each of the two says, silence while the other speaks; at least so many samples.
fn conversation(length: usize) -> Result<[Vec<f32>; 2]> {
    let mut said = [Vec::new(), Vec::new()];
    for turn in 0.. {
        let speaker = turn % 2;
        let name = TURNS[speaker][turn / 2 % TURNS[speaker].len()];
        said[speaker].extend(recording(name)?.samples()?);
        let end = said[speaker].len() + TURN_S * WIDE_HZ;
        said.iter_mut().for_each(|said| said.resize(end, 0.0));
        if end >= length {
            break;
        }
    }
    Ok(said)
}

/// Streams it as a call; gives the spans of what each leg said.
fn telephone(python: &str, socket: &Path, said: &[Vec<f32>; 2]) -> Result<[Vec<Weighted>; 2]> {
    let folder = tempfile::TempDir::new()?;
    let events = folder.path().join("events.jsonl");
    let mut command = Command::new(python);
    command.args(["-m", "interpretd_client", "call", "--mode", "low-latency"]);
    command
        .arg("--daemon")
        .arg(format!("unix:{}", socket.display()));
    command.arg("--events").arg(&events);
    for ((name, language), samples) in ["left", "right"].into_iter().zip(LANGUAGES).zip(said) {
        let path = folder.path().join(name).with_extension("wav");
        write(&path, &narrow_band(samples)?)?;
        command.arg(format!("--{name}")).arg(path);
        command.args([&format!("--{name}-language"), language]);
    }
    let status = command.stdout(std::process::Stdio::null()).status()?;
    ensure!(status.success(), "the Python client ended with {status}");
    let mut spans = [Vec::new(), Vec::new()];
    for line in std::fs::read_to_string(&events)?.lines() {
        let line: Value = serde_json::from_str(line)?;
        let event = &line["event"];
        let audio = &event["event"]["translatedAudio"];
        let Some(text) = audio["text"].as_str() else {
            continue;
        };
        // Proto3 JSON leaves zeroes out, and writes 64 bits as text.
        let number = |value: &Value| value.as_str().map_or(Ok(0), str::parse::<i64>);
        let span = number(&event["heardMs"])? - number(&audio["sourceEndMs"])?;
        let leg = event["leg"].as_u64().unwrap_or(0) as usize;
        spans[leg].push((span, text.split_whitespace().count()));
    }
    Ok(spans)
}

fn write(path: &Path, samples: &[f32]) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE as u32,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec)?;
    for sample in samples {
        wav.write_sample((sample.clamp(-1.0, 1.0) * 32_767.0) as i16)?;
    }
    Ok(wav.finalize()?)
}

/// The same speech in a session of its own.
async fn wide_band(socket: &Path, samples: Vec<f32>, from: &str, to: &str) -> Result<Measure> {
    let connection = connect(&format!("unix:{}", socket.display()).parse()?).await?;
    let config = Config::new(Source::Language(from.parse()?))
        .target(Target::new(to.parse()?))
        .mode(Mode::LowLatency);
    let pieces: Vec<_> = samples
        .chunks(1_600)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    let audio = stream::iter(pieces);
    let mut session = Session::open(connection, config, audio, Pace::RealTime).await?;
    let mut measure = Measure::new(Pace::RealTime);
    while let Some(received) = session.next().await? {
        measure.take(&received);
    }
    Ok(measure)
}
