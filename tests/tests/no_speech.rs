//! Ten minutes each of what is not speech give no text, in the mode that commits soonest.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::time::Duration;

use anyhow::Result;
use interpret_tests::{
    noises::Noise,
    pipeline,
    speech::recording,
    telephone::{mulaw, narrow_band},
};
use interpretd::{Config, Daemon, audio::Resampler, pipeline::Event};
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

/// Telephone lines are never silent, and their noise must not be taken for somebody who goes on speaking.
#[tokio::test(flavor = "multi_thread")]
async fn an_utterance_ends_on_a_noisy_telephone_line() -> Result<()> {
    let daemon = Daemon::new(Config::default());
    daemon.load_models().await?;
    let engines = daemon.engines().unwrap();
    let speech = recording("jfk-en")?.samples()?;
    let spoken_ms = speech.len() as u64 / 16;
    for (noise, loud) in [
        (Noise::Silence, 1.0),
        (Noise::White, 0.1),
        (Noise::Brown, 0.2),
        (Noise::Hum, 0.2),
    ] {
        let line = noise.samples(40).into_iter().map(|sample| sample * loud);
        let speech = speech.iter().copied().chain(std::iter::repeat(0.0));
        let heard: Vec<f32> = line
            .zip(speech)
            .map(|(line, speech)| line + speech)
            .collect();
        let coded = mulaw();
        let narrow = coded.decode(&coded.encode(&narrow_band(&heard)?))?;
        let mut wide = Resampler::new(8_000, 16_000)?;
        let heard = wide.push(&narrow)?;
        let pieces = heard.chunks(3_200).map(|piece| (Duration::ZERO, piece));
        let spec = pipeline::spec("en", None)?;
        let events = pipeline::run(engines, &spec, pieces, 64).await?;
        let mut text = String::new();
        let (mut began, mut ended) = (0, 0);
        for event in events {
            match event {
                Event::SpeechStarted { .. } => began += 1,
                Event::SpeechEnded { at_ms, cut, .. } => {
                    ended += usize::from(!cut);
                    assert!(at_ms < spoken_ms + 2_000, "{noise:?}: at {at_ms} ms");
                }
                Event::SourceText { committed, .. } => text.push_str(&committed),
                _ => {}
            }
        }
        assert!(ended > 0 && ended <= began, "{noise:?}: {began}, {ended}");
        assert!(text.to_lowercase().contains("country"), "{noise:?}: {text}");
    }
    Ok(())
}
