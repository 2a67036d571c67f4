//! Ten minutes each of what is not speech give no text, in the mode that commits soonest.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use interpret_tests::noises::Noise;
use interpretd::{
    Config, Daemon,
    engines::Engines,
    pipeline::{Event, Input, Mode, Pipeline, PipelineSpec, TargetSpec},
};
use tokio::{runtime::Runtime, sync::mpsc};

const SECONDS: usize = 600;

/// The text that is committed of a recording.
async fn committed(engines: &Engines, samples: &[f32], language: &str) -> String {
    let spec = PipelineSpec {
        sources: vec![language.parse().unwrap()],
        targets: Vec::<TargetSpec>::new(),
        endpoint: Config::default().sessions.endpoint(),
        mode: Mode::LowLatency,
        live: false,
    };
    let (sender, mut events) = mpsc::channel(64);
    let (input, pipeline) = Pipeline::start(engines, &spec, &sender);
    drop(sender);
    let feed = async move {
        for piece in samples.chunks(3_200) {
            input.send(Input::Audio(piece.to_vec())).await.unwrap();
        }
    };
    let listen = async {
        let mut text = String::new();
        while let Some(event) = events.recv().await {
            if let Event::SourceText { committed, .. } = event {
                text.push_str(&committed);
            }
        }
        text
    };
    let ((), text) = tokio::join!(feed, listen);
    pipeline.finished().await;
    text
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
