//! A call between two recordings, as telephones would send it: `cargo run --example call -- fr.flac fr
//! en.flac en`. Writes what each side hears to ear0.wav and ear1.wav.

use std::time::Duration;

use anyhow::{Context as _, Result};
use interpret::{
    audio::AudioFile,
    call::{Call, Event, Leg},
    connect::connect,
};
use interpretd::audio::{Encoding, Format, Resampler};

/// Samples a second, and of a frame of 20 ms.
const RATE: u32 = 8_000;
const FRAME: usize = 160;
const MULAW: Format = Format {
    encoding: Encoding::Mulaw,
    sample_rate_hz: RATE,
    channels: 1,
};

/// A recording as a telephone sends it.
fn telephone(path: &str) -> Result<Vec<u8>> {
    let mut resampler = Resampler::new(16_000, RATE)?;
    let mut samples = Vec::new();
    for piece in AudioFile::open(path)? {
        samples.extend(resampler.push(&piece?)?);
    }
    samples.extend(resampler.finish()?);
    Ok(MULAW.encode(&samples))
}

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [first, from, second, to] = &arguments[..] else {
        anyhow::bail!("give a sound file and its language, twice");
    };
    let mut said = [telephone(first)?, telephone(second)?];
    // The second speaker waits for the first; then both wait for what is still to be heard.
    let silence = MULAW.encode(&[0.0])[0];
    let wait = vec![silence; said[0].len() + 5 * RATE as usize];
    said[1].splice(0..0, wait);
    let longest = said[1].len() + 5 * RATE as usize;
    said.iter_mut()
        .for_each(|said| said.resize(longest, silence));

    let connection = connect(&"localhost:50551".parse()?).await?;
    let legs = [Leg::telephone(from.parse()?), Leg::telephone(to.parse()?)];
    let mut call = Call::open(&connection, legs).await?;
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: RATE,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut ears = [
        hound::WavWriter::create("ear0.wav", spec)?,
        hound::WavWriter::create("ear1.wav", spec)?,
    ];
    let mut clock = tokio::time::interval(Duration::from_millis(20));
    let frames = longest.div_ceil(FRAME);
    let mut sent = 0;
    loop {
        tokio::select! {
            _ = clock.tick(), if sent < frames => {
                for (leg, said) in said.iter().enumerate() {
                    let frame = said.chunks(FRAME).nth(sent).context("a frame")?;
                    call.send(leg, frame.to_vec()).await?;
                }
                sent += 1;
                if sent == frames {
                    call.finish();
                }
            }
            event = call.next() => match event? {
                Some(Event::Audio(audio)) => {
                    let ear = &mut ears[usize::from(audio.leg != 0)];
                    for sample in MULAW.decode(&audio.data)? {
                        ear.write_sample((sample * 32_767.0) as i16)?;
                    }
                }
                Some(_) => {}
                None => break,
            },
        }
    }
    for ear in ears {
        ear.finalize()?;
    }
    Ok(())
}
