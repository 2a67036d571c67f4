//! What it costs to speak text phrase by phrase, as streaming does, and whether it can be
//! understood. `docs/streaming.md` says what came out.
//!
//! `synthesis_phrases TEXT_FILE VOICE [setting=value]...` with `words` (in a phrase, 4), `lines` (of
//! the file, 20), `threads` (2), `speed` (1). Prints seconds of speech, time to compute by second of
//! speech, phrases that end in full voice (a sign of sound cut off), and the word error rate of
//! whisper-base listening to the phrases of a line with .15 s between them.

#![allow(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic
)]

use std::{collections::HashMap, path::Path, time::Instant};

use interpret_models::{
    recognition::recognize_whole,
    synthesis::{KokoroSynthesizer, SynthesisRequest, Synthesizer},
};
use support::{models, whisper, word_errors};

#[path = "../tests/support/mod.rs"]
mod support;

/// Samples a second the recogniser takes, and the voice gives.
const RATES: (usize, usize) = (16_000, 24_000);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let settings: HashMap<&str, &str> = arguments
        .iter()
        .filter_map(|argument| argument.split_once('='))
        .collect();
    let setting = |name: &str, otherwise: &'static str| -> f32 {
        let text = settings.get(name).copied().unwrap_or(otherwise);
        text.parse().expect("a number")
    };
    let [text, voice, ..] = arguments.as_slice() else {
        panic!("synthesis_phrases TEXT_FILE VOICE [setting=value]...");
    };
    let files = models::kokoro_files();
    let threads = setting("threads", "2") as usize;
    let mut kokoro = KokoroSynthesizer::load(&files, threads, Path::new("espeak-ng")).unwrap();
    kokoro.warm_up(voice).unwrap();
    let found = kokoro.voices().iter().find(|known| known.name == *voice);
    let language = found.expect("a known voice").language;
    let ears = whisper();

    let (mut spoken, mut cost, mut phrases, mut cut_off) = (0.0, 0.0, 0, 0);
    let (mut errors, mut words) = (0, 0);
    let text = std::fs::read_to_string(text).expect("a text file");
    for line in text.lines().take(setting("lines", "20") as usize) {
        let mut heard = Vec::new();
        let all: Vec<&str> = line.split_whitespace().collect();
        let mut parts = all.chunks(setting("words", "4") as usize).peekable();
        while let Some(part) = parts.next() {
            let request = SynthesisRequest {
                text: part.join(" "),
                voice: voice.clone(),
                speed: setting("speed", "1"),
                goes_on: parts.peek().is_some(),
            };
            let before = Instant::now();
            let samples = kokoro.synthesize(&request).unwrap().samples;
            cost += before.elapsed().as_secs_f64();
            spoken += samples.len() as f64 / RATES.1 as f64;
            phrases += 1;
            cut_off += usize::from(ends_in_voice(&samples));
            heard.extend(samples);
            heard.extend(vec![0.0; RATES.1 * 15 / 100]);
        }
        let heard = recognize_whole(&ears, &slower_rate(&heard), language, 2).unwrap();
        let (wrong, of) = word_errors(line, &heard);
        errors += wrong;
        words += of;
    }
    println!(
        "{voice}: {phrases} phrases, {spoken:.1} s of speech, {:.3} s each second, {cut_off} end in \
         full voice, WER {:.1} % ({errors}/{words})",
        cost / spoken,
        100.0 * errors as f64 / words as f64
    );
}

/// Whether the last 10 ms before the fade are as loud as a tenth of the loudest 10 ms.
fn ends_in_voice(samples: &[f32]) -> bool {
    let level = |window: &[f32]| window.iter().map(|s| s * s).sum::<f32>().sqrt();
    let loudest = samples.chunks_exact(240).map(level).fold(0.0, f32::max);
    let end = samples.len().saturating_sub(120);
    level(&samples[end.saturating_sub(240)..end]) > loudest / 10.0
}

/// Two of three samples, by linear interpolation: good enough to listen to.
fn slower_rate(samples: &[f32]) -> Vec<f32> {
    (0..samples.len() * RATES.0 / RATES.1)
        .map(|index| {
            let at = index as f64 * RATES.1 as f64 / RATES.0 as f64;
            let left = samples[at as usize];
            let right = samples.get(at as usize + 1).copied().unwrap_or(left);
            left + (right - left) * at.fract() as f32
        })
        .collect()
}
