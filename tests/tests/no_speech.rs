//! Ten minutes each of what is not speech give no text, in the mode that commits soonest.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::time::Duration;

use interpret_tests::{noises::Noise, pipeline};
use interpretd::{Config, Daemon, engines::Engines, pipeline::Event};
use tokio::runtime::Runtime;

const SECONDS: usize = 600;

/// The text that is committed of a recording.
async fn committed(engines: &Engines, samples: &[f32], language: &str) -> String {
    let spec = pipeline::spec(language, None).unwrap();
    let pieces = samples.chunks(3_200).map(|piece| (Duration::ZERO, piece));
    let events = pipeline::run(engines, &spec, pieces, 64).await.unwrap();
    let committed = events.into_iter().filter_map(|event| match event {
        Event::SourceText { committed, .. } => Some(committed),
        _ => None,
    });
    committed.collect()
}

#[test]
fn noise_music_breath_and_keys_give_no_text() {
    let runtime = Runtime::new().unwrap();
    let daemon = Daemon::new(Config::default());
    runtime.block_on(daemon.load_models()).unwrap();
    let engines = daemon.engines().unwrap();
    let heard: Vec<(Noise, String)> = Noise::ALL
        .into_iter()
        .map(|noise| {
            let samples = noise.samples(SECONDS);
            let text = runtime.block_on(committed(engines, &samples, "fr"));
            (noise, text)
        })
        .filter(|(_, text)| !text.trim().is_empty())
        .collect();
    assert!(heard.is_empty(), "{heard:#?}");
}
