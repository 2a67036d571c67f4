//! `interpret evaluate`: the command as a person runs it, against a daemon that says what a test wrote.

use std::{
    fs,
    path::{Path, PathBuf},
};

use interpret_proto::v1::EndReason;
use serde_json::Value;
use tempfile::TempDir;
use tonic::Status;

use crate::support::{
    Server, Step, assert_exit, ended, good_session, heard, run, started, write_wav,
};

const HEAD: &str = "audio\tlanguage\ttranscript\ttarget_language\treference\n";

/// A folder with two recordings and a manifest of these lines.
fn folder(lines: &str) -> (TempDir, PathBuf) {
    let dir = TempDir::new().unwrap();
    write_wav(&dir.path().join("one.wav"), 300);
    write_wav(&dir.path().join("two.wav"), 200);
    let manifest = dir.path().join("manifest.tsv");
    fs::write(&manifest, lines).unwrap();
    (dir, manifest)
}

fn evaluate(manifest: &Path, report: &Path, more: &[&str]) -> std::process::Output {
    let (manifest, report) = (manifest.to_str().unwrap(), report.to_str().unwrap());
    let arguments = ["evaluate", manifest, "--report", report, "--no-asr"];
    run(&[&arguments, more].concat())
}

fn read(folder: &Path) -> Value {
    serde_json::from_str(&fs::read_to_string(folder.join("report.json")).unwrap()).unwrap()
}

#[test]
fn recordings_are_streamed_scored_and_scored_again_from_their_logs() {
    let lines = format!(
        "{HEAD}one.wav\tfr\tBonjour tous. Fin.\ten\tHello all. End.\ntwo.wav\tfr\tBonjour\t\t\n"
    );
    let (dir, manifest) = folder(&lines);
    let server = Server::start(good_session());
    let first = dir.path().join("first");
    let output = evaluate(
        &manifest,
        &first,
        &["--server", &server.address(), "--to", "en"],
    );
    assert_exit(&output, 0);
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(stdout.starts_with("one.fr-en"), "{stdout}");
    assert!(
        stdout.contains("\ntwo.fr-en") && stdout.contains("report.md"),
        "{stdout}"
    );

    for name in ["one.fr-en", "two.fr-en"] {
        for ending in ["jsonl", "wav", "svg"] {
            assert!(
                first.join(format!("{name}.{ending}")).exists(),
                "{name}.{ending}"
            );
        }
    }
    for name in [
        "report.md",
        "lag.svg",
        "span.svg",
        "instances.log",
        "segments.json",
    ] {
        assert!(first.join(name).exists(), "{name}");
    }
    let report = read(&first);
    let recording = &report["recordings"][0];
    assert_eq!(report["schema"], "interpret.evaluation.v1");
    assert_eq!(recording["account"]["committed"], 3);
    assert_eq!(recording["quality"]["wer"]["errors"], 0);
    assert_eq!(recording["translation_erasure"]["committed"], 0.0);
    assert!(recording["ear_voice_span"]["by_clause"]["median_ms"].is_i64());
    assert_eq!(report["recordings"][1]["quality"]["bleu"], Value::Null);

    // Nobody listens at that address any more: the logs are enough.
    drop(server);
    let second = dir.path().join("second");
    let logs = first.to_str().unwrap();
    let output = evaluate(&manifest, &second, &["--logs", logs, "--to", "en"]);
    assert_exit(&output, 0);
    assert_eq!(read(&second)["recordings"], report["recordings"]);

    // Compared with itself, a report is at 100 %.
    let json = first.join("report.json");
    let compared = [
        "--logs",
        logs,
        "--only",
        "one",
        "--offline-report",
        json.to_str().unwrap(),
    ];
    assert_exit(&evaluate(&manifest, &second, &compared), 0);
    assert_eq!(
        read(&second)["offline"],
        serde_json::json!([]),
        "other recordings"
    );
    let compared = [
        "--logs",
        logs,
        "--to",
        "en",
        "--offline-report",
        json.to_str().unwrap(),
    ];
    assert_exit(&evaluate(&manifest, &second, &compared), 0);
    assert_eq!(read(&second)["offline"][0]["percent"], 100.0);
}

