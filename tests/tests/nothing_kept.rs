//! Nothing that is said is kept: neither audio nor text reaches a disk or a log, at any log level. The
//! system itself is asked: every file that the daemon opens, and every byte that it writes somewhere, is
//! traced.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{collections::BTreeSet, fs};

use anyhow::Result;
use interpret_proto::v1::{
    CallConfig, GlossaryTerm, SessionConfig, interpret_request::Request,
    interpret_response::Response,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    stream::{Stream, chunks, config},
    telephone::{RATE, call, leg, narrow_band},
};

/// System calls that open files, and that write.
const TRACED: &str = "trace=open,openat,openat2,creat,write,pwrite64,writev,pwritev,pwritev2,\
                      sendfile,copy_file_range,splice,mmap,rename,renameat,renameat2,link,linkat";

/// Words that only speech could have brought: long ones.
fn telling(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphabetic())
        .filter(|word| word.chars().count() >= 7)
        .map(str::to_lowercase)
        .collect()
}

/// What a line of the trace does to a file; none: nothing that could keep anything.
fn kept(line: &str, log: &str) -> Option<String> {
    // "123 write(5</path>, ..." with threads' numbers before.
    let call = line
        .split_once(' ')
        .map_or(line, |(_, call)| call)
        .trim_start();
    let (name, arguments) = call.split_once('(')?;
    let harmless = |path: &str| {
        path == log
            || path.starts_with("/dev/null")
            // espeak-ng answers over a terminal of its own.
            || path.starts_with("/dev/pts/")
            || path.starts_with("/dev/ptmx")
            || path.starts_with("/proc/")
            || ["socket:", "pipe:", "anon_inode:", "UNIX", "TCP"]
                .iter()
                .any(|kind| path.starts_with(kind))
    };
    match name {
        "open" | "openat" | "openat2" => {
            let writes = ["O_WRONLY", "O_RDWR", "O_CREAT"]
                .iter()
                .any(|flag| arguments.contains(flag));
            let path = arguments.split('"').nth(1).unwrap_or_default();
            (writes && !harmless(path)).then(|| line.to_owned())
        }
        "mmap" => {
            let shared = arguments.contains("MAP_SHARED") && arguments.contains("PROT_WRITE");
            let memory = ["MAP_ANONYMOUS", "</memfd:"]
                .iter()
                .any(|kind| arguments.contains(kind));
            (shared && !memory).then(|| line.to_owned())
        }
        "creat" | "rename" | "renameat" | "renameat2" | "link" | "linkat" => Some(line.to_owned()),
        _ => {
            let path = arguments
                .split_once('<')
                .and_then(|(_, rest)| rest.split_once('>'));
            match path {
                Some((path, _)) if harmless(path) => None,
                _ => Some(line.to_owned()),
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_audio_nor_text_reaches_a_disk_or_the_log() -> Result<()> {
    let folder = tempfile::TempDir::new()?;
    let trace = folder.path().join("trace");
    let strace = [
        "strace",
        "-f",
        "-y",
        "-qq",
        "--seccomp-bpf",
        "-s",
        "0",
        "-e",
        TRACED,
        "-o",
    ];
    let mut wrapper: Vec<String> = strace.map(str::to_owned).to_vec();
    wrapper.push(trace.display().to_string());
    // Ends with the tracer.
    wrapper.extend(["setpriv", "--pdeathsig", "KILL"].map(str::to_owned));
    let flags = ["--log-level", "trace", "--preload", "fr-en,en-fr"];
    let daemon = DaemonProcess::ready_under(&wrapper, &flags).await?;
    let begun = fs::read_to_string(&trace)?.lines().count();

    let mut client = daemon.client().await?;
    let (french, english) = (recording("read-cheetah-fr")?, recording("jfk-en")?);
    let mut said = String::new();
    // A session with everything that holds text, and a call.
    let opening = SessionConfig {
        room: "hall".to_owned(),
        resumable: true,
        hot_words: vec!["Guépardissime".to_owned()],
        glossary: vec![GlossaryTerm {
            source: "guépard".to_owned(),
            target: "cheetahhhhh".to_owned(),
            language: String::new(),
        }],
        ..config("fr", "en")
    };
    let stream = Stream::open(&mut client, Request::Config(opening)).await?;
    for response in stream.finish(chunks(&french.samples()?, 1_600)).await? {
        match response {
            Response::SourceText(text) => said.push_str(&text.committed),
            Response::TranslatedText(text) => said.push_str(&text.committed),
            _ => {}
        }
    }
    let legs = CallConfig {
        legs: vec![leg("fr"), leg("en")],
        ..CallConfig::default()
    };
    let mut answer = narrow_band(&english.samples()?)?;
    answer.resize(answer.len() + 3 * RATE, 0.0);
    let silence = vec![0.0; answer.len()];
    let called = call(&mut client, legs, [silence, answer], [None, None]).await?;
    said += " ";
    said += &called.said(1);

    let words = telling(&format!("{said} Guépardissime cheetahhhhh"));
    assert!(words.len() > 5, "{words:?}");
    let log = daemon.log();
    assert!(log.contains("interpretd::audit"), "the log is there");
    let lower = log.to_lowercase();
    // Names of languages and models are in the log, and may be said, too.
    let found: Vec<&String> = words
        .iter()
        .filter(|word| lower.contains(word.as_str()))
        .collect();
    assert!(found.is_empty(), "the log holds {found:?}");

    let traced = fs::read_to_string(&trace)?;
    assert!(traced.lines().count() > begun + 100, "the trace is empty");
    let log_path = daemon.log_path().display().to_string();
    let kept: Vec<String> = traced
        .lines()
        .skip(begun)
        .filter(|line| !line.contains("resumed>") && !line.contains("+++") && !line.contains("---"))
        .filter_map(|line| kept(line, &log_path))
        .collect();
    assert!(
        kept.is_empty(),
        "{} writes: {:#?}",
        kept.len(),
        &kept[..kept.len().min(20)]
    );
    Ok(())
}
