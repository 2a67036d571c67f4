//! Ten minutes each of what is not speech give no text, in the mode that commits soonest.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use interpret_tests::{noises::Noise, pipeline};
use interpretd::{Config, Daemon};
use tokio::runtime::Runtime;

const SECONDS: usize = 600;

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
            let text = runtime
                .block_on(pipeline::committed(engines, &samples, "fr"))
                .unwrap();
            (noise, text)
        })
        .filter(|(_, text)| !text.trim().is_empty())
        .collect();
    assert!(heard.is_empty(), "{heard:#?}");
}
