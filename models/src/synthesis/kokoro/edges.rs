//! Edges of speech: surplus silence away, no clicks, natural pauses between parts.

use std::ops::Range;

/// Samples a second of everything Kokoro speaks.
pub(super) const SAMPLE_RATE: u32 = 24_000;

/// Width of the window whose energy decides between speech and silence: 10 ms.
const WINDOW: usize = 240;
/// A window is speech from this part of the loudest window's amplitude (-40 dB).
const THRESHOLD: f32 = 0.01;
/// Silence left before speech, so that a soft first consonant survives: 40 ms.
const LEAD: usize = 960;
/// Silence left after it, for the last sound to decay: 100 ms.
const TAIL: usize = 2_400;
/// The same where the clause goes on: 20 ms.
const SHORT_TAIL: usize = 480;
/// Length of the fades at both edges: 5 ms.
const FADE: usize = 120;
/// Pause between two parts of one over-long clause: 120 ms, besides what the edges keep.
const PAUSE: usize = 2_880;

/// Cuts the silence around the speech in `samples` down to a short margin and fades both edges.
/// Where the clause `goes_on`, the margin after it is shorter still. Samples without speech become
/// none.
pub(super) fn trim(mut samples: Vec<f32>, goes_on: bool) -> Vec<f32> {
    let tail = if goes_on { SHORT_TAIL } else { TAIL };
    let Some(speech) = speech_range(&samples, tail) else {
        return Vec::new();
    };
    samples.truncate(speech.end);
    samples.drain(..speech.start);
    fade(&mut samples);
    samples
}

/// Adds `part` to `speech`, after a pause if it is not the first.
pub(super) fn append(speech: &mut Vec<f32>, part: Vec<f32>) {
    if speech.is_empty() {
        *speech = part;
    } else if !part.is_empty() {
        speech.resize(speech.len() + PAUSE, 0.0);
        speech.extend(part);
    }
}

/// Where the speech is, margins included; `None` where all is silent.
fn speech_range(samples: &[f32], tail: usize) -> Option<Range<usize>> {
    let levels: Vec<f32> = samples
        .chunks(WINDOW)
        .map(|window| {
            let energy: f32 = window.iter().map(|sample| sample * sample).sum();
            (energy / window.len() as f32).sqrt()
        })
        .collect();
    let loudest = levels.iter().copied().fold(0.0_f32, f32::max);
    if loudest <= 1e-4 {
        return None;
    }
    let speaks = |level: &f32| *level > loudest * THRESHOLD;
    let first = levels.iter().position(speaks)?;
    let last = levels.iter().rposition(speaks)?;
    let start = (first * WINDOW).saturating_sub(LEAD);
    let end = ((last + 1) * WINDOW + tail).min(samples.len());
    Some(start..end)
}

/// Linear fade in and out.
fn fade(samples: &mut [f32]) {
    let length = FADE.min(samples.len() / 2);
    let count = samples.len();
    for index in 0..length {
        let gain = index as f32 / length as f32;
        samples[index] *= gain;
        samples[count - 1 - index] *= gain;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tone(length: usize) -> Vec<f32> {
        (0..length).map(|i| (i as f32 * 0.3).sin() * 0.5).collect()
    }

    #[test]
    fn silence_around_speech_shrinks_to_the_margins() {
        let mut samples = vec![0.0; 12_000];
        samples.extend(tone(24_000));
        samples.extend(vec![0.0; 12_000]);
        let trimmed = trim(samples, false);
        assert_eq!(trimmed.len(), LEAD + 24_000 + TAIL);
        assert!(
            trimmed[LEAD + WINDOW..LEAD + 2 * WINDOW]
                .iter()
                .any(|s| s.abs() > 0.4)
        );
    }

    #[test]
    fn speech_that_fills_the_samples_keeps_its_length_and_gets_silent_edges() {
        let trimmed = trim(tone(4_800), true);
        assert_eq!(trimmed.len(), 4_800);
        assert_eq!((trimmed[0], trimmed[4_799]), (0.0, 0.0));
    }

    #[test]
    fn silence_becomes_nothing() {
        assert!(trim(vec![0.0; 5_000], false).is_empty());
        assert!(trim(Vec::new(), true).is_empty());
    }

    #[test]
    fn parts_are_joined_by_one_pause() {
        let mut speech = Vec::new();
        append(&mut speech, vec![0.1; 10]);
        append(&mut speech, Vec::new());
        append(&mut speech, vec![0.2; 10]);
        assert_eq!(speech.len(), 20 + PAUSE);
    }
}
