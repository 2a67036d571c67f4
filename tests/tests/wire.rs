//! The daemon against clients that do what they should not: each gets a clear status, and the
//! daemon goes on serving.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Result, bail};
use interpret_proto::v1::{
    AudioChunk, AudioEncoding, GetCapacityRequest, InterpretRequest, SessionConfig, Target,
    interpret_request::Request, interpret_response::Response,
    interpreter_client::InterpreterClient,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    stream::{Stream, chunks, config},
};
use tonic::{
    Code, Status,
    transport::{Channel, Endpoint},
};

/// The status with which the daemon ends a stream of `requests`.
async fn status_of(
    client: &mut InterpreterClient<Channel>,
    requests: Vec<Request>,
) -> Result<Status> {
    let mut requests = requests.into_iter();
    let Some(first) = requests.next() else {
        bail!("no first message")
    };
    let stream = match Stream::open(client, first).await {
        Ok(stream) => stream,
        Err(status) => return Ok(status),
    };
    match stream.finish(requests).await {
        Ok(responses) => bail!("the stream ended well, with {} responses", responses.len()),
        Err(status) => Ok(status),
    }
}

fn reason(status: &Status) -> &str {
    status
        .metadata()
        .get("interpret-reason")
        .and_then(|value| value.to_str().ok())
        .unwrap_or("")
}

fn audio(sequence: u64, bytes: usize) -> Request {
    Request::Audio(AudioChunk {
        sequence,
        data: vec![0; bytes],
    })
}

/// Sessions that run.
async fn running(client: &mut InterpreterClient<Channel>) -> Result<u32> {
    let capacity = client.get_capacity(GetCapacityRequest {}).await?;
    Ok(capacity.into_inner().sessions)
}