#[test]
fn what_is_wrong_with_a_manifest_is_said_before_any_server_is_asked() {
    let row = "one.wav\tfr\tx\ten\t\n";
    for (text, code, says) in [
        (
            "audio\tlanguage\none.wav\tfr\n".to_owned(),
            2,
            "no column 'transcript'",
        ),
        (HEAD.to_owned(), 2, "lists no recording"),
        (format!("{HEAD}\tfr\tx\ten\t\n"), 2, "line 2"),
        (format!("{HEAD}one.wav\tqq\tx\ten\t\n"), 6, "line 2"),
        (format!("{HEAD}one.wav\tfr\tx\t\t\n"), 2, "--to"),
        (format!("{HEAD}{row}{row}"), 2, "twice"),
        (format!("{HEAD}none.wav\tfr\tx\ten\t\n"), 15, "none.wav"),
    ] {
        let (dir, manifest) = folder(&text);
        let output = evaluate(
            &manifest,
            &dir.path().join("report"),
            &["--server", "127.0.0.1:1"],
        );
        let stderr = assert_exit(&output, code);
        assert!(
            stderr.starts_with("error: ") && stderr.contains(says),
            "{stderr}"
        );
        assert!(!dir.path().join("report").exists());
    }
    let (dir, manifest) = folder(&format!("{HEAD}{row}"));
    let absent = dir.path().join("absent.tsv");
    let stderr = assert_exit(&evaluate(&absent, dir.path(), &[]), 15);
    assert!(
        stderr.contains("absent.tsv") && stderr.contains("\n  try: "),
        "{stderr}"
    );
    // A log that is none.
    fs::write(dir.path().join("one.fr-en.jsonl"), "no event\n").unwrap();
    let logs = dir.path().to_str().unwrap();
    let stderr = assert_exit(
        &evaluate(&manifest, &dir.path().join("r"), &["--logs", logs]),
        15,
    );
    assert!(stderr.contains("line 1 of the event log"), "{stderr}");
}

#[test]
fn a_session_that_breaks_is_reported_as_far_as_it_came_and_the_next_one_is_measured() {
    let (dir, manifest) = folder(&format!(
        "{HEAD}one.wav\tfr\tBonjour\ten\t\ntwo.wav\tfr\tBonjour\ten\t\n"
    ));
    let server = Server::start(vec![
        started(&["en"]),
        heard(" Bonjour"),
        Step::Fail(Status::internal("the model is gone")),
    ]);
    let report = dir.path().join("report");
    let output = evaluate(&manifest, &report, &["--server", &server.address()]);
    let stderr = assert_exit(&output, 12);
    assert!(stderr.contains("the model is gone"), "{stderr}");
    let recordings = read(&report)["recordings"].clone();
    assert_eq!(recordings.as_array().unwrap().len(), 2);
    assert_eq!(recordings[0]["complete"], false);
    assert_eq!(recordings[0]["source_words"], 1);
}

#[test]
fn a_pair_without_model_does_not_stop_the_others() {
    let (dir, manifest) = folder(&format!(
        "{HEAD}one.wav\tfr\tx\ten\t\ntwo.wav\tfr\tx\ten\t\n"
    ));
    let server = Server::start(vec![Step::Fail(Status::not_found("no such model"))]);
    let report = dir.path().join("report");
    let output = evaluate(&manifest, &report, &["--server", &server.address()]);
    let stderr = assert_exit(&output, 7);
    assert_eq!(
        stderr.matches("no such model").count(),
        2,
        "both were asked for: {stderr}"
    );
    assert!(!report.join("report.json").exists(), "nothing was measured");

    let logs = report.to_str().unwrap();
    let stderr = assert_exit(&evaluate(&manifest, &report, &["--logs", logs]), 2);
    assert!(
        stderr.contains("no event log of: one.fr-en, two.fr-en"),
        "{stderr}"
    );
}

#[test]
fn a_daemon_that_shuts_down_ends_the_evaluation() {
    let (dir, manifest) = folder(&format!(
        "{HEAD}one.wav\tfr\tx\ten\t\ntwo.wav\tfr\tx\ten\t\n"
    ));
    let server = Server::start(vec![started(&["en"]), ended(EndReason::Shutdown)]);
    let report = dir.path().join("report");
    let output = evaluate(&manifest, &report, &["--server", &server.address()]);
    assert_exit(&output, 12);
    assert_eq!(read(&report)["recordings"].as_array().unwrap().len(), 1);
}
