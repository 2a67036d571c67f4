//! What a client changes in mid-session: targets, glossary, hot words.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use anyhow::{Context as _, Result};
use interpret_proto::v1::{
    GlossaryTerm, NoticeKind, RemoveTarget, SessionChanged, SessionConfig, SetGlossary,
    control::Control, interpret_request::Request, interpret_response::Response,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    stream::{Stream, add_target, chunks, config, control},
};

fn add(language: &str) -> Request {
    add_target(language, true)
}

fn remove(language: &str) -> Request {
    control(Control::RemoveTarget(RemoveTarget {
        language: language.to_owned(),
    }))
}

/// Reads until the daemon says what became of a request; keeps what comes before.
async fn outcome(
    stream: &mut Stream,
    all: &mut Vec<Response>,
) -> Result<Result<SessionChanged, String>> {
    loop {
        let response = stream.next().await?.context("the stream ended")?;
        match response {
            Response::SessionChanged(changed) => return Ok(Ok(changed)),
            Response::Notice(notice) if notice.kind() == NoticeKind::RequestRefused => {
                return Ok(Err(notice.message));
            }
            other => all.push(other),
        }
    }
}

fn translated(all: &[Response], language: &str) -> String {
    let texts = all.iter().filter_map(|response| match response {
        Response::TranslatedText(text) if text.language == language => {
            Some(text.committed.as_str())
        }
        _ => None,
    });
    texts.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn targets_come_and_go_while_the_speaker_speaks() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en,fr-pt"]).await?;
    let mut client = daemon.client().await?;
    let samples = recording("docs-b-fr")?.samples()?;
    let opening = SessionConfig {
        recorded: true,
        ..config("fr", "en")
    };
    let mut stream = Stream::open(&mut client, Request::Config(opening)).await?;
    let mut all = Vec::new();
    // What makes no sense is refused, and the session goes on.
    for (request, said) in [
        (add("en"), "already"),
        (add("fr"), "spoken"),
        (add("xx"), "xx"),
        (remove("pt"), "not interpreted into"),
        (remove("en"), "only target"),
    ] {
        stream.send(request).await?;
        let refused = outcome(&mut stream, &mut all).await?.unwrap_err();
        assert!(refused.contains(said), "{said}: {refused}");
    }
    let mut pieces: Vec<Request> = chunks(&samples, 1_600).collect();
    let rest = pieces.split_off(pieces.len() / 2);
    for piece in pieces {
        stream.send(piece).await?;
    }
    stream.send(add("pt")).await?;
    let changed = outcome(&mut stream, &mut all).await?.unwrap();
    let languages: Vec<_> = changed
        .targets
        .iter()
        .map(|t| t.language.as_str())
        .collect();
    assert_eq!(languages, ["en", "pt"]);
    let at_ms = samples.len() as u64 / 2 / 16;
    assert!(
        changed.source_ms.abs_diff(at_ms) < 200,
        "{}",
        changed.source_ms
    );
    stream.send(remove("en")).await?;
    let changed = outcome(&mut stream, &mut all).await?.unwrap();
    assert_eq!(changed.targets.len(), 1);
    all.extend(stream.finish(rest).await?);
    // Each has about its own half of the speech.
    let (english, portuguese) = (translated(&all, "en"), translated(&all, "pt"));
    let words = |text: &str| text.split_whitespace().count();
    assert!(
        words(&english) > 5 && words(&portuguese) > 5,
        "{english}\n{portuguese}"
    );
    for response in &all {
        if let Response::TranslatedText(text) = response
            && let Some(first) = text.words.first()
        {
            let late = first.source_start_ms > at_ms + 15_000;
            assert!(text.language == "pt" || !late, "{text:?}");
            let early = first.source_start_ms + 15_000 < at_ms;
            assert!(text.language == "en" || !early, "{text:?}");
        }
    }
    assert!(matches!(all.last(), Some(Response::SessionEnded(_))));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn glossary_and_hot_words_are_replaced_in_mid_session() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "en-fr"]).await?;
    let mut client = daemon.client().await?;
    let samples = recording("jfk-en")?.samples()?;
    let opening = SessionConfig {
        recorded: true,
        hot_words: vec!["Kennedy".to_owned()],
        ..config("en", "fr")
    };
    let mut stream = Stream::open(&mut client, Request::Config(opening)).await?;
    let mut all = Vec::new();
    let too_many = control(Control::SetGlossary(SetGlossary {
        hot_words: vec!["word".to_owned(); 101],
        ..SetGlossary::default()
    }));
    stream.send(too_many).await?;
    assert!(outcome(&mut stream, &mut all).await?.is_err());
    let glossary = SetGlossary {
        glossary: vec![GlossaryTerm {
            source: "country".to_owned(),
            target: "patrie".to_owned(),
            language: String::new(),
        }],
        hot_words: vec!["Americans".to_owned(), "country".to_owned()],
    };
    stream.send(control(Control::SetGlossary(glossary))).await?;
    let changed = outcome(&mut stream, &mut all).await?.unwrap();
    assert_eq!((changed.glossary_terms, changed.hot_words), (1, 2));
    all.extend(stream.finish(chunks(&samples, 1_600)).await?);
    let french = translated(&all, "fr");
    assert!(french.contains("patrie"), "{french}");
    let hot: Vec<String> = all
        .iter()
        .filter_map(|response| match response {
            Response::SourceText(text) => Some(&text.words),
            _ => None,
        })
        .flatten()
        .filter(|word| word.hot)
        .map(|word| word.text.clone())
        .collect();
    assert!(hot.len() >= 2, "{hot:?}");
    assert!(hot.iter().all(|word| {
        let word = word.to_lowercase();
        word.contains("americans") || word.contains("country")
    }));
    Ok(())
}
