//! Bad input to `interpret file`: each kind has its own exit code and says what is wrong, and the
//! daemon goes on serving.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use interpret::exit_status::ExitStatus;
use interpret_tests::{
    daemon_process::DaemonProcess,
    interpret_command::{Interpreted, interpret},
    model_cache::ModelCache,
    scores::word_errors,
    speech::recording,
};
use tempfile::TempDir;

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn silence(path: &Path, seconds: u32) -> Result<()> {
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut wav = hound::WavWriter::create(path, spec)?;
    for _ in 0..seconds * spec.sample_rate {
        wav.write_sample(0_i16)?;
    }
    Ok(wav.finalize()?)
}

/// Half of a recording's file: its header promises more.
fn truncated(folder: &Path) -> Result<PathBuf> {
    let bytes = fs::read(recording("read-cheetah-fr")?.path)?;
    let path = folder.join("truncated.flac");
    fs::write(&path, &bytes[..bytes.len() / 2])?;
    Ok(path)
}

#[tokio::test(flavor = "multi_thread")]
async fn every_bad_input_has_its_own_message_and_exit_code() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let server = format!("unix:{}", daemon.socket().display());
    let folder = TempDir::new()?;
    let good = text(&recording("read-cheetah-fr")?.path);
    let not_audio = folder.path().join("notes.wav");
    fs::write(
        &not_audio,
        "This is a text. It is long enough to be looked at.".repeat(40),
    )?;
    let empty = folder.path().join("empty.wav");
    silence(&empty, 0)?;
    let nowhere = format!("unix:{}", folder.path().join("nobody.sock").display());
    for (input, from, to, server, status, said) in [
        (
            text(&not_audio),
            "fr",
            "en",
            &server,
            ExitStatus::InputNotAudio,
            "notes.wav",
        ),
        (
            text(&truncated(folder.path())?),
            "fr",
            "en",
            &server,
            ExitStatus::InputTruncated,
            "truncated.flac",
        ),
        (
            text(&empty),
            "fr",
            "en",
            &server,
            ExitStatus::InputEmpty,
            "empty.wav",
        ),
        (
            good.clone(),
            "xx",
            "en",
            &server,
            ExitStatus::UnknownLanguage,
            "'xx'",
        ),
        (
            good.clone(),
            "fr",
            "is",
            &server,
            ExitStatus::NoModelForPair,
            "interpret models",
        ),
        (
            good.clone(),
            "fr",
            "en",
            &nowhere,
            ExitStatus::ServerUnreachable,
            "nobody.sock",
        ),
        (
            "no/such/file.wav".to_owned(),
            "fr",
            "en",
            &server,
            ExitStatus::InputUnreadable,
            "no/such/file.wav",
        ),
    ] {
        let output = interpret(&[
            "file", &input, "--from", from, "--to", to, "--server", server, "--fast",
        ])?;
        let complaint = String::from_utf8_lossy(&output.stderr);
        assert_eq!(
            output.status.code(),
            Some(status.code().into()),
            "{input}: {complaint}"
        );
        assert!(
            complaint.contains("error:") && complaint.contains(said),
            "{said}: {complaint}"
        );
    }
    // After all of that the daemon interprets as before.
    let path = recording("read-cheetah-fr")?.path;
    let result = Interpreted::fast(&path, ("fr", "en"), "balanced", &server, folder.path())?;
    assert!(
        result.translation().to_lowercase().contains("other two"),
        "{}",
        result.translation()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_there_of_a_truncated_file_is_interpreted() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let server = format!("unix:{}", daemon.socket().display());
    let folder = TempDir::new()?;
    let bytes = fs::read(recording("docs-b-fr")?.path)?;
    let input = folder.path().join("half.flac");
    fs::write(&input, &bytes[..bytes.len() / 2])?;
    let events = folder.path().join("events.jsonl");
    let output = interpret(&[
        "file",
        &text(&input),
        "--from",
        "fr",
        "--to",
        "en",
        "--server",
        &server,
        "--fast",
        "--events",
        &text(&events),
    ])?;
    assert_eq!(
        output.status.code(),
        Some(ExitStatus::InputTruncated.code().into())
    );
    let log = fs::read_to_string(&events).context("the event log is gone")?;
    assert!(
        log.contains("sessionEnded") && log.contains("translatedText"),
        "{log}"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn an_hour_of_silence_gives_no_text() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let server = format!("unix:{}", daemon.socket().display());
    let folder = TempDir::new()?;
    let input = folder.path().join("silence.wav");
    silence(&input, 3_600)?;
    // What the models take for their first speech is not what silence leaves behind.
    let speech = recording("read-cheetah-fr")?.path;
    let other = TempDir::new()?;
    Interpreted::fast(&speech, ("fr", "en"), "balanced", &server, other.path())?;
    let before = daemon.resident_bytes()?;
    let result = Interpreted::fast(&input, ("fr", "en"), "balanced", &server, folder.path())?;
    assert_eq!(
        (result.source(), result.translation()),
        (String::new(), String::new())
    );
    let grown = daemon.resident_bytes()?.saturating_sub(before);
    assert!(
        grown < 50 << 20,
        "an hour of silence left {grown} bytes behind"
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_server_the_client_runs_the_daemon_itself() -> Result<()> {
    let folder = TempDir::new()?;
    let captions = folder.path().join("out.srt");
    let output = interpret(&[
        "file",
        &text(&recording("read-cheetah-en")?.path),
        "--from",
        "en",
        "--to",
        "fr",
        "--fast",
        "--captions",
        &text(&captions),
    ])?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{complaint}");
    let captions = fs::read_to_string(captions)?;
    assert!(
        captions.contains("-->") && captions.to_lowercase().contains("plate"),
        "{captions}"
    );
    Ok(())
}

#[test]
fn a_damaged_model_is_named_and_nothing_is_run_with_it() -> Result<()> {
    let cache = ModelCache::linked()?;
    let damaged = cache.model("opus-mt-fr-en").join("source.spm");
    let mut bytes = fs::read(&damaged).context("opus-mt-fr-en is not fetched")?;
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    // The link is replaced, not what it leads to.
    fs::remove_file(&damaged)?;
    fs::write(&damaged, bytes)?;
    let output = std::process::Command::new(interpret_tests::daemon_process::program("interpret")?)
        .env("INTERPRETD_CACHE_DIR", cache.path())
        .args(["file", &text(&recording("read-cheetah-fr")?.path)])
        .args(["--from", "fr", "--to", "en", "--fast"])
        .output()?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(ExitStatus::ModelCorrupt.code().into()),
        "{complaint}"
    );
    assert!(
        complaint.contains("source.spm") && complaint.contains("interpret models"),
        "{complaint}"
    );
    assert!(
        damaged.exists(),
        "the person's file is not deleted behind their back"
    );
    Ok(())
}

#[test]
fn transcripts_are_scored_as_they_should_be() {
    // A guard for the guards: had the normaliser broken, every comparison above would pass.
    assert!(word_errors("les deux autres", "the two others").percent() > 90.0);
}
