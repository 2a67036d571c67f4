//! The session library against a real gRPC server.

use futures_util::stream;
use interpret::{
    ClientError, ExitStatus,
    audio::Pace,
    connect::connect,
    session::{Config, Event, Session, Source, Target},
};
use interpret_proto::v1::{AudioEncoding, EndReason, interpret_request::Request};
use tonic::Status;

use crate::support::{Server, Step, ended, good_session, spoken, started};

fn config() -> Config {
    Config::new(Source::Language("fr".parse().unwrap())).target(Target::new("en".parse().unwrap()))
}

async fn open(server: &Server, samples: Vec<f32>) -> Result<Session, ClientError> {
    let channel = connect(&server.address().parse()?).await?;
    let audio = stream::iter([Ok(samples)]);
    Session::open(channel, config(), audio, Pace::Fast).await
}

async fn events(session: &mut Session) -> Result<Vec<Event>, ClientError> {
    let mut events = Vec::new();
    while let Some(received) = session.next().await? {
        events.push(received.event);
    }
    Ok(events)
}

#[tokio::test(flavor = "multi_thread")]
async fn config_then_numbered_audio_then_half_close_and_all_events() {
    let server = Server::start(good_session());
    let samples: Vec<f32> = (0..8_000).map(|n| n as f32 / 8_000.0).collect();
    let mut session = open(&server, samples.clone()).await.unwrap();
    let events = events(&mut session).await.unwrap();
    assert!(matches!(events.first(), Some(Event::SessionStarted(_))));
    assert!(matches!(events.last(), Some(Event::SessionEnded(_))));
    assert_eq!(events.len(), 8);
    assert_eq!(session.sent_ms(), 500);
    let sent = session.close().await;
    assert!(sent.whole && sent.error.is_none());
    assert_eq!(sent.samples, 8_000);

    let log = server.log.lock().unwrap();
    let Some(Request::Config(config)) = &log.requests[0].request else {
        panic!("{:?}", log.requests[0]);
    };
    assert_eq!(config.source_language, "fr");
    let format = config.audio_format.unwrap();
    assert_eq!(
        (format.encoding(), format.sample_rate_hz),
        (AudioEncoding::F32, 16_000)
    );
    assert!(log.half_closed);
    for (index, (sequence, _)) in log.chunks().enumerate() {
        assert_eq!(sequence, index as u64);
    }
    let bytes: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
    assert_eq!(log.audio(), bytes);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refusal_keeps_the_daemons_reason_and_words() {
    let mut status = Status::not_found("no model translates fr into en");
    status
        .metadata_mut()
        .insert("interpret-reason", "no-model".parse().unwrap());
    let server = Server::start(vec![Step::Fail(status)]);
    let error = open(&server, vec![0.0; 640]).await.unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::NoModelForPair);
    assert_eq!(error.to_string(), "no model translates fr into en");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_vanishes_is_an_error_and_not_an_end() {
    let server = Server::start(vec![started(&["en"]), Step::AwaitAudio(1), Step::Vanish]);
    let mut session = open(&server, vec![0.0; 640]).await.unwrap();
    let error = events(&mut session).await.unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::SessionFailed, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn breaches_of_the_protocol_are_found() {
    let scripts = [
        vec![spoken("en", 0, "early", 1)],
        vec![started(&["en"]), spoken("en", 1, "a gap", 1)],
        vec![started(&["en"]), Step::AwaitEnd],
        vec![
            started(&["en"]),
            ended(EndReason::Finished),
            started(&["en"]),
        ],
    ];
    for (index, script) in scripts.into_iter().enumerate() {
        let server = Server::start(script);
        let outcome = match open(&server, vec![0.0; 640]).await {
            Ok(mut session) => events(&mut session).await,
            Err(error) => Err(error),
        };
        assert!(
            matches!(outcome, Err(ClientError::Protocol(_))),
            "script {index}: {outcome:?}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn finishing_early_half_closes_and_still_gets_the_end() {
    let server = Server::start(vec![
        started(&["en"]),
        Step::AwaitAudio(3),
        Step::AwaitEnd,
        ended(EndReason::Finished),
    ]);
    let channel = connect(&server.address().parse().unwrap()).await.unwrap();
    let endless = stream::repeat_with(|| Ok(vec![0.0; 640]));
    let mut session = Session::open(channel, config(), endless, Pace::RealTime)
        .await
        .unwrap();
    assert!(matches!(
        session.next().await.unwrap().unwrap().event,
        Event::SessionStarted(_)
    ));
    while session.sent_ms() < 200 {
        tokio::task::yield_now().await;
    }
    session.finish();
    let rest = events(&mut session).await.unwrap();
    assert!(matches!(rest.as_slice(), [Event::SessionEnded(_)]));
    assert!(!session.close().await.whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_there_is_told_with_the_address() {
    let free = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let error = connect(&free.to_string().parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::ServerUnreachable);
    assert!(error.to_string().contains(&free.to_string()), "{error}");
    let error = connect(&"unix:/nonexistent.sock".parse().unwrap())
        .await
        .unwrap_err();
    assert_eq!(error.exit_status(), ExitStatus::ServerUnreachable);
}
