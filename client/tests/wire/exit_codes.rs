//! The program itself: what it exits with, says, and leaves behind when things go wrong.

use std::{
    fs,
    io::{BufRead, BufReader, Read},
    path::Path,
    process::Stdio,
};

use interpret_proto::v1::EndReason;
use tempfile::TempDir;
use tonic::Status;

use crate::support::{
    Server, Step, arguments, assert_exit, ended, good_session, heard, interpret, outputs, run,
    spoken, started, translated, write_wav, written_to,
};

#[test]
fn inputs_that_are_no_sound_are_refused_before_any_server_is_asked() {
    let dir = TempDir::new().unwrap();
    let path = |name: &str| dir.path().join(name);
    fs::write(path("notes.wav"), "no sound at all\n".repeat(500)).unwrap();
    fs::write(path("zero.wav"), []).unwrap();
    write_wav(&path("no-samples.wav"), 0);
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/audio");
    for (input, code, says) in [
        (path("notes.wav"), 3, "is not an audio file"),
        (fixtures.join("sine.opus"), 3, "Opus"),
        (fixtures.join("video-only.mkv"), 3, "no audio track"),
        (path("zero.wav"), 5, "holds no sound"),
        (path("no-samples.wav"), 5, "holds no sound"),
        (path("absent.wav"), 15, "cannot read"),
    ] {
        let output = run(&arguments(&input, "127.0.0.1:1", &[]));
        let stderr = assert_exit(&output, code);
        assert!(
            stderr.starts_with("error: ") && stderr.contains(says),
            "{stderr}"
        );
        assert!(stderr.contains("\n  try: "), "{stderr}");
    }
}

#[test]
fn languages_and_contradictions_are_checked_before_anything_else() {
    for (from, to, code) in [
        ("xx", "en", 6),
        ("fr", "english", 6),
        ("auto:fr,qq", "en", 6),
        ("fr", "fr", 2),
        ("fr", "en,en", 2),
    ] {
        let output = run(&["file", "absent.wav", "--from", from, "--to", to]);
        assert_exit(&output, code);
    }
    assert_exit(&run(&["file"]), 2);
    assert_exit(&run(&["languages", "--server", "ftp://x:1"]), 2);
}

#[test]
fn refusals_on_the_wire_each_have_their_code() {
    let dir = TempDir::new().unwrap();
    let input = write_wav(&dir.path().join("in.wav"), 100);
    for (reason, code) in [
        ("unknown-language", 6),
        ("no-model", 7),
        ("model-corrupt", 8),
        ("bad-config", 2),
        ("full", 11),
        ("shutting-down", 11),
        ("engine-failed", 12),
        ("bad-audio", 12),
    ] {
        let mut status = Status::unknown("so says the daemon");
        status
            .metadata_mut()
            .insert("interpret-reason", reason.parse().unwrap());
        let server = Server::start(vec![Step::Fail(status)]);
        let output = run(&arguments(&input, &server.address(), &[]));
        let stderr = assert_exit(&output, code);
        assert!(
            stderr.contains("error: so says the daemon"),
            "{reason}: {stderr}"
        );
    }
    let output = run(&arguments(&input, "127.0.0.1:1", &[]));
    let stderr = assert_exit(&output, 10);
    assert!(
        stderr.contains("http://127.0.0.1:1/") && stderr.contains("because:"),
        "{stderr}"
    );
}

#[test]
fn a_file_cut_short_is_interpreted_as_far_as_it_goes() {
    let dir = TempDir::new().unwrap();
    let input = write_wav(&dir.path().join("in.wav"), 1000);
    let bytes = fs::read(&input).unwrap();
    fs::write(&input, &bytes[..bytes.len() / 2]).unwrap();
    let captions = dir.path().join("out.vtt");
    let server = Server::start(good_session());
    let more = ["--captions", captions.to_str().unwrap()];
    let output = run(&arguments(&input, &server.address(), &more));
    let stderr = assert_exit(&output, 4);
    assert!(stderr.contains("holds 0.5 s of the 1.0 s"), "{stderr}");
    assert!(fs::read_to_string(captions).unwrap().contains("Hello"));
    assert!(
        server.log.lock().unwrap().half_closed,
        "the daemon was told the end"
    );
}

