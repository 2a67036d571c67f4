//! One speaker, several languages, many listeners.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use interpret::{
    ClientError, Reason,
    audio::{AudioError, Pace},
    connect::{Endpoint, connect},
    session::{Config, Event, Listening, Mode, Session, Source, Target},
};
use interpret_tests::{daemon_process::DaemonProcess, five_targets, speech::recording};
use tokio_stream::Stream;

const ROOM: &str = "great-hall";
const LISTENERS: usize = 200;

/// What somebody in the room got.
#[derive(Debug, Default, PartialEq, Eq)]
struct Got {
    text: String,
    audio_bytes: usize,
    ended: bool,
}

async fn listen(endpoint: Endpoint, language: &'static str, captions_only: bool) -> Result<Got> {
    let channel = connect(&endpoint).await?;
    let mut listening = Listening::join(channel, ROOM, language, captions_only).await?;
    let mut got = Got::default();
    while let Some(received) = listening.next().await? {
        match received.event {
            Event::TranslatedText(text) => got.text.push_str(&text.committed),
            Event::SourceText(text) => got.text.push_str(&text.committed),
            Event::TranslatedAudio(audio) => got.audio_bytes += audio.data.len(),
            Event::SessionEnded(_) => got.ended = true,
            _ => {}
        }
    }
    Ok(got)
}

fn pieces(
    samples: &[f32],
) -> impl Stream<Item = Result<Vec<f32>, AudioError>> + Send + 'static + use<> {
    let pieces: Vec<_> = samples
        .chunks(640)
        .map(|piece| Ok(piece.to_vec()))
        .collect();
    tokio_stream::iter(pieces)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_hundred_listeners_in_five_languages_get_every_word_and_recognition_runs_once()
-> Result<()> {
    let (daemon, _cache) = five_targets::daemon().await?;
    let endpoint: Endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let config = five_targets::config(ROOM)?;
    // Nobody speaks until all have come in.
    let mut samples = vec![0.0; 16_000 * 4];
    samples.extend(recording("docs-a-fr")?.samples()?);
    let mut session = Session::open(
        connect(&endpoint).await?,
        config,
        pieces(&samples),
        Pace::RealTime,
    )
    .await?;

    let mut listeners = Vec::new();
    for n in 0..LISTENERS {
        let language = ["en", "pt", "fr", "en", "es", "it", "de"][n % 7];
        let captions_only = n % 7 == 3;
        listeners.push((
            language,
            captions_only,
            tokio::spawn(listen(endpoint.clone(), language, captions_only)),
        ));
    }
    let mut texts: HashMap<String, String> = HashMap::new();
    let (mut audio_bytes, mut recognitions) = (0, 0);
    while let Some(received) = session.next().await? {
        match received.event {
            Event::SourceText(text) => {
                texts
                    .entry("fr".to_owned())
                    .or_default()
                    .push_str(&text.committed);
            }
            Event::TranslatedText(text) => {
                texts
                    .entry(text.language)
                    .or_default()
                    .push_str(&text.committed);
            }
            Event::TranslatedAudio(audio) => audio_bytes += audio.data.len(),
            Event::SessionEnded(ended) => {
                let recognise = ended.stages.iter().filter(|s| s.stage == "recognise");
                recognitions = recognise.map(|stage| stage.calls).sum();
            }
            _ => {}
        }
    }
    // All runs of the recogniser were this session's: nobody who listens causes any.
    assert!(recognitions > 0);
    let (_, metrics) = daemon.admin("/metrics").await?;
    let runs = "interpretd_engine_run_seconds_count{engine=\"recognition\"} ";
    let runs: Vec<&str> = metrics
        .lines()
        .filter_map(|line| line.strip_prefix(runs))
        .collect();
    assert_eq!(runs, [recognitions.to_string()], "{metrics}");
    assert_eq!(texts.len(), 6, "{texts:?}");
    assert!(texts.values().all(|text| !text.is_empty()), "{texts:?}");
    for (language, captions_only, listener) in listeners {
        let got = listener.await??;
        assert_eq!(got.text, texts[language], "{language}");
        assert!(got.ended);
        match (language, captions_only) {
            ("en", false) => assert_eq!(got.audio_bytes, audio_bytes),
            // The floor's own voice, as far as it was heard after joining.
            ("fr", false) => assert!(got.audio_bytes > 0),
            _ => assert_eq!(got.audio_bytes, 0),
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_listener_who_reads_nothing_slows_nobody_and_is_told_what_was_lost() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let endpoint: Endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let config = Config::new(Source::Language("fr".parse()?))
        .target(Target::new("en".parse()?))
        // The mode that costs least: nobody waits here.
        .mode(Mode::Accurate)
        .room(ROOM);
    // Enough that more waits for who does not read than the network and the mailbox hold: a minute.
    let mut samples = Vec::new();
    for name in ["docs-b-fr", "docs-c-fr", "docs-b-fr"] {
        samples.extend(recording(name)?.samples()?);
    }
    let channel = connect(&endpoint).await?;
    let mut session = Session::open(channel.clone(), config, pieces(&samples), Pace::Fast).await?;
    let mut sleeper = Listening::join(channel, ROOM, "en", false).await?;
    let (mut text, mut audio_ms) = (String::new(), 0);
    while let Some(received) = session.next().await? {
        match received.event {
            Event::TranslatedText(translated) => text.push_str(&translated.committed),
            Event::TranslatedAudio(audio) => audio_ms += audio.data.len() as u64 / 48,
            _ => {}
        }
    }
    // Only now the sleeper wakes.
    let (mut heard, mut heard_ms, mut lost_ms) = (String::new(), 0, 0);
    while let Some(received) = sleeper.next().await? {
        match received.event {
            Event::TranslatedText(translated) => heard.push_str(&translated.committed),
            Event::TranslatedAudio(audio) => heard_ms += audio.data.len() as u64 / 48,
            Event::Notice(notice) => lost_ms += notice.amount_ms,
            _ => {}
        }
    }
    println!("{audio_ms} ms said, {heard_ms} heard, {lost_ms} lost");
    assert_eq!(heard, text, "no text is lost");
    assert!(lost_ms > 0, "nothing was lost: the test is too short");
    assert!((heard_ms + lost_ms).abs_diff(audio_ms) < 500);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_there_or_taken_is_said_so() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let endpoint: Endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let channel = connect(&endpoint).await?;
    let refused = Listening::join(channel.clone(), ROOM, "en", false).await;
    let error = refused.err().context("nobody speaks there")?;
    assert!(matches!(&error, ClientError::Refused { message, .. } if message.contains(ROOM)));
    let open = || {
        let silence = tokio_stream::iter([]);
        let silence = tokio_stream::StreamExt::chain(silence, tokio_stream::pending());
        let config = Config::new(Source::Language("fr".parse().unwrap()))
            .target(Target::new("en".parse().unwrap()))
            .room(ROOM);
        Session::open(channel.clone(), config, silence, Pace::RealTime)
    };
    let first = open().await?;
    let second = open().await.err().context("the room is taken")?;
    assert!(
        matches!(
            &second,
            ClientError::Refused {
                reason: Reason::RoomTaken,
                ..
            }
        ),
        "{second}"
    );
    let german = Listening::join(channel.clone(), ROOM, "de", false).await;
    let error = german
        .err()
        .context("nobody interprets into German")?
        .to_string();
    assert!(error.contains("there are: en"), "{error}");
    first.close().await;
    // As soon as the daemon has seen the speaker go.
    let begun = Instant::now();
    while let Err(error) = open().await {
        assert!(begun.elapsed() < Duration::from_secs(30), "{error}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}
