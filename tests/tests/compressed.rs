//! Sound that travels compressed is understood, and heard, as well as sound that does not.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use anyhow::Result;
use interpret::{
    audio::{AudioFile, Pace},
    connect::connect,
    session::{Codec, Config, Event, Session, Source, Target},
};
use interpret_tests::{
    daemon_process::DaemonProcess, ears, scores::word_errors, speech::recording,
};

/// What a session understood, what it said, and how that sounds.
struct Outcome {
    source: String,
    translation: String,
    heard: String,
}

async fn interpret(daemon: &DaemonProcess, codec: Codec, name: &str) -> Result<Outcome> {
    let endpoint = format!("unix:{}", daemon.socket().display()).parse()?;
    let config = Config::new(Source::Language("fr".parse()?))
        .target(Target::new("en".parse()?))
        .codec(codec);
    let audio = AudioFile::open(recording(name)?.path)?.into_stream();
    let mut session = Session::open(connect(&endpoint).await?, config, audio, Pace::Fast).await?;
    let (mut source, mut translation) = (String::new(), String::new());
    let mut samples = Vec::new();
    while let Some(received) = session.next().await? {
        match received.event {
            Event::SourceText(text) => source.push_str(&text.committed),
            Event::TranslatedText(text) => translation.push_str(&text.committed),
            Event::TranslatedAudio(audio) => {
                let linear = audio.data.as_chunks::<2>().0.iter();
                samples.extend(linear.map(|b| f32::from(i16::from_le_bytes(*b)) / 32_768.0));
            }
            _ => {}
        }
    }
    let mut resampled = Vec::new();
    let mut resampler = interpret::audio::Resampler::new(24_000)?;
    resampler.push(&samples, &mut resampled)?;
    resampler.finish(&mut resampled)?;
    Ok(Outcome {
        source,
        translation,
        heard: ears::listen(&resampled, "en")?,
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn opus_costs_neither_words_nor_ears() -> Result<()> {
    const NAME: &str = "docs-a-fr";
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let mut errors = Vec::new();
    for codec in [Codec::Pcm, Codec::Opus] {
        let outcome = interpret(&daemon, codec, NAME).await?;
        let recognised = word_errors(&outcome.source, &recording(NAME)?.transcript).percent();
        let heard = word_errors(&outcome.heard, &outcome.translation).percent();
        println!("{codec:?}: recognised with {recognised:.1} % errors, heard with {heard:.1} %");
        errors.push((recognised, heard));
    }
    assert!(errors[1].0 <= errors[0].0 + 5.0, "{errors:?}");
    assert!(errors[1].1 <= errors[0].1 + 5.0, "{errors:?}");
    Ok(())
}
