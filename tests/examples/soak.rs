//! Two telephone calls and a room, for an hour: whether memory, files, threads and lag stay where they are.
//! People take turns and leave each other time, as those do who talk through an interpreter.
//!
//! `cargo run --release -p interpret-tests --example soak -- 60 whisper-base` (minutes, recognition model)

#![allow(clippy::print_stdout, reason = "printing is what it is for")]

use std::time::Duration;

use anyhow::{Result, ensure};
use futures_util::{future::try_join_all, stream};
use interpret::{
    ClientError, Reason,
    audio::Pace,
    call::{self, Call, Leg},
    connect::{Connection, Endpoint, connect},
    evaluation::{Listener, latency::Trend},
    session::{Config, Event, Listening, Mode, Session, Source, Target},
};
use interpret_proto::v1::{SetGlossary, interpret_response::Response};
use interpret_tests::{
    daemon_process::DaemonProcess,
    resources::Resources,
    speech::recording,
    telephone::{FRAME, RATE, mulaw, narrow_band},
};
use tokio::{
    sync::mpsc::{Receiver, Sender, channel},
    time::{Instant, interval, interval_at, sleep},
};

const ROOM: &str = "great-hall";
const LINES: [&str; 3] = ["call 1", "call 2", "room"];
/// After each turn of a call, and after each speech in the room: time for what was said to be heard.
const PAUSE_S: [usize; 2] = [12, 60];
/// What comes before is warming up.
const WARM: u64 = 5;

/// Clauses that may wait to be counted: more than are heard in a minute.
const CLAUSES: usize = 1_000;

/// A clause was heard: on which line, and how long after the words it renders.
struct Heard {
    line: usize,
    lag_ms: i64,
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let minutes: u64 = arguments.next().map_or(Ok(60), |minutes| minutes.parse())?;
    let model = arguments
        .next()
        .unwrap_or_else(|| "whisper-base".to_owned());
    let mut flags = vec!["--recognition", &model, "--preload", "fr-en,en-fr"];
    flags.extend(["--max-sessions", "8"]);
    let daemon = DaemonProcess::ready(&flags).await?;
    let endpoint: Endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let until = Instant::now() + Duration::from_secs(minutes * 60);
    let (heard, hearing) = channel(CLAUSES);

    let mut lines = vec![tokio::spawn(room(
        connect(&endpoint).await?,
        until,
        heard.clone(),
    ))];
    for line in 0..2 {
        let connection = connect(&endpoint).await?;
        lines.push(tokio::spawn(telephone(
            connection,
            line,
            until,
            heard.clone(),
        )));
    }
    drop(heard);
    let written = watch(&daemon, minutes, hearing);
    let all = async {
        for line in try_join_all(lines).await? {
            line?;
        }
        anyhow::Ok(())
    };
    tokio::try_join!(written, all)?;
    let left = daemon.resources()?;
    println!(
        "all have hung up: {} MB, {} files, {} threads",
        left.resident_bytes / 1_000_000,
        left.files,
        left.threads
    );
    Ok(())
}

/// Prints each minute what the daemon holds and how far behind it is, and in the end what has grown.
async fn watch(daemon: &DaemonProcess, minutes: u64, mut hearing: Receiver<Heard>) -> Result<()> {
    let minute = Duration::from_secs(60);
    let mut clock = interval_at(Instant::now() + minute, minute);
    let mut before = daemon.resources()?;
    let mut held: Vec<(f64, Resources)> = Vec::new();
    let mut lags = [const { Vec::new() }; LINES.len()];
    println!("min   MB  files threads cores  mean lag of {LINES:?}, ms");
    for passed in 1..=minutes {
        clock.tick().await;
        let now = daemon.resources()?;
        let mut sums = [(0, 0); LINES.len()];
        while let Ok(Heard { line, lag_ms }) = hearing.try_recv() {
            let (sum, count) = &mut sums[line];
            *sum += lag_ms;
            *count += 1;
        }
        let means = sums.map(|(sum, count)| if count > 0 { sum / count } else { -1 });
        println!(
            "{passed:3} {:4} {:6} {:7} {:5.2}  {means:?}",
            now.resident_bytes / 1_000_000,
            now.files,
            now.threads,
            (now.processor_s - before.processor_s) / 60.0
        );
        before = now;
        let at_ms = passed as f64 * 60_000.0;
        if passed > WARM {
            held.push((at_ms, now));
            for (points, (mean, (_, count))) in lags.iter_mut().zip(means.into_iter().zip(sums)) {
                if count > 0 {
                    points.push((at_ms, mean as f64));
                }
            }
        }
    }
    for (name, points) in LINES.iter().zip(&lags) {
        if let Some(trend) = Trend::of(points) {
            println!(
                "{name}: lag grows by {:.1} +-{:.1} ms a minute",
                trend.slope_ms_per_min, trend.standard_error_ms_per_min
            );
        }
    }
    if let [(_, first), .., (_, last)] = held.as_slice() {
        println!(
            "after {WARM} minutes and in the end: {} and {} MB, {} and {} files, {} and {} threads",
            first.resident_bytes / 1_000_000,
            last.resident_bytes / 1_000_000,
            first.files,
            last.files,
            first.threads,
            last.threads
        );
    }
    Ok(())
}

