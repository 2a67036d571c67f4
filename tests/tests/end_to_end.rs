//! The whole path: recorded speech through the client and the daemon, and the result heard again.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use anyhow::Result;
use interpret_models::{
    Language, LanguagePair,
    store::{Settings, Store},
    translation::{self, TranslationRequest},
};
use interpret_proto::v1::interpret_response::Response;
use interpret_tests::{
    daemon_process::DaemonProcess,
    ears,
    interpret_command::Interpreted,
    scores::{WordErrors, word_errors},
    speech::{Recording, recording, recordings_in},
};
use tempfile::TempDir;

/// A recording that went through, and its folder of results.
struct Case {
    recording: Recording,
    result: Interpreted,
    _folder: TempDir,
}

/// Interprets the recordings in a language, but those whose name begins as one of `without`: what they would
/// show another one shows.
async fn interpret_all(from: &str, to: &str, mode: &str, without: &[&str]) -> Result<Vec<Case>> {
    let mut recordings = recordings_in(from)?;
    recordings.retain(|recording| {
        !without
            .iter()
            .any(|name| recording.name().starts_with(name))
    });
    interpret(recordings, (from, to), mode).await
}

async fn interpret(
    recordings: Vec<Recording>,
    (from, to): (&str, &str),
    mode: &str,
) -> Result<Vec<Case>> {
    let daemon = DaemonProcess::ready(&["--preload", &format!("{from}-{to}")]).await?;
    let server = format!("unix:{}", daemon.socket().display());
    let mut cases = Vec::new();
    for recording in recordings {
        let folder = TempDir::new()?;
        let result = Interpreted::fast(&recording.path, (from, to), mode, &server, folder.path())?;
        cases.push(Case {
            recording,
            result,
            _folder: folder,
        });
    }
    Ok(cases)
}

/// Word error rate of the committed source against that of whisper.cpp on the whole file.
fn assert_recognised(cases: &[Case], language: &str, margin: f64) -> Result<()> {
    let (mut streamed, mut offline) = (WordErrors::default(), WordErrors::default());
    for case in cases {
        let transcript = &case.recording.transcript;
        let whole = ears::listen(&case.recording.samples()?, language)?;
        let (s, o) = (
            word_errors(&case.result.source(), transcript),
            word_errors(&whole, transcript),
        );
        println!(
            "{}: word error rate {:.1} % streamed, {:.1} % offline",
            case.recording.name(),
            s.percent(),
            o.percent()
        );
        (streamed, offline) = (streamed + s, offline + o);
    }
    println!(
        "{language}: {:.1} % streamed, {:.1} % offline",
        streamed.percent(),
        offline.percent()
    );
    assert!(
        streamed.percent() <= offline.percent() + margin,
        "streamed {:.1} %, offline {:.1} %",
        streamed.percent(),
        offline.percent()
    );
    Ok(())
}

/// Each committed sentence equals its source sentence translated in one go, and the sentences are
/// the whole source.
fn assert_translated(cases: &[Case], from: &str, to: &str) -> Result<()> {
    let pair = LanguagePair::new(from.parse::<Language>()?, to.parse()?);
    let store = Store::open(Settings::from_env()?)?;
    let mut translator = translation::load(&store.translation_route(pair)?, pair)?;
    for case in cases {
        let sentences = case.result.sentences();
        let joined: Vec<&str> = sentences.iter().map(|(source, _)| source.trim()).collect();
        assert_eq!(
            joined.join(" "),
            case.result.source().trim(),
            "sentences lose source text"
        );
        for (source, committed) in &sentences {
            let request = TranslationRequest {
                source: source.clone(),
                ..Default::default()
            };
            assert_eq!(
                *committed,
                translator.translate(&request)?.text,
                "of: {source}"
            );
        }
    }
    Ok(())
}

