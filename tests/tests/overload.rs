//! Another program takes the cores in mid-session: the governor acts, tells of it, loses nothing
//! silently, and comes back by itself.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing, and what it measured when asked"
)]

use std::{
    process::{Child, Command},
    time::Duration,
};

use anyhow::Result;
use interpret_proto::v1::{
    Mode, NoticeKind, Pace, SessionConfig, interpret_request::Request, interpret_response::Response,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    speech::recording,
    stream::{Stream, chunks, config},
};
use tokio::time::{Instant, sleep_until};

/// Samples of a message: 100 ms.
const CHUNK: usize = 1_600;
/// Second of the recording at which the load begins, and the one at which it ends.
const LOADED: (u64, u64) = (10, 40);

/// Programs that want all cores twice over, until this is dropped.
struct Load(Vec<Child>);

impl Load {
    fn begin() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let busy = || {
            Command::new("sh")
                .args(["-c", "while :; do :; done"])
                .spawn()
        };
        Self((0..2 * cores).map(|_| busy().unwrap()).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_governor_acts_under_load_and_comes_back() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "en-fr", "--admin", "127.0.0.1:0"]).await?;
    let mut client = daemon.client().await?;
    let mut samples = recording("docs-c-en")?.samples()?;
    samples.extend(recording("docs-b-en")?.samples()?);
    samples.extend(recording("docs-a-en")?.samples()?);
    let begin = Request::Config(SessionConfig {
        mode: Mode::LowLatency.into(),
        ..config("en", "fr")
    });
    let Stream {
        requests,
        mut responses,
    } = Stream::open(&mut client, begin).await?;
    let started = Instant::now();
    let feed = async move {
        let mut load = None;
        for (index, chunk) in (0_u64..).zip(chunks(&samples, CHUNK)) {
            sleep_until(started + Duration::from_millis(100 * index)).await;
            if index == LOADED.0 * 10 {
                load = Some(Load::begin());
            } else if index == LOADED.1 * 10 {
                load = None;
            }
            let message = interpret_proto::v1::InterpretRequest {
                request: Some(chunk),
            };
            requests.send(message).await.unwrap();
        }
        drop(load);
    };
    let listen = async {
        let mut all = Vec::new();
        while let Some(message) = responses.message().await? {
            all.extend(
                message
                    .response
                    .map(|response| (started.elapsed(), response)),
            );
        }
        Ok::<_, tonic::Status>(all)
    };
    let ((), all) = tokio::join!(feed, listen);
    let all = all?;

    let mut notices = 0;
    let (mut committed, mut said) = (String::new(), String::new());
    let mut paces: Vec<(Duration, &Pace)> = Vec::new();
    for (at, response) in &all {
        match response {
            Response::TranslatedText(text) => committed.push_str(&text.committed),
            Response::TranslatedAudio(audio) => said.push_str(&audio.text),
            Response::Notice(notice) => {
                notices += 1;
                println!("{:5.1} s: {}", at.as_secs_f64(), notice.message);
                let skipped = notice.kind() == NoticeKind::SpeechSkipped;
                assert!(skipped, "something was lost: {}", notice.message);
                said.push_str(&notice.text);
            }
            Response::Pace(pace) => {
                println!("{:5.1} s: {pace:?}", at.as_secs_f64());
                paces.push((*at, pace));
            }
            _ => {}
        }
    }
    assert!(!committed.is_empty());
    assert_eq!(said.trim(), committed.trim(), "spoken and skipped");

    let steps = |from: u64, to: u64| {
        let within = Duration::from_secs(from)..Duration::from_secs(to);
        paces
            .iter()
            .filter(move |(at, pace)| within.contains(at) && pace.recognition_step_ms > 0)
            .map(|(_, pace)| pace.recognition_step_ms)
            .collect::<Vec<u32>>()
    };
    let longest = steps(LOADED.0, LOADED.1 + 5).into_iter().max();
    let longest = longest.expect("no longer steps although others had the cores");
    let last = steps(0, u64::MAX / 2).last().copied();
    assert!(
        last.is_some_and(|last| last < longest),
        "{last:?}, {longest}"
    );
    let speech = paces.iter().rev().find(|(_, pace)| pace.speech_rate > 0.0);
    assert!(
        speech.is_none_or(|(_, pace)| !pace.captions_only),
        "the voice did not come back"
    );

    // Every action is counted, too.
    let (_, metrics) = daemon.admin("/metrics").await?;
    let sum = |name: &str| -> f64 {
        let lines = metrics.lines().filter(|line| line.starts_with(name));
        lines
            .filter_map(|line| line.rsplit(' ').next()?.parse::<f64>().ok())
            .sum()
    };
    assert_eq!(sum("interpretd_pace_changes_total{"), paces.len() as f64);
    assert_eq!(sum("interpretd_notices_total{"), f64::from(notices));
    Ok(())
}
