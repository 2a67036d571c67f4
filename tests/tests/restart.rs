//! A daemon that is asked to end, is killed, or is replaced by another one while it is used.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use interpret_proto::v1::{
    EndReason, ListLanguagesRequest, NoticeKind, SessionConfig, interpret_request::Request,
    interpret_response::Response, interpreter_client::InterpreterClient,
};
use interpret_tests::{
    daemon_process::{DaemonProcess, connect, program},
    proxy::{TcpProxy, Weather},
    speech::recording,
    stream::{Stream, chunks, config},
};
use tokio::{sync::watch, time::timeout};

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_finishes_what_was_heard_and_then_ends() -> Result<()> {
    let mut daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let samples = recording("read-leopard-fr")?.samples()?;
    let mut client = daemon.client().await?;
    let mut stream = Stream::open(&mut client, Request::Config(config("fr", "en"))).await?;
    for request in chunks(&samples, 1_600) {
        stream.send(request).await?;
    }
    // The client's side stays open: only the signal ends the session.
    while let Some(response) = stream.next().await? {
        if matches!(response, Response::Speech(_)) {
            break;
        }
    }
    daemon.terminate()?;
    let mut rest = Vec::new();
    while let Some(response) = stream.next().await? {
        rest.push(response);
    }
    let told = |kind: NoticeKind| {
        rest.iter()
            .any(|r| matches!(r, Response::Notice(notice) if notice.kind() == kind))
    };
    assert!(told(NoticeKind::ShuttingDown), "{rest:?}");
    assert!(
        rest.iter()
            .any(|r| matches!(r, Response::TranslatedAudio(_))),
        "nothing was spoken"
    );
    let Some(Response::SessionEnded(ended)) = rest.last() else {
        anyhow::bail!("no SessionEnded: {:?}", rest.last());
    };
    assert_eq!(ended.reason(), EndReason::Shutdown);
    drop(stream);
    let status = daemon.ended().await?;
    assert_eq!(status.code(), Some(0), "{}", daemon.log());
    assert!(!daemon.socket().exists(), "the socket file is left behind");
    Ok(())
}

#[tokio::test]
async fn running_sessions_linger_where_they_may_and_new_ones_are_refused() -> Result<()> {
    let wrapper = ["env", "INTERPRETD_SESSIONS__LINGER_SECS=60"].map(str::to_owned);
    let mut daemon = DaemonProcess::ready_under(&wrapper, &["--preload", "fr-en"]).await?;
    let samples = recording("read-leopard-fr")?.samples()?;
    let mut client = daemon.client().await?;
    let stream = Stream::open(&mut client, Request::Config(config("fr", "en"))).await?;
    daemon.terminate()?;
    let refused = loop {
        match Stream::open(&mut client, Request::Config(config("fr", "en"))).await {
            Ok(early) => drop(early),
            // Early ones take a moment to be gone.
            Err(status) if status.code() == tonic::Code::ResourceExhausted => {}
            Err(status) => break status,
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!(refused.code(), tonic::Code::Unavailable, "{refused}");
    let events = stream.finish(chunks(&samples, 1_600)).await?;
    assert!(
        events
            .iter()
            .any(|r| matches!(r, Response::TranslatedAudio(_)))
    );
    let Some(Response::SessionEnded(ended)) = events.last() else {
        anyhow::bail!("no SessionEnded: {:?}", events.last());
    };
    assert_eq!(ended.reason(), EndReason::Finished);
    // Nothing runs any more: it waits no longer.
    assert_eq!(daemon.ended().await?.code(), Some(0), "{}", daemon.log());
    Ok(())
}

/// Clients that come one after the other, each over a connection of its own; counts those that were served.
async fn come_and_go(address: String, served: watch::Sender<u32>) -> Result<()> {
    loop {
        let mut client = InterpreterClient::connect(address.clone()).await?;
        let opening = SessionConfig {
            recorded: true,
            ..config("en", "fr")
        };
        let stream = Stream::open(&mut client, Request::Config(opening)).await?;
        let events = stream.finish([]).await?;
        let Some(Response::SessionEnded(ended)) = events.last() else {
            anyhow::bail!("no SessionEnded: {events:?}");
        };
        assert_eq!(ended.reason(), EndReason::Finished);
        served.send_modify(|count| *count += 1);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// Waits until so many more were served.
async fn more(served: &mut watch::Receiver<u32>, count: u32) -> Result<()> {
    let until = *served.borrow() + count;
    let waited = timeout(
        Duration::from_secs(60),
        served.wait_for(|count| *count >= until),
    );
    waited
        .await
        .context("nobody was served")?
        .context("a client was not served")?;
    Ok(())
}

/// docs/operations.md, "Restart without a gap", with a balancer of our own.
#[tokio::test(flavor = "multi_thread")]
async fn a_restart_under_load_cuts_nobody_off_and_refuses_nobody() -> Result<()> {
    let flags = ["--preload", "en-fr"];
    let linger = ["env", "INTERPRETD_SESSIONS__LINGER_SECS=300"].map(str::to_owned);
    let mut old = DaemonProcess::ready_under(&linger, &flags).await?;
    let balancer = TcpProxy::to(&old.socket(), Weather::Fair).await?;
    let address = format!("http://{}", balancer.address());
    let samples = recording("jfk-en")?.samples()?;
    let mut client = InterpreterClient::connect(address.clone()).await?;
    // Before the others, of whose load it would have to be refused.
    let stream = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    let (count, mut served) = watch::channel(0);
    let coming = tokio::spawn(come_and_go(address, count));
    let mut pieces = chunks(&samples, 1_600);
    for piece in pieces.by_ref().take(50) {
        stream.send(piece).await?;
    }
    let new = DaemonProcess::ready(&flags).await?;
    balancer.lead_to(&new.socket());
    // The one client that may have been on its way to the old one has been there, and to the new one.
    more(&mut served, 2).await?;
    old.terminate()?;
    more(&mut served, 10).await?;
    let events = stream.finish(pieces).await?;
    let said: String = events
        .iter()
        .filter_map(|event| match event {
            Response::SourceText(text) => Some(text.committed.as_str()),
            _ => None,
        })
        .collect();
    assert!(said.to_lowercase().contains("country"), "{said}");
    let Some(Response::SessionEnded(ended)) = events.last() else {
        anyhow::bail!("no SessionEnded: {:?}", events.last());
    };
    assert_eq!(ended.reason(), EndReason::Finished);
    assert_eq!(ended.source_ms, samples.len() as u64 / 16);
    assert_eq!(old.ended().await?.code(), Some(0), "{}", old.log());
    more(&mut served, 10).await?;
    coming.abort();
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_was_killed_leaves_nothing_in_the_way_of_the_next() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let socket = folder.path().join("socket");
    for _ in 0..2 {
        let mut daemon = Command::new(program("interpretd")?)
            .args(["--listen", "", "--unix"])
            .arg(&socket)
            .stderr(Stdio::null())
            .spawn()?;
        let mut tries = 0;
        loop {
            if let Ok(channel) = connect(&socket).await {
                let mut client = InterpreterClient::new(channel);
                if client.list_languages(ListLanguagesRequest {}).await.is_ok() {
                    break;
                }
            }
            tries += 1;
            assert!(
                tries < 600 && daemon.try_wait()?.is_none(),
                "it does not start"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        // Killed, not asked to end: its socket file stays.
        daemon.kill()?;
        daemon.wait()?;
        assert!(socket.exists());
    }
    Ok(())
}