/// The spoken output, recognised again, says what was committed.
fn assert_spoken(cases: &[Case], language: &str, at_most: f64) -> Result<()> {
    let mut all = WordErrors::default();
    for case in cases {
        let heard = ears::listen_to_file(&case.result.wav, language)?;
        let errors = word_errors(&heard, &case.result.translation());
        println!(
            "{}: heard again with {:.1} % errors",
            case.recording.name(),
            errors.percent()
        );
        if errors.errors > 0 {
            println!("  said:  {}\n  heard: {heard}", case.result.translation());
        }
        all = all + errors;
    }
    println!(
        "{language} speech heard again: {:.1} % word error rate",
        all.percent()
    );
    assert!(all.percent() <= at_most, "{:.1} %", all.percent());
    Ok(())
}

fn assert_complete(cases: &[Case]) -> Result<()> {
    for case in cases {
        let Some(Response::SessionEnded(ended)) = case.result.events.last() else {
            anyhow::bail!("no SessionEnded at the end of the log");
        };
        let source_ms = case.recording.samples()?.len() as u64 / 16;
        assert!(
            ended.source_ms.abs_diff(source_ms) <= 1,
            "{} of {source_ms}",
            ended.source_ms
        );
        let captions = std::fs::read_to_string(&case.result.vtt)?;
        assert!(captions.starts_with("WEBVTT"), "{captions}");
        // Every word of the translation is in the captions.
        let text: Vec<&str> = captions
            .lines()
            .filter(|line| !line.contains("-->"))
            .skip(1)
            .collect();
        let errors = word_errors(&text.join(" "), &case.result.translation());
        assert_eq!(errors.errors, 0, "{captions}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn french_speech_becomes_english_speech() -> Result<()> {
    let cases = interpret_all("fr", "en", "accurate", &["docs-c"]).await?;
    assert_complete(&cases)?;
    assert_recognised(&cases, "fr", 2.0)?;
    assert_translated(&cases, "fr", "en")?;
    assert_spoken(&cases, "en", 12.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn english_speech_becomes_french_speech() -> Result<()> {
    let cases = interpret_all("en", "fr", "accurate", &["docs-a", "docs-b"]).await?;
    assert_complete(&cases)?;
    // One English speaker hardly pauses and is cut at the maximum length: docs/recognition.md.
    assert_recognised(&cases, "en", 3.0)?;
    assert_translated(&cases, "en", "fr")?;
    assert_spoken(&cases, "fr", 18.0)
}

#[tokio::test(flavor = "multi_thread")]
async fn english_and_french_speech_become_portuguese_speech() -> Result<()> {
    // From French there is no model: it goes through English.
    for (from, name) in [("en", "docs-c-en"), ("fr", "docs-a-fr")] {
        let cases = interpret(vec![recording(name)?], (from, "pt"), "accurate").await?;
        assert_complete(&cases)?;
        assert_translated(&cases, from, "pt")?;
        assert_spoken(&cases, "pt", 20.0)?;
    }
    // And while it is spoken.
    let spoken = vec![recording("docs-a-fr")?];
    let cases = interpret(spoken, ("fr", "pt"), "low-latency").await?;
    assert_complete(&cases)?;
    assert_all_spoken(&cases);
    Ok(())
}

/// Nothing that was committed is missing from the speech, and nothing else was spoken.
fn assert_all_spoken(cases: &[Case]) {
    for case in cases {
        assert_eq!(
            case.result.spoken().trim(),
            case.result.translation().trim()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn french_speech_is_interpreted_while_it_is_spoken() -> Result<()> {
    let cases = interpret_all("fr", "en", "low-latency", &["docs-b"]).await?;
    assert_complete(&cases)?;
    assert_recognised(&cases, "fr", 6.0)?;
    assert_all_spoken(&cases);
    let early = cases.iter().flat_map(|case| &case.result.events).any(|event| {
        matches!(event, Response::TranslatedText(text) if !text.sentence_complete && !text.committed.is_empty())
    });
    assert!(
        early,
        "no translation was committed before its sentence was over"
    );
    assert_spoken(&cases, "en", 25.0)
}
