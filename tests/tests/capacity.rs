//! A daemon that is full says so at once, and when to try again.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use anyhow::{Context as _, Result};
use interpret::{
    call::{Call, Event, Leg},
    connect::{Endpoint, connect},
};
use interpret_proto::v1::{
    CallConfig, GetCapacityRequest, ListenRequest, NoticeKind, SessionConfig,
    interpret_request::Request, interpret_response::Response,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    stream::{Stream, add_target, chunks, config},
    telephone::{call, leg},
};
use interpretd::session::{REASON_KEY, RETRY_KEY};
use tonic::{Code, Status};

/// What a full daemon says: why, and when to try again.
fn assert_full(status: &Status) {
    assert_eq!(status.code(), Code::ResourceExhausted, "{status}");
    assert_eq!(status.metadata().get(REASON_KEY).unwrap(), "full");
    let after = status.metadata().get(RETRY_KEY).unwrap().to_str().unwrap();
    assert!(after.parse::<u32>().unwrap() > 0, "{after}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_the_machine_would_not_keep_up_with_is_refused() -> Result<()> {
    // The daemon takes any load for too much but that of the first session, which it always takes.
    let daemon = DaemonProcess::ready_with("[sessions]\npressure_limit = 0.01\n", &[]).await?;
    let mut client = daemon.client().await?;
    let capacity = client
        .get_capacity(GetCapacityRequest {})
        .await?
        .into_inner();
    assert!(capacity.accepting);
    assert_eq!((capacity.sessions, capacity.sessions_max), (0, 8));

    let mut first = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    let capacity = client
        .get_capacity(GetCapacityRequest {})
        .await?
        .into_inner();
    assert!(
        !capacity.accepting && capacity.retry_after_ms > 0,
        "{capacity:?}"
    );
    let second = Stream::open(&mut client, Request::Config(config("en", "fr"))).await;
    assert_full(&second.unwrap_err());
    // A recording can wait: it is not refused for the load.
    let recorded = SessionConfig {
        recorded: true,
        ..config("en", "fr")
    };
    let recorded = Stream::open(&mut client, Request::Config(recorded)).await?;
    // The session that runs is none the worse, but it gets no second voice beside another's.
    assert!(matches!(
        first.next().await?,
        Some(Response::SessionStarted(_))
    ));
    first.send(add_target("pt", false)).await?;
    let Some(Response::Notice(notice)) = first.next().await? else {
        panic!("a voice more is not refused");
    };
    assert_eq!(notice.kind(), NoticeKind::RequestRefused);
    assert!(notice.message.contains("captions only"), "{notice:?}");
    first.send(add_target("pt", true)).await?;
    let changed = first.next().await?;
    assert!(
        matches!(changed, Some(Response::SessionChanged(_))),
        "{changed:?}"
    );
    drop(recorded);
    let samples = recording("jfk-en")?.samples()?;
    let all = first.finish(chunks(&samples, 1_600)).await?;
    assert!(matches!(all.last(), Some(Response::SessionEnded(_))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_is_told_when_everything_is_given_back() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "2"]).await?;
    let mut client = daemon.client().await?;
    // Whoever has heard the end can have the place and the room at once, though the stream is not over yet.
    let endpoint: Endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let connection = connect(&endpoint).await?;
    let mut ended = Vec::new();
    for _ in 0..10 {
        let speaker = SessionConfig {
            room: "hall".to_owned(),
            ..config("en", "fr")
        };
        let Stream {
            requests,
            mut responses,
        } = Stream::open(&mut client, Request::Config(speaker)).await?;
        drop(requests);
        while let Some(message) = responses.message().await? {
            if matches!(message.response, Some(Response::SessionEnded(_))) {
                break;
            }
        }
        let legs = ["fr", "en"].map(|code| Leg::telephone(code.parse().unwrap()));
        let mut call = Call::open(&connection, legs).await?;
        call.finish();
        while let Some(event) = call.next().await? {
            if matches!(event, Event::Ended(_)) {
                break;
            }
        }
        ended.push((responses, call));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn there_are_as_many_listeners_as_there_may_be() -> Result<()> {
    let daemon = DaemonProcess::ready_with("[sessions]\nlisteners = 1\n", &[]).await?;
    let mut client = daemon.client().await?;
    let speaker = SessionConfig {
        room: "hall".to_owned(),
        ..config("en", "fr")
    };
    let _speaker = Stream::open(&mut client, Request::Config(speaker)).await?;
    let ask = ListenRequest {
        room: "hall".to_owned(),
        language: "fr".to_owned(),
        captions_only: false,
    };
    let listener = client.listen(ask.clone()).await?;
    assert_full(&client.listen(ask.clone()).await.unwrap_err());
    let capacity = client.get_capacity(GetCapacityRequest {}).await?;
    let capacity = capacity.into_inner();
    assert_eq!((capacity.listeners, capacity.listeners_max), (1, 1));
    drop(listener);
    let mut tries = 0;
    while client.listen(ask.clone()).await.is_err() {
        tries += 1;
        assert!(tries < 100, "the seat is not given back");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn each_leg_of_a_call_takes_a_place() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "2"]).await?;
    let mut client = daemon.client().await?;
    let session = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    let legs = CallConfig {
        legs: vec![leg("fr"), leg("en")],
        ..CallConfig::default()
    };
    let refused = call(&mut client, legs.clone(), Default::default(), [None, None]).await;
    assert_full(&refused.err().context("a call with one place")?);
    drop(session);
    // The place is free as soon as the daemon has seen the session go.
    let mut tries = 0;
    while call(&mut client, legs.clone(), Default::default(), [None, None])
        .await
        .is_err()
    {
        tries += 1;
        assert!(tries < 100, "the place is not given back");
        tokio::time::sleep(std::time::Duration::from_millis(100)).await;
    }
    Ok(())
}
