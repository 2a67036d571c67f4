//! A pipeline of the daemon, run in this process.

use std::time::Duration;

use anyhow::{Context as _, Result};
use interpret_models::language::UnknownLanguage;
use interpretd::{
    Config,
    engines::Engines,
    pipeline::{Event, Input, Mode, Pipeline, PipelineSpec, TargetSpec},
};
use tokio::sync::mpsc;

/// What a pipeline in `low-latency` is to do: interpret from one language, into none or into another
/// with a voice.
///
/// # Errors
/// When a language code is unknown.
pub fn spec(
    from: &str,
    to: Option<(&str, &str)>,
) -> std::result::Result<PipelineSpec, UnknownLanguage> {
    let target = |(language, voice): (&str, &str)| {
        Ok::<_, UnknownLanguage>(TargetSpec {
            language: language.parse()?,
            voice: Some(voice.to_owned()),
            speed_percent: 100,
            glossary: None,
        })
    };
    Ok(PipelineSpec {
        sources: vec![from.parse()?],
        targets: to.map(target).transpose()?.into_iter().collect(),
        endpoint: Config::default().sessions.endpoint(),
        mode: Mode::LowLatency,
        live: false,
        hot_words: String::new(),
    })
}

/// The source text that is committed of a recording, heard as fast as it goes.
///
/// # Errors
/// When the language code is unknown, or as [`run`].
pub async fn committed(engines: &Engines, samples: &[f32], language: &str) -> Result<String> {
    let spec = spec(language, None)?;
    let pieces = samples.chunks(3_200).map(|piece| (Duration::ZERO, piece));
    let events = run(engines, &spec, pieces, 64).await?;
    let text = events.into_iter().filter_map(|event| match event {
        Event::SourceText { committed, .. } => Some(committed),
        _ => None,
    });
    Ok(text.collect())
}

/// Everything that a pipeline says of `pieces` of audio, each of which comes after a delay, to a
/// listener that holds at most `capacity` events unread.
///
/// # Errors
/// When the pipeline hangs up before it has heard all, or a stage panics.
pub async fn run<'a>(
    engines: &Engines,
    spec: &PipelineSpec,
    pieces: impl IntoIterator<Item = (Duration, &'a [f32])>,
    capacity: usize,
) -> Result<Vec<Event>> {
    let (sender, mut events) = mpsc::channel(capacity);
    let (input, pipeline) = Pipeline::start(engines, spec, &sender);
    drop(sender);
    let feed = async move {
        for (delay, piece) in pieces {
            if !delay.is_zero() {
                tokio::time::sleep(delay).await;
            }
            let heard = input.send(Input::Audio(piece.to_vec())).await;
            heard.context("the pipeline has hung up")?;
        }
        Ok(())
    };
    let listen = async {
        let mut all = Vec::new();
        while let Some(event) = events.recv().await {
            all.push(event);
        }
        all
    };
    let (fed, all): (Result<()>, _) = tokio::join!(feed, listen);
    pipeline.finished().await?;
    fed.map(|()| all)
}
