//! The daemon as a service: start, health, reflection, several sessions, bad configuration.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::time::Duration;

use anyhow::Result;
use interpret_proto::v1::{
    GlossaryTerm, ListLanguagesRequest, ListVoicesRequest, SessionConfig,
    interpret_request::Request, interpret_response::Response,
    interpreter_client::InterpreterClient,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    stream::{Stream, chunks, config},
};
use interpretd::{Config, Daemon, session::REASON_KEY};
use tonic_health::pb::{
    HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient,
};
use tonic_reflection::pb::v1::{
    ServerReflectionRequest, server_reflection_client::ServerReflectionClient,
    server_reflection_request::MessageRequest, server_reflection_response::MessageResponse,
};

#[tokio::test(flavor = "multi_thread")]
async fn health_turns_serving_only_when_the_models_are_loaded() -> Result<()> {
    // In this process, so that the moment before loading can be held still.
    let daemon = Daemon::new(Config::default());
    let channel = daemon.connect_in_process().await?;
    let mut health = HealthClient::new(channel.clone());
    let mut client = InterpreterClient::new(channel);
    let question = HealthCheckRequest {
        service: "interpret.v1.Interpreter".to_owned(),
    };
    let status = health.check(question.clone()).await?.into_inner().status();
    assert_eq!(status, ServingStatus::NotServing);
    let refused = client.list_languages(ListLanguagesRequest {}).await;
    let Err(status) = refused else {
        anyhow::bail!("served without models")
    };
    assert_eq!(status.code(), tonic::Code::Unavailable, "{status}");
    daemon.load_models().await?;
    let status = health.check(question).await?.into_inner().status();
    assert_eq!(status, ServingStatus::Serving);
    let languages = client
        .list_languages(ListLanguagesRequest {})
        .await?
        .into_inner();
    let pairs: Vec<_> = languages
        .pairs
        .iter()
        .map(|p| (&*p.source, &*p.target, p.speech))
        .collect();
    assert!(pairs.contains(&("fr", "en", true)), "{pairs:?}");
    assert!(pairs.contains(&("en", "fr", true)), "{pairs:?}");
    let request = ListVoicesRequest {
        language: "fr".to_owned(),
    };
    let voices = client.list_voices(request).await?.into_inner().voices;
    assert!(voices.iter().any(|voice| voice.is_default), "{voices:?}");
    assert!(
        voices.iter().all(|voice| voice.language == "fr"),
        "{voices:?}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn the_admin_port_tells_an_operator_how_it_goes_and_nothing_that_was_said() -> Result<()> {
    let flags = ["--admin", "127.0.0.1:0", "--max-sessions", "1"];
    let daemon = DaemonProcess::ready(&flags).await?;
    assert_eq!(daemon.admin("/live").await?.0, 200);
    assert_eq!(daemon.admin("/ready").await?.0, 200);
    let mut client = daemon.client().await?;
    let stream = Stream::open(&mut client, Request::Config(config("en", "fr"))).await?;
    assert_eq!(daemon.metric("interpretd_sessions ").await?, 1.0);
    let second = Stream::open(&mut client, Request::Config(config("en", "fr"))).await;
    assert!(second.is_err());
    let samples = recording("jfk-en")?.samples()?;
    let committed: String = stream
        .finish(chunks(&samples, 1_600))
        .await?
        .into_iter()
        .filter_map(|response| match response {
            Response::TranslatedText(text) => Some(text.committed),
            _ => None,
        })
        .collect();
    let (_, metrics) = daemon.admin("/metrics").await?;
    let words = committed.split_whitespace().count();
    for line in [
        "interpretd_sessions 0".to_owned(),
        "interpretd_sessions_ended_total{code=\"Ok\"} 1".to_owned(),
        "interpretd_sessions_refused_total{reason=\"full\"} 1".to_owned(),
        format!("interpretd_words_total{{stage=\"translated\"}} {words}"),
        format!("interpretd_words_total{{stage=\"spoken\"}} {words}"),
    ] {
        assert!(
            metrics.lines().any(|l| l == line),
            "{line} is not in\n{metrics}"
        );
    }
    for name in [
        "interpretd_engine_run_seconds_bucket{engine=\"recognition\"",
        "interpretd_speech_lag_seconds_bucket{target=\"fr\"",
        "interpretd_resident_bytes ",
    ] {
        assert!(metrics.contains(name), "{name} is not in\n{metrics}");
    }
    let said = committed.split_whitespace().filter(|word| word.len() > 5);
    for word in said {
        assert!(!metrics.contains(word), "{word} was said");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_glossary_is_honoured_and_told_and_a_contradictory_one_refused() -> Result<()> {
    let daemon = DaemonProcess::ready(&[]).await?;
    let mut client = daemon.client().await?;
    let term = |source: &str, target: &str, language: &str| GlossaryTerm {
        source: source.to_owned(),
        target: target.to_owned(),
        language: language.to_owned(),
    };
    let with = |glossary: Vec<GlossaryTerm>| SessionConfig {
        glossary,
        // Otherwise it comes faster than a speaker speaks, and how it is cut depends on the machine.
        recorded: true,
        ..config("en", "fr")
    };
    for (glossary, reason) in [
        (
            vec![term("country", "a", ""), term("Country", "b", "")],
            "bad-config",
        ),
        (vec![term(" ", "a", "fr")], "bad-config"),
        (vec![term("country", "a", "xx")], "unknown-language"),
    ] {
        let opened = Stream::open(&mut client, Request::Config(with(glossary))).await;
        let Err(status) = opened else {
            anyhow::bail!("taken instead of {reason}")
        };
        let told = status
            .metadata()
            .get(REASON_KEY)
            .and_then(|r| r.to_str().ok());
        assert_eq!(told, Some(reason), "{status}");
    }
    let glossary = vec![
        term("country", "contrée", "fr"),
        term("Americans", "", ""),
        term("country", "nada", "pt"),
    ];
    let stream = Stream::open(&mut client, Request::Config(with(glossary))).await?;
    let samples = recording("jfk-en")?.samples()?;
    let (mut said, mut terms) = (String::new(), Vec::new());
    for response in stream.finish(chunks(&samples, 1_600)).await? {
        if let Response::TranslatedText(text) = response {
            said.push_str(&text.committed);
            terms.extend(text.terms);
        }
    }
    // "My fellow Americans" may become "mes compatriotes": then that is told.
    for term in &terms {
        let there = said.contains(&term.target);
        assert_eq!(term.honoured, there, "{term:?}: {said}");
    }
    let countries = terms.iter().filter(|term| term.source == "country");
    let honoured = countries.filter(|term| term.honoured && term.target == "contrée");
    assert_eq!(honoured.count(), 2, "{terms:?}: {said}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn reflection_lists_the_services() -> Result<()> {
    let daemon = DaemonProcess::ready(&[]).await?;
    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut client = ServerReflectionClient::new(daemon.connect().await?);
    let mut answers = client
        .server_reflection_info(tokio_stream::once(request))
        .await?
        .into_inner();
    let answer = answers
        .message()
        .await?
        .and_then(|answer| answer.message_response);
    let Some(MessageResponse::ListServicesResponse(services)) = answer else {
        anyhow::bail!("no list of services: {answer:?}");
    };
    let names: Vec<&str> = services.service.iter().map(|s| s.name.as_str()).collect();
    assert!(names.contains(&"interpret.v1.Interpreter"), "{names:?}");
    assert!(names.contains(&"grpc.health.v1.Health"), "{names:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn sessions_at_once_share_the_engines_and_do_not_mix() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en,en-fr"]).await?;
    let session = |name: &'static str, from: &'static str, to: &'static str| {
        let daemon = &daemon;
        async move {
            let samples = recording(name)?.samples()?;
            let mut client = daemon.client().await?;
            // Recordings can wait for each other: they are not refused for the load.
            let opening = SessionConfig {
                recorded: true,
                ..config(from, to)
            };
            let stream = Stream::open(&mut client, Request::Config(opening)).await?;
            let responses = stream.finish(chunks(&samples, 1_600)).await?;
            let text: String = responses
                .into_iter()
                .filter_map(|response| match response {
                    Response::SourceText(text) => Some(text.committed),
                    _ => None,
                })
                .collect();
            Ok::<_, anyhow::Error>(text.to_lowercase())
        }
    };
    let (french, english, american) = tokio::try_join!(
        session("read-cheetah-fr", "fr", "en"),
        session("read-cheetah-en", "en", "fr"),
        session("jfk-en", "en", "fr"),
    )?;
    assert!(french.contains("deux autres sont situés"), "{french}");
    assert!(english.contains("today only platforms"), "{english}");
    assert!(american.contains("your country"), "{american}");
    // And alone, each says the same: sessions do not touch each other.
    assert_eq!(session("read-cheetah-fr", "fr", "en").await?, french);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_in_which_nobody_speaks_is_told_that_it_lives() -> Result<()> {
    let daemon = DaemonProcess::ready_with("[sessions]\nheartbeat_secs = 1\n", &[]).await?;
    let mut client = daemon.client().await?;
    let mut stream = Stream::open(&mut client, Request::Config(config("fr", "en"))).await?;
    let started = stream.next().await?;
    assert!(matches!(started, Some(Response::SessionStarted(_))));
    for _ in 0..3 {
        let response = tokio::time::timeout(Duration::from_secs(10), stream.next()).await??;
        let Some(Response::Heartbeat(heartbeat)) = response else {
            panic!("{response:?}");
        };
        assert_eq!((heartbeat.source_ms, heartbeat.next_audio_sequence), (0, 0));
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_language_is_detected_with_a_probability_and_spoken_as_fast_as_asked() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let mut client = daemon.client().await?;
    let samples = recording("read-cheetah-fr")?.samples()?;
    let mut lengths = Vec::new();
    for speed_percent in [0, 150] {
        let mut opening = SessionConfig {
            recorded: true,
            source_language: String::new(),
            source_candidates: vec!["fr".into(), "pt".into()],
            ..config("fr", "en")
        };
        opening.targets[0].speed_percent = speed_percent;
        let stream = Stream::open(&mut client, Request::Config(opening)).await?;
        let mut bytes = 0;
        for response in stream.finish(chunks(&samples, 1_600)).await? {
            match response {
                Response::SourceText(text) if !text.committed.is_empty() => {
                    assert_eq!(text.language, "fr");
                    let probability = text.language_probability;
                    assert!(probability > 0.5 && probability <= 1.0, "{probability}");
                }
                Response::TranslatedAudio(audio) => bytes += audio.data.len(),
                _ => {}
            }
        }
        lengths.push(bytes as f64);
    }
    // Pauses after sentences stay as long as they are.
    let shorter = lengths[1] / lengths[0];
    assert!((0.6..0.8).contains(&shorter), "{shorter}");
    Ok(())
}

#[tokio::test]
async fn a_bad_configuration_is_refused_before_anything_starts() -> Result<()> {
    for (flags, code, said) in [
        (&["--max-sessions", "0"][..], 78, "sessions.max is 0"),
        (&["--preload", "fr-xx"], 78, "'xx' is not a language code"),
        (&["--config", "no/such/file.toml"], 78, "no/such/file.toml"),
        (&["--log-level", "a=b=c"], 78, "log.level"),
        (
            &["--recognition", "whisper-bass"],
            66,
            "did you mean 'whisper-base'?",
        ),
        (&["--preload", "fr-is"], 66, "fr-is"),
    ] {
        let mut daemon = DaemonProcess::start(flags)?;
        let status = daemon.ended().await?;
        assert_eq!(status.code(), Some(code), "{flags:?}: {}", daemon.log());
        assert!(daemon.log().contains(said), "{said}: {}", daemon.log());
    }
    Ok(())
}