/// Waits until the daemon takes it: what has just begun is reckoned in full.
async fn opened(connection: &Connection) -> Result<Call> {
    loop {
        let legs = [Leg::telephone("fr".parse()?), Leg::telephone("en".parse()?)];
        match Call::open_with(connection, legs, Mode::LowLatency, SetGlossary::default()).await {
            Ok(call) => return Ok(call),
            Err(ClientError::Refused {
                reason: Reason::Full,
                ..
            }) => sleep(Duration::from_secs(2)).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Two people who take turns.
async fn telephone(
    connection: Connection,
    line: usize,
    until: Instant,
    heard: Sender<Heard>,
) -> Result<()> {
    let said = conversation()?;
    // The second call is at another turn.
    let begin = line * said[0].len() / 2 / FRAME * FRAME;
    let mut call = opened(&connection).await?;
    println!("call {} is open", line + 1);
    let mut clock = interval(Duration::from_millis(20));
    let mut frame = 0;
    let mut speaking = true;
    loop {
        tokio::select! {
            _ = clock.tick(), if speaking => {
                let from = (begin + frame * FRAME) % said[0].len();
                for (leg, said) in said.iter().enumerate() {
                    call.send(leg, said[from..from + FRAME].to_vec()).await?;
                }
                frame += 1;
                speaking = Instant::now() < until;
                if !speaking {
                    call.finish();
                }
            }
            event = call.next() => {
                let Some(event) = event? else {
                    return Ok(());
                };
                if let call::Event::Event(event) = event
                    && let Some(Response::TranslatedAudio(audio)) =
                        event.event.and_then(|event| event.response)
                    && !audio.text.is_empty()
                {
                    let lag_ms = event.heard_ms as i64 - audio.source_end_ms as i64;
                    // Nobody reads any more when the time is up.
                    let _ = heard.send(Heard { line, lag_ms }).await;
                }
            }
        }
    }
}

/// What each of the two says, in mu-law, silence while the other speaks; whole frames, to be repeated.
fn conversation() -> Result<[Vec<u8>; 2]> {
    let mut said = [Vec::new(), Vec::new()];
    for (speaker, name) in [
        (0, "read-cheetah-fr"),
        (1, "jfk-en"),
        (0, "read-leopard-fr"),
        (1, "read-leopard-en"),
    ] {
        said[speaker].extend(narrow_band(&recording(name)?.samples()?)?);
        let end = (said[speaker].len() + PAUSE_S[0] * RATE).next_multiple_of(FRAME);
        said.iter_mut().for_each(|said| said.resize(end, 0.0));
    }
    Ok(said.map(|said| mulaw().encode(&said)))
}

/// Somebody who gives a speech again and again, and two who listen, one of them to the floor.
async fn room(connection: Connection, until: Instant, heard: Sender<Heard>) -> Result<()> {
    let mut samples = recording("docs-a-fr")?.samples()?;
    samples.resize(samples.len() + PAUSE_S[1] * 16_000, 0.0);
    let config = Config::new(Source::Language("fr".parse()?))
        .target(Target::new("en".parse()?))
        .mode(Mode::LowLatency)
        .room(ROOM);
    let pieces = (0..).map(move |piece| {
        let from = piece * 640 % samples.len();
        Ok(samples[from..(from + 640).min(samples.len())].to_vec())
    });
    let audio = stream::iter(pieces);
    let mut session = Session::open(connection.clone(), config, audio, Pace::RealTime).await?;
    println!("the room is open");
    let listeners = ["en", ""].map(|language| tokio::spawn(listen(connection.clone(), language)));
    let mut listener = Listener::new(Pace::RealTime, 24_000);
    let mut clauses = 0;
    let mut said = [String::new(), String::new()];
    let mut clock = interval(Duration::from_secs(1));
    loop {
        tokio::select! {
            _ = clock.tick() => if Instant::now() >= until {
                session.finish();
            },
            received = session.next() => {
                let Some(received) = received? else {
                    break;
                };
                match received.event {
                    Event::TranslatedText(text) => said[0].push_str(&text.committed),
                    Event::SourceText(text) => said[1].push_str(&text.committed),
                    Event::TranslatedAudio(audio) => {
                        let frames = audio.data.len() as u64 / 2;
                        listener.hear(&audio, frames, received.at_ms);
                        for clause in &listener.clauses()[clauses..] {
                            let lag_ms = clause.span_ms();
                            let _ = heard.send(Heard { line: 2, lag_ms }).await;
                        }
                        clauses = listener.clauses().len();
                    }
                    _ => {}
                }
            }
        }
    }
    for (said, listener) in said.into_iter().zip(listeners) {
        ensure!(listener.await?? == said, "a listener has other words");
    }
    Ok(())
}

async fn listen(connection: Connection, language: &str) -> Result<String> {
    let mut listening = Listening::join(connection, ROOM, language, false).await?;
    let floor = language.is_empty();
    let mut words = String::new();
    while let Some(received) = listening.next().await? {
        match received.event {
            Event::TranslatedText(text) if !floor => words.push_str(&text.committed),
            Event::SourceText(text) if floor => words.push_str(&text.committed),
            _ => {}
        }
    }
    Ok(words)
}