#[test]
fn a_session_that_breaks_leaves_whole_files_of_what_came_before() {
    let before = || {
        vec![
            started(&["en"]),
            translated("en", 1, "Un.", " One."),
            spoken("en", 0, "One.", 5),
        ]
    };
    let breaks = [
        vec![Step::AwaitAudio(1), Step::Vanish],
        vec![Step::Fail(Status::internal("the recogniser died"))],
        vec![spoken("en", 7, "out of order", 1)],
        vec![Step::AwaitEnd],
        vec![ended(EndReason::Shutdown)],
    ];
    for (index, end) in breaks.into_iter().enumerate() {
        let dir = TempDir::new().unwrap();
        let input = write_wav(&dir.path().join("in.wav"), 200);
        let outputs = outputs(dir.path());
        let server = Server::start([before(), end].concat());
        let output = run(&arguments(&input, &server.address(), &written_to(&outputs)));
        let [wav, vtt, jsonl] = outputs;
        assert_exit(&output, 12);
        let samples = hound::WavReader::open(&wav).unwrap().len();
        assert_eq!(
            samples,
            1600 + 800,
            "break {index}: 200 ms of silence, then 100 ms of speech"
        );
        assert!(
            fs::read_to_string(&vtt).unwrap().contains("One."),
            "break {index}"
        );
        assert!(
            fs::read_to_string(&jsonl).unwrap().lines().count() >= 3,
            "break {index}"
        );
        assert_eq!(
            fs::read_dir(dir.path()).unwrap().count(),
            4,
            "no parts are left"
        );
    }
}

#[test]
fn a_full_disk_is_told_and_does_not_cost_the_other_files() {
    let dir = TempDir::new().unwrap();
    let input = write_wav(&dir.path().join("in.wav"), 100);
    let vtt = dir.path().join("o.vtt");
    let server = Server::start(good_session());
    let more = ["--captions", vtt.to_str().unwrap(), "--events", "/dev/full"];
    let output = run(&arguments(&input, &server.address(), &more));
    let stderr = assert_exit(&output, 13);
    assert!(
        stderr.contains("cannot write /dev/full") && stderr.contains("free some space"),
        "{stderr}"
    );
    assert!(fs::read_to_string(vtt).unwrap().contains("End."));
}

#[test]
fn an_output_that_cannot_be_made_is_found_before_the_work() {
    let dir = TempDir::new().unwrap();
    let input = write_wav(&dir.path().join("in.wav"), 100);
    let nowhere = dir.path().join("no/such/folder/o.vtt");
    let more = ["--captions", nowhere.to_str().unwrap()];
    assert_exit(&run(&arguments(&input, "127.0.0.1:1", &more)), 13);
    let more = ["--output", input.to_str().unwrap()];
    let stderr = assert_exit(&run(&arguments(&input, "127.0.0.1:1", &more)), 2);
    assert!(stderr.contains("named twice"), "{stderr}");
}

#[test]
fn ctrl_c_finishes_what_was_heard_and_completes_the_files() {
    let dir = TempDir::new().unwrap();
    // Longer than the test will run: at the speed of speech.
    let input = write_wav(&dir.path().join("in.wav"), 600_000);
    let wav = dir.path().join("o.wav");
    let server = Server::start(vec![
        started(&["en"]),
        Step::AwaitAudio(3),
        heard(" Un."),
        translated("en", 1, "Un.", " One."),
        Step::AwaitEnd,
        translated("en", 2, "Deux.", " Two."),
        spoken("en", 0, "Two.", 5),
        ended(EndReason::Finished),
    ]);
    let mut child = interpret()
        .args([
            "file",
            input.to_str().unwrap(),
            "--from",
            "fr",
            "--to",
            "en",
        ])
        .args(["--server", &server.address(), "-o", wav.to_str().unwrap()])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    assert!(
        lines.next().unwrap().unwrap().contains("Un."),
        "the session runs"
    );
    let kill = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    assert!(kill.unwrap().success());
    let rest: Vec<String> = lines.map(Result::unwrap).collect();
    assert!(rest.iter().any(|line| line.contains("Two.")), "{rest:?}");
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(hound::WavReader::open(wav).unwrap().len() >= 800);
    assert!(server.log.lock().unwrap().half_closed);
}

#[test]
fn a_daemon_that_never_answers_ctrl_c_is_given_up_on_at_the_second() {
    let dir = TempDir::new().unwrap();
    let input = write_wav(&dir.path().join("in.wav"), 600_000);
    let server = Server::start(vec![
        started(&["en"]),
        translated("en", 1, "Un.", " One."),
        Step::Hang,
    ]);
    let mut child = interpret()
        .args(arguments(&input, &server.address(), &[]))
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut kill_after = |word: &str| {
        while !lines.next().unwrap().unwrap().contains(word) {}
        let kill = std::process::Command::new("kill")
            .args(["-INT", &child.id().to_string()])
            .status();
        assert!(kill.unwrap().success());
    };
    kill_after("One.");
    kill_after("finishing");
    assert_eq!(child.wait().unwrap().code(), Some(130));
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let server = Server::start(Vec::new());
    for command in ["languages", "voices"] {
        let mut child = interpret()
            .args([command, "--server", &server.address()])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        drop(child.stdout.take());
        assert_eq!(child.wait().unwrap().code(), Some(0));
        let mut stderr = String::new();
        child
            .stderr
            .take()
            .unwrap()
            .read_to_string(&mut stderr)
            .unwrap();
        assert_eq!(stderr, "");
    }
}