/// A short recording goes through and comes out as text.
async fn assert_serves(client: &mut InterpreterClient<Channel>) -> Result<()> {
    let samples = recording("read-cheetah-fr")?.samples()?;
    // It can wait, and is not refused for the load.
    let opening = SessionConfig {
        recorded: true,
        ..config("fr", "en")
    };
    let stream = Stream::open(client, Request::Config(opening)).await?;
    let responses = stream.finish(chunks(&samples, 1_600)).await?;
    let spoken = responses
        .iter()
        .any(|r| matches!(r, Response::TranslatedAudio(_)));
    assert!(spoken, "nothing was spoken");
    assert!(matches!(responses.last(), Some(Response::SessionEnded(_))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_requests_get_clear_answers_and_the_daemon_goes_on() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "2"]).await?;
    let mut client = daemon.client().await?;
    let good = config("fr", "en");
    let mut wrong_encoding = good.clone();
    if let Some(format) = &mut wrong_encoding.audio_format {
        format.encoding = AudioEncoding::Unspecified.into();
    }
    let mut odd_rate = good.clone();
    if let Some(format) = &mut odd_rate.audio_format {
        format.sample_rate_hz = 7;
    }
    let mut no_format = good.clone();
    no_format.audio_format = None;
    let mut no_target = good.clone();
    no_target.targets.clear();
    let mut no_voice = good.clone();
    no_voice.targets = vec![Target {
        language: "en".into(),
        voice: "nobody".into(),
        ..Target::default()
    }];
    let mut too_fast = good.clone();
    too_fast.targets[0].speed_percent = 500;
    let mut twice = good.clone();
    twice.targets.push(twice.targets[0].clone());
    let set = |config| vec![Request::Config(config)];
    let after = |request| vec![Request::Config(good.clone()), request];
    for (requests, code, why, said) in [
        (
            vec![audio(0, 320)],
            Code::InvalidArgument,
            "bad-config",
            "first message must be a SessionConfig",
        ),
        (
            set(config("xx", "en")),
            Code::InvalidArgument,
            "unknown-language",
            "'xx'",
        ),
        (
            set(config("fr", "klingon")),
            Code::InvalidArgument,
            "unknown-language",
            "'klingon'",
        ),
        (set(config("fr", "is")), Code::NotFound, "no-model", "fr-is"),
        (
            set(config("fr", "fr")),
            Code::InvalidArgument,
            "bad-config",
            "both fr",
        ),
        (
            set(no_format),
            Code::InvalidArgument,
            "bad-config",
            "audio_format is missing",
        ),
        (
            set(wrong_encoding),
            Code::InvalidArgument,
            "bad-config",
            "encoding is not set",
        ),
        (set(odd_rate), Code::InvalidArgument, "bad-config", "7 Hz"),
        (
            set(no_target),
            Code::InvalidArgument,
            "bad-config",
            "targets is empty",
        ),
        (
            set(no_voice),
            Code::InvalidArgument,
            "bad-config",
            "no English voice 'nobody'",
        ),
        (
            set(too_fast),
            Code::InvalidArgument,
            "bad-config",
            "50 to 150",
        ),
        (
            set(twice),
            Code::InvalidArgument,
            "bad-config",
            "named twice",
        ),
        (
            after(audio(0, 321)),
            Code::InvalidArgument,
            "bad-audio",
            "whole frames",
        ),
        (
            after(audio(0, 0)),
            Code::InvalidArgument,
            "bad-audio",
            "has 0 bytes",
        ),
        (
            after(audio(5, 320)),
            Code::InvalidArgument,
            "bad-audio",
            "came where 0 was expected",
        ),
        (
            after(Request::Config(good.clone())),
            Code::InvalidArgument,
            "bad-audio",
            "must not be repeated",
        ),
    ] {
        let status = status_of(&mut client, requests).await?;
        assert_eq!((status.code(), reason(&status)), (code, why), "{status}");
        assert!(
            status.message().contains(said),
            "{said}: {}",
            status.message()
        );
    }
    assert_serves(&mut client).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_vanishes_frees_its_session_within_two_seconds() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "1", "--preload", "fr-en"]).await?;
    let samples = recording("docs-b-fr")?.samples()?;
    let mut lost = daemon.client().await?;
    let mut stream = Stream::open(&mut lost, Request::Config(config("fr", "en"))).await?;
    // In the middle of recognition: the first utterance has been heard, nothing has come back.
    let feeding = tokio::spawn({
        let requests = stream.requests.clone();
        async move {
            for request in chunks(&samples, 1_600) {
                let message = InterpretRequest {
                    request: Some(request),
                };
                if requests.send(message).await.is_err() {
                    break;
                }
            }
        }
    });
    while let Some(response) = stream.next().await? {
        if matches!(response, Response::Speech(_)) {
            break;
        }
    }
    let mut client = daemon.client().await?;
    let full = status_of(&mut client, vec![Request::Config(config("fr", "en"))]).await?;
    assert_eq!(
        (full.code(), reason(&full)),
        (Code::ResourceExhausted, "full"),
        "{full}"
    );
    // The whole connection goes, as when a process is killed.
    feeding.abort();
    drop((stream, lost));
    let gone = Instant::now();
    loop {
        // The bound is 2 s of wall time; it is the promise itself that is tested here.
        assert!(
            gone.elapsed() < Duration::from_secs(2),
            "the session is still held"
        );
        match Stream::open(&mut client, Request::Config(config("fr", "en"))).await {
            Ok(_) => break,
            Err(status) => assert_eq!(reason(&status), "full", "{status}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_never_reads_is_held_back_and_then_ended() -> Result<()> {
    let limits = "[sessions]\nmax = 2\nunread_timeout_secs = 5\n";
    let daemon = DaemonProcess::ready_with(limits, &["--preload", "fr-en"]).await?;
    let samples = recording("docs-b-fr")?.samples()?;
    // What is sent to it and not read soon waits in the daemon, not on the way.
    let endpoint = Endpoint::from_shared(format!("http://{}", daemon.tcp_address()?))?;
    let channel = endpoint
        .initial_stream_window_size(16_384)
        .connect()
        .await?;
    let mut client = InterpreterClient::new(channel);
    let before = daemon.resident_bytes()?;
    let stream = Stream::open(&mut client, Request::Config(config("fr", "en"))).await?;
    // Half an hour of audio is offered; flow control must stop it long before that is taken.
    let requests = stream.requests.clone();
    let taken = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&taken);
    let offered = tokio::spawn(async move {
        for (request, sequence) in std::iter::repeat_with(|| chunks(&samples, 1_600))
            .take(45)
            .flatten()
            .zip(0..)
        {
            let Request::Audio(mut chunk) = request else {
                continue;
            };
            chunk.sequence = sequence;
            let message = InterpretRequest {
                request: Some(Request::Audio(chunk)),
            };
            if requests.send(message).await.is_err() {
                break;
            }
            count.fetch_add(1_600, Ordering::Relaxed);
        }
    });
    // Others are served meanwhile.
    assert_serves(&mut daemon.client().await?).await?;
    let grown = daemon.resident_bytes()?.saturating_sub(before);
    assert!(grown < 500 << 20, "memory grew by {grown} bytes");
    // It still neither reads nor goes, and loses its place all the same.
    let mut other = daemon.client().await?;
    let begun = Instant::now();
    while running(&mut other).await? > 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "it is held");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    offered.abort();
    drop(stream);
    let taken = taken.load(Ordering::Relaxed) / 16_000;
    assert!(
        taken < 45 * 40,
        "all {taken} s were taken though nothing was read"
    );
    Ok(())
}
