//! What happens around a daemon while it runs: a rough network, a clock that is set, models that are gone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Context as _, Result};
use interpret_proto::v1::{EndReason, interpret_request::Request, interpret_response::Response};
use interpret_tests::{
    daemon_process::DaemonProcess,
    interpret_command::{interpret, read_events},
    model_cache::ModelCache,
    packets::{FAR, NEAR, Place, RoughNetwork, in_namespace},
    proxy::{TcpProxy, Weather},
    scores::word_errors,
    speech::{Recording, recording},
    stream::{Stream, chunks, config},
};
use tempfile::TempDir;
use tonic::Code;

/// Words of these events that were committed, in the source language.
fn committed(events: &[Response]) -> String {
    let text = events.iter().filter_map(|event| match event {
        Response::SourceText(text) => Some(text.committed.as_str()),
        _ => None,
    });
    text.collect()
}

/// The session was interpreted to its end, and as well as ever.
fn assert_interpreted(events: &[Response], spoken: &Recording) {
    let text = committed(events);
    let errors = word_errors(&text, &spoken.transcript);
    println!("{:.0} % errors: {text}", errors.percent());
    assert!(errors.percent() <= 35.0, "{text}");
    let Some(Response::SessionEnded(ended)) = events.last() else {
        panic!("no end: {:?}", events.last());
    };
    assert_eq!(ended.reason(), EndReason::Finished);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rough_network_delays_and_loses_nothing() -> Result<()> {
    let place = in_namespace("a_rough_network_delays_and_loses_nothing")?;
    match place {
        Place::Passed => return Ok(()),
        Place::Inside => {
            let _network = RoughNetwork::new(Duration::from_millis(300), 20)?;
            let listen = format!("{NEAR}:50551");
            let flags = [
                "--listen",
                &listen,
                "--allow-plaintext",
                "--preload",
                "en-fr",
            ];
            let _daemon = DaemonProcess::ready(&flags).await?;
            speak_through(format!("http://{FAR}:50551")).await
        }
        Place::NoNamespaces => {
            println!("no network namespaces here: the packets' weather is imitated");
            let daemon = DaemonProcess::ready(&["--preload", "en-fr"]).await?;
            let network = TcpProxy::to(&daemon.socket(), Weather::Rough).await?;
            speak_through(format!("http://{}", network.address())).await
        }
    }
}

/// Interprets a recording, live, with the daemon at `server`: nothing is lost.
async fn speak_through(server: String) -> Result<()> {
    let folder = TempDir::new()?;
    let log = folder.path().join("log.jsonl");
    let spoken = recording("jfk-en")?;
    let [file, log_path] = [&spoken.path, &log].map(|path| path.display().to_string());
    let output = tokio::task::spawn_blocking(move || {
        let flags = ["--from", "en", "--to", "fr", "--server", &server];
        interpret(&[&["file", &file, "--events", &log_path], &flags[..]].concat())
    })
    .await??;
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let events = read_events(&log)?;
    assert_interpreted(&events, &spoken);
    let lost =
        |event: &&Response| matches!(event, Response::Notice(notice) if notice.amount_ms > 0);
    assert_eq!(events.iter().filter(lost).count(), 0, "something is lost");
    Ok(())
}

/// The library that gives a process a clock of its own.
fn faketime() -> Result<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib")?.filter_map(|entry| Some(entry.ok()?.path()));
    let library = |folder: &Path| folder.join("faketime/libfaketimeMT.so.1");
    folders
        .chain([PathBuf::from("/usr/lib")])
        .map(|folder| library(&folder))
        .find(|library| library.exists())
        .context("libfaketime is missing; run: make setup")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_clock_that_is_set_is_not_noticed() -> Result<()> {
    let folder = TempDir::new()?;
    let clock = folder.path().join("clock");
    std::fs::write(&clock, "+0\n")?;
    let wrapper = [
        "env".to_owned(),
        format!("LD_PRELOAD={}", faketime()?.display()),
        format!("FAKETIME_TIMESTAMP_FILE={}", clock.display()),
        // The system's own clock of what has elapsed cannot be set, whoever sets the time.
        "FAKETIME_DONT_FAKE_MONOTONIC=1".to_owned(),
        "FAKETIME_NO_CACHE=1".to_owned(),
    ];
    let daemon = DaemonProcess::ready_under(&wrapper, &["--preload", "en-fr"]).await?;
    let mut client = daemon.client().await?;
    let spoken = recording("jfk-en")?;
    let samples = spoken.samples()?;
    let stream = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    let mut pieces = chunks(&samples, 1_600);
    let at = |set: &str| std::fs::write(&clock, set);
    for piece in pieces.by_ref().take(40) {
        stream.send(piece).await?;
    }
    at("-3600s\n")?;
    for piece in pieces.by_ref().take(40) {
        stream.send(piece).await?;
    }
    at("+60d\n")?;
    let events = stream.finish(pieces).await?;
    assert_interpreted(&events, &spoken);
    let log = daemon.log_lines();
    let times: Vec<_> = log
        .iter()
        .filter_map(|line| line["timestamp"].as_str())
        .collect();
    let (first, last) = (
        times.first().context("a log")?,
        times.last().context("a log")?,
    );
    assert_ne!(
        first[..7],
        last[..7],
        "its clock was not set: {first} to {last}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_espeak_other_languages_than_english_have_captions_only() -> Result<()> {
    let wrapper = ["env", "PATH=/nowhere"].map(str::to_owned);
    let daemon = DaemonProcess::ready_under(&wrapper, &["--preload", "en-fr"]).await?;
    let mut client = daemon.client().await?;
    for (from, to, captions_only) in [("en", "fr", true), ("fr", "en", false)] {
        let mut stream = Stream::open(&mut client, Request::Config(config(from, to))).await?;
        let Some(Response::SessionStarted(started)) = stream.next().await? else {
            panic!("no session");
        };
        assert_eq!(started.targets[0].captions_only, captions_only, "{to}");
        stream.finish([]).await?;
    }
    assert!(daemon.log().contains("install it and start again"));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn models_that_are_removed_are_missed_only_by_who_needs_them_anew() -> Result<()> {
    let cache = ModelCache::linked()?;
    let wrapper = [
        "env".to_owned(),
        format!("INTERPRETD_CACHE_DIR={}", cache.path().display()),
    ];
    let daemon = DaemonProcess::ready_under(&wrapper, &["--preload", "en-fr"]).await?;
    let mut client = daemon.client().await?;
    std::fs::remove_dir_all(cache.path().join("models"))?;
    let spoken = recording("jfk-en")?;
    let samples = spoken.samples()?;
    // What is loaded goes on to serve, this session and the next.
    let stream = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    assert_interpreted(&stream.finish(chunks(&samples, 1_600)).await?, &spoken);
    let refused = Stream::open(&mut client, Request::Config(config("fr", "en"))).await;
    let status = refused.err().context("a model that is gone was used")?;
    println!("{status}");
    assert_eq!(status.code(), Code::NotFound, "{status}");
    assert!(
        status.message().contains("interpret models fetch"),
        "{status}"
    );
    let stream = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    assert_interpreted(&stream.finish(chunks(&samples, 1_600)).await?, &spoken);
    Ok(())
}
