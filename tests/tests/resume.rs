//! A session whose connection is cut goes on, and nothing comes twice or is lost.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::time::Duration;

use anyhow::{Context as _, Result};
use interpret_proto::v1::{
    Acknowledge, Control, InterpretRequest, InterpretResponse, Resume, SessionConfig, control,
    interpret_request::Request, interpret_response::Response,
    interpreter_client::InterpreterClient,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    proxy::Proxy,
    speech::recording,
    stream::{Stream, chunks, config},
};
use interpretd::session::REASON_KEY;

fn resumable() -> SessionConfig {
    SessionConfig {
        recorded: true,
        resumable: true,
        ..config("fr", "en")
    }
}

/// What matters of a response.
fn key(response: &Response) -> Option<String> {
    match response {
        Response::SourceText(text) if !text.committed.is_empty() => {
            Some(format!("source {}", text.committed))
        }
        Response::TranslatedText(text) if !text.committed.is_empty() => {
            Some(format!("translated {}", text.committed))
        }
        Response::TranslatedAudio(audio) => Some(format!("audio {}", audio.sequence)),
        Response::SessionEnded(ended) => Some(format!("ended {}", ended.source_ms)),
        _ => None,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whenever_the_connection_is_cut_the_session_is_the_same() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let samples = recording("read-cheetah-fr")?.samples()?;
    let pieces: Vec<Request> = chunks(&samples, 1_600).collect();
    let mut client = daemon.client().await?;
    let whole = Stream::open(&mut client, Request::Config(resumable())).await?;
    let mut expected: Vec<String> = whole
        .finish(pieces.clone())
        .await?
        .iter()
        .filter_map(key)
        .collect();

    // Connections that carry so many pieces each, and are cut after so many responses.
    let cuts = [(7, 2), (1, 1), (30, 9), (0, 3), (12, 1)];
    let mut received = Vec::new();
    let (mut token, mut last) = (String::new(), 0);
    let mut cuts = cuts.into_iter();
    let ended = 'session: loop {
        let cut = cuts.next();
        let network = Proxy::to(&daemon.socket())?;
        let mut client = InterpreterClient::new(network.connect().await?);
        let first = match last {
            0 => Request::Config(resumable()),
            last => Request::Resume(Resume {
                token: token.clone(),
                last_response: last,
            }),
        };
        let (requests, waiting) = tokio::sync::mpsc::channel(4);
        let send = |request: Request| {
            let message = InterpretRequest {
                request: Some(request),
            };
            let requests = requests.clone();
            async move { requests.send(message).await }
        };
        send(first).await?;
        let waiting = tokio_stream::wrappers::ReceiverStream::new(waiting);
        let mut responses = client.interpret(waiting).await?.into_inner();
        let opening = responses.message().await?.context("the first response")?;
        let from = match opening.response {
            Some(Response::SessionStarted(started)) => {
                token = started.resume_token;
                assert_eq!(opening.number, 1);
                last = 1;
                0
            }
            Some(Response::Resumed(resumed)) => usize::try_from(resumed.next_audio_sequence)?,
            other => panic!("{other:?}"),
        };
        let most = cut.map_or(pieces.len(), |(pieces, _)| pieces);
        let to = (from + most).min(pieces.len());
        let sender = requests.clone();
        let sent = pieces[from..to].to_vec();
        let sending = tokio::spawn(async move {
            for piece in sent {
                let message = InterpretRequest {
                    request: Some(piece),
                };
                if sender.send(message).await.is_err() {
                    return;
                }
            }
        });
        if cut.is_none() {
            drop(requests);
        }
        let mut came = 0;
        while cut.is_none_or(|(_, responses)| came < responses) {
            let next = tokio::time::timeout(Duration::from_secs(5), responses.message());
            let Ok(message) = next.await else {
                break;
            };
            let Some(InterpretResponse {
                response: Some(response),
                number,
            }) = message?
            else {
                break 'session true;
            };
            if matches!(response, Response::Heartbeat(_)) {
                assert_eq!(number, 0);
                // They come for ever where nothing else does.
                came += usize::from(cut.is_some());
                continue;
            }
            assert_eq!(number, last + 1, "nothing twice, nothing lost");
            last = number;
            came += 1;
            received.extend(key(&response));
        }
        drop(network);
        sending.abort();
    };
    assert!(ended);
    // Where pieces are cut differently in time, committed text is the same: recordings are not hurried.
    received.sort();
    expected.sort();
    assert_eq!(received, expected);
    // The session is over, but who lost its end can still have it.
    let mut again = Stream::open(
        &mut client,
        Request::Resume(Resume {
            token: token.clone(),
            last_response: last - 1,
        }),
    )
    .await?;
    assert!(matches!(again.next().await?, Some(Response::Resumed(_))));
    assert!(matches!(
        again.next().await?,
        Some(Response::SessionEnded(_))
    ));
    assert!(again.next().await?.is_none());
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_has_the_token_and_was_there_goes_on() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "1"]).await?;
    let mut client = daemon.client().await?;
    let mut stream = Stream::open(&mut client, Request::Config(resumable())).await?;
    let Some(Response::SessionStarted(started)) = stream.next().await? else {
        panic!("no start");
    };
    assert_eq!(started.resume_token.len(), 32);
    let resume = |token: &str, last_response| {
        Request::Resume(Resume {
            token: token.to_owned(),
            last_response,
        })
    };
    for (request, reason) in [
        (resume("0123456789abcdef0123456789abcdef", 1), "no-session"),
        (resume(&started.resume_token, 1_000), "bad-config"),
    ] {
        let refused = Stream::open(&mut client, request).await.unwrap_err();
        assert_eq!(refused.metadata().get(REASON_KEY).unwrap(), reason);
    }
    // What is acknowledged is not kept.
    stream
        .send(Request::Control(Control {
            control: Some(control::Control::Acknowledge(Acknowledge {
                last_response: 1,
            })),
        }))
        .await?;
    tokio::time::sleep(Duration::from_millis(200)).await;
    let refused = Stream::open(&mut client, resume(&started.resume_token, 0)).await;
    assert_eq!(
        refused.unwrap_err().metadata().get(REASON_KEY).unwrap(),
        "no-session"
    );
    // A session that is not resumable has no token.
    drop(stream);
    Ok(())
}
