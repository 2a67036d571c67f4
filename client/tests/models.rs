//! `interpret models` as a separate process: interrupted, resumed, verified, removed.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::mpsc::{Receiver, SyncSender, sync_channel},
    thread,
};

/// 200,000 bytes of "abcd" over and over.
const SIZE: usize = 200_000;
const SHA256: &str = "4425f931d93fdd83c5e4420c842dd6a3df988ef056c126a3e3ab71be207df94b";

fn content() -> Vec<u8> {
    b"abcd".repeat(SIZE / 4)
}

/// A hub with one file. Its first body stops in the middle, without an end, until the other side
/// hangs up; a message tells when it got there. Later ones are whole.
struct Hub {
    address: String,
    stuck: Receiver<()>,
    ranges: Receiver<String>,
}

fn hub() -> Hub {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let ((is_stuck, stuck), (range, ranges)) = (sync_channel(1), sync_channel(9));
    thread::spawn(move || {
        let mut first = true;
        for stream in listener.incoming().flatten() {
            while let Some(request) = request(&stream) {
                answer(&stream, &request, &mut first, &is_stuck, &range);
            }
        }
    });
    Hub {
        address,
        stuck,
        ranges,
    }
}

/// The lines of a request, in lower case; None at the end of the connection.
fn request(stream: &TcpStream) -> Option<Vec<String>> {
    let lines = BufReader::new(stream).lines().map_while(Result::ok);
    let lines: Vec<String> = lines
        .take_while(|line| !line.is_empty())
        .map(|line| line.to_ascii_lowercase())
        .collect();
    (!lines.is_empty()).then_some(lines)
}

fn answer(
    mut stream: &TcpStream,
    request: &[String],
    first: &mut bool,
    is_stuck: &SyncSender<()>,
    range: &SyncSender<String>,
) {
    if request[0].starts_with("head") {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
        return;
    }
    let asked = request
        .iter()
        .find_map(|line| line.strip_prefix("range: bytes="));
    let from: usize = asked.map_or(0, |from| from.trim_end_matches('-').parse().unwrap());
    let body = &content()[from..];
    let status = match asked {
        None => "200 OK".to_owned(),
        Some(asked) => {
            range.send(asked.to_owned()).unwrap();
            format!(
                "206 Partial Content\r\ncontent-range: bytes {from}-{}/{SIZE}",
                SIZE - 1
            )
        }
    };
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    if std::mem::take(first) {
        stream.write_all(&body[..SIZE / 2]).unwrap();
        is_stuck.send(()).unwrap();
        // Until the client is gone.
        let _ = stream.read(&mut [0]);
    } else {
        let _ = stream.write_all(body);
    }
}

struct Place {
    folder: tempfile::TempDir,
    hub: String,
}

impl Place {
    fn new(hub: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(
            folder.path().join("own.toml"),
            format!(
                "[[model]]\nname = 'my-model'\nkind = 'detection'\nlicence = 'MIT'\n\
                 attribution = 'us'\n[[model.file]]\nrole = 'weights'\npath = 'a.bin'\n\
                 size = {SIZE}\nsha256 = '{SHA256}'\nsources = ['hf:o/r/a.bin']\n"
            ),
        )
        .unwrap();
        Self {
            folder,
            hub: hub.to_owned(),
        }
    }

    fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_interpret"));
        command
            .arg("models")
            .args(arguments)
            .env("INTERPRETD_CACHE_DIR", self.cache())
            .env("INTERPRETD_CATALOGUE", self.folder.path().join("own.toml"))
            .env("HF_ENDPOINT", &self.hub)
            .env_remove("INTERPRETD_MIRROR")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().unwrap()
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn files_below(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let paths = entries.map(|entry| entry.path());
    paths
        .flat_map(|path| match path.is_dir() {
            true => files_below(&path),
            false => vec![path],
        })
        .collect()
}

#[test]
fn ctrl_c_keeps_what_was_downloaded_and_the_next_run_goes_on() {
    let hub = hub();
    let place = Place::new(&hub.address);
    let child = place.command(&["fetch", "my-model"]).spawn().unwrap();
    hub.stuck.recv().unwrap();
    let kept = || -> u64 {
        let parts = files_below(&place.cache().join("downloads"));
        parts
            .iter()
            .map(|part| part.metadata().unwrap().len())
            .sum()
    };
    while kept() < SIZE as u64 / 2 {
        thread::yield_now();
    }
    let interrupt = ["-INT", &child.id().to_string()];
    assert!(
        Command::new("kill")
            .args(interrupt)
            .status()
            .unwrap()
            .success()
    );
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    assert!(
        text(&output.stderr).contains("run the command again"),
        "{}",
        text(&output.stderr)
    );
    assert!(files_below(&place.cache().join("models")).is_empty());

    let output = place.run(&["fetch", "my-model"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    assert_eq!(hub.ranges.recv().unwrap(), format!("{}-", SIZE / 2));
    let file = place.run(&["path", "my-model", "--role", "weights"]);
    let file = text(&file.stdout).trim().to_owned();
    assert_eq!(std::fs::read(file).unwrap(), content());
}

#[test]
fn a_model_is_listed_verified_and_removed() {
    let hub = hub();
    let place = Place::new(&hub.address);
    let file = place.cache().join("models/my-model/a.bin");
    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
    std::fs::write(&file, content()).unwrap();

    let list = text(&place.run(&["list"]).stdout);
    let line = |name: &str| {
        list.lines()
            .find(|line| line.starts_with(name))
            .unwrap()
            .to_owned()
    };
    assert!(line("my-model ").contains("installed"), "{list}");
    assert!(line("opus-mt-fr-en*").contains("fr-en"), "{list}");
    assert!(line("kokoro-82m*").contains("Apache-2.0"), "{list}");

    let verify = place.run(&["verify", "my-model"]);
    assert!(verify.status.success(), "{}", text(&verify.stderr));
    let mut wrong = content();
    wrong[1] = b'!';
    std::fs::write(&file, wrong).unwrap();
    let verify = place.run(&["verify"]);
    assert!(!verify.status.success());
    assert!(
        text(&verify.stdout).contains("SHA-256"),
        "{}",
        text(&verify.stdout)
    );

    assert!(place.run(&["remove", "my-model"]).status.success());
    assert!(!file.exists());
    let again = place.run(&["remove", "my-model"]);
    assert!(text(&again.stdout).contains("was not installed"));
    let path = place.run(&["path", "my-model"]);
    assert!(text(&path.stderr).contains("interpret models fetch my-model"));
}

#[test]
fn a_name_that_is_not_known_is_answered_with_the_nearest() {
    let place = Place::new("http://127.0.0.1:1");
    let output = place.run(&["fetch", "whisper-bas"]);
    assert!(!output.status.success());
    assert!(text(&output.stderr).contains("did you mean 'whisper-base'?"));
}
