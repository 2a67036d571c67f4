//! What goes wrong on a network, and a daemon that goes on. docs/faults.md lists all faults, with the
//! test of each.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::time::{Duration, Instant};

use anyhow::Result;
use interpret_proto::v1::{
    AudioChunk, GlossaryTerm, Resume, Resumed, SessionConfig, interpret_request::Request,
    interpret_response::Response, interpreter_client::InterpreterClient,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    proxy::Proxy,
    speech::recording,
    stream::{Stream, chunks, config},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::{Code, transport::Channel};

/// The daemon interprets as ever.
async fn assert_serves(client: &mut InterpreterClient<Channel>) -> Result<()> {
    let samples = recording("jfk-en")?.samples()?;
    let stream = Stream::open(client, Request::Config(config("en", "fr"))).await?;
    let all = stream.finish(chunks(&samples, 1_600)).await?;
    let texts = all.iter().filter_map(|response| match response {
        Response::SourceText(text) => Some(text.committed.as_str()),
        _ => None,
    });
    let text: String = texts.collect();
    assert!(text.to_lowercase().contains("country"), "{text}");
    assert!(matches!(all.last(), Some(Response::SessionEnded(_))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_connections_that_come_and_go() -> Result<()> {
    let daemon = DaemonProcess::ready(&[]).await?;
    let address = daemon.tcp_address()?;
    for _ in 0..10_000 {
        drop(TcpStream::connect(&address).await?);
    }
    assert_serves(&mut daemon.client().await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn connections_that_say_nothing_or_garbage() -> Result<()> {
    let daemon = DaemonProcess::ready(&[]).await?;
    let address = daemon.tcp_address()?;
    let mut silent = Vec::new();
    for _ in 0..200 {
        silent.push(TcpStream::connect(&address).await?);
    }
    for garbage in [
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0xff; 10_000],
        // HTTP/2's preface, and then a frame that is longer than may be.
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\x00\x00\x00\x00\x00\x01".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".repeat(100),
    ] {
        let mut connection = TcpStream::connect(&address).await?;
        // Fails where the daemon has hung up already.
        let _ = connection.write_all(&garbage).await;
        let mut answer = Vec::new();
        let answered = connection.read_to_end(&mut answer);
        let _ = tokio::time::timeout(Duration::from_secs(5), answered).await;
    }
    // Nor does a connection that begins as it should and stops.
    let mut begun = TcpStream::connect(&address).await?;
    begun.write_all(b"PRI * HTTP/2.0").await?;
    silent.push(begun);
    // Who says nothing does not keep a connection for ever.
    for mut connection in silent {
        let mut settings = Vec::new();
        let hung_up = connection.read_to_end(&mut settings);
        // Reset or closed, both will do.
        let _ = tokio::time::timeout(Duration::from_secs(20), hung_up).await?;
    }
    assert_serves(&mut daemon.client().await?).await
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_that_never_say_what_they_want_take_no_place() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "1"]).await?;
    let mut opened = Vec::new();
    for _ in 0..50 {
        let mut client = daemon.client().await?;
        opened.push(tokio::spawn(async move {
            client.interpret(tokio_stream::pending()).await.map(drop)
        }));
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_serves(&mut daemon.client().await?).await?;
    for stream in opened {
        let status = stream.await?.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{status}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn messages_and_glossaries_beyond_any_measure() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "en-fr"]).await?;
    let mut client = daemon.client().await?;
    assert_serves(&mut client).await?;
    let before = daemon.resident_bytes()?;
    let mut stream = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    stream
        .send(Request::Audio(AudioChunk {
            sequence: 0,
            data: vec![0; 64 << 20],
        }))
        .await?;
    let ended = loop {
        match stream.next().await {
            Ok(Some(_)) => {}
            Ok(None) => anyhow::bail!("64 MiB were taken"),
            Err(status) => break status,
        }
    };
    assert!(
        matches!(
            ended.code(),
            Code::OutOfRange | Code::ResourceExhausted | Code::InvalidArgument
        ),
        "{ended}"
    );
    let term = |source: String| GlossaryTerm {
        source,
        ..GlossaryTerm::default()
    };
    for glossary in [
        vec![term("a".repeat(100 << 20))],
        (0..5_001).map(|n| term(format!("term {n}"))).collect(),
    ] {
        let opening = SessionConfig {
            glossary,
            ..config("en", "fr")
        };
        let refused = Stream::open(&mut client, Request::Config(opening)).await;
        assert!(refused.is_err());
    }
    // It was refused by its length, not after it was read: memory is that of a session.
    let grown = daemon.resident_bytes()?.saturating_sub(before);
    assert!(grown < 48 << 20, "{grown} bytes");
    assert_serves(&mut client).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_carries_nothing_any_more_keeps_nobody_out() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "1"]).await?;
    let network = Proxy::to(&daemon.socket())?;
    let samples = recording("jfk-en")?.samples()?;
    let mut far = InterpreterClient::new(network.connect().await?);
    let resumable = SessionConfig {
        resumable: true,
        ..config("en", "fr")
    };
    let mut stream = Stream::open(&mut far, Request::Config(resumable)).await?;
    let Some(Response::SessionStarted(started)) = stream.next().await? else {
        anyhow::bail!("no start");
    };
    for piece in chunks(&samples, 1_600).take(10) {
        stream.send(piece).await?;
    }
    network.freeze();
    // Whose session it is goes on over another connection, though the daemon knows nothing of it yet.
    let mut client = daemon.client().await?;
    let resume = Request::Resume(Resume {
        token: started.resume_token,
        last_response: 1,
    });
    let mut again = Stream::open(&mut client, resume).await?;
    let resumed = again.next().await?;
    let Some(Response::Resumed(Resumed {
        next_audio_sequence,
    })) = resumed
    else {
        anyhow::bail!("not resumed: {resumed:?}");
    };
    let rest = chunks(&samples, 1_600).skip(next_audio_sequence as usize);
    let all = again.finish(rest).await?;
    assert!(matches!(all.last(), Some(Response::SessionEnded(_))));
    // And one that cannot be gone on with loses its place when the daemon's probes stay unanswered.
    let network = Proxy::to(&daemon.socket())?;
    let mut far = InterpreterClient::new(network.connect().await?);
    let stream = opened(&mut far).await?;
    for piece in chunks(&samples, 1_600).take(10) {
        stream.send(piece).await?;
    }
    network.freeze();
    opened(&mut client).await.map(drop)
}

/// A session in the place of one that the daemon is about to give up.
async fn opened(client: &mut InterpreterClient<Channel>) -> Result<Stream> {
    let begun = Instant::now();
    loop {
        match Stream::open(client, Request::Config(config("en", "fr"))).await {
            Ok(stream) => return Ok(stream),
            Err(status) => assert_eq!(status.code(), Code::ResourceExhausted, "{status}"),
        }
        let waited = begun.elapsed();
        assert!(waited < Duration::from_secs(90), "the place is not free");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
