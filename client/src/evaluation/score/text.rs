//! How good the text is.

use super::Subject;
use crate::evaluation::{
    quality::{BleuCounts, ChrfCounts, word_errors},
    report::Scored,
    segments::{Segment, assign},
    transcript::TimedWord,
};

/// Scores source text and translation, where there is something to compare them with.
pub(super) fn score(
    scored: &mut Scored,
    subject: &Subject,
    heard: &[TimedWord],
    translated: &[TimedWord],
    segments: &[Segment],
) {
    let transcript = &subject.recording.transcript;
    if !transcript.is_empty() {
        let heard: Vec<&str> = heard.iter().map(|word| word.text.as_str()).collect();
        scored.source_errors = Some(word_errors(&heard.join(" "), transcript));
    }
    let texts = segments.iter().map(|segment| segment.text(translated));
    scored.text = compared(segments, texts);
}

/// Scores what a recogniser heard in the speech, against the reference and against what it says.
pub(super) fn score_speech(scored: &mut Scored, heard: &str, said: &str, segments: &[Segment]) {
    scored.speech_errors = Some(word_errors(heard, said));
    let words: Vec<&str> = heard.split_whitespace().collect();
    let references = segments
        .iter()
        .map(|s| s.reference.split_whitespace().collect());
    let assigned = assign(&words, &references.collect::<Vec<_>>());
    let texts = (0..segments.len()).map(|segment| {
        let within = words
            .iter()
            .zip(&assigned)
            .filter(|(_, of)| **of == segment);
        let within: Vec<&str> = within.map(|(word, _)| *word).collect();
        within.join(" ")
    });
    scored.speech = compared(segments, texts);
}

fn compared(
    segments: &[Segment],
    texts: impl Iterator<Item = String>,
) -> Option<(BleuCounts, ChrfCounts)> {
    let counts = texts.zip(segments).map(|(text, segment)| {
        let reference = &segment.reference;
        (
            BleuCounts::of(&text, reference),
            ChrfCounts::of(&text, reference),
        )
    });
    counts.reduce(|(bleu, chrf), (more_bleu, more_chrf)| (bleu + more_bleu, chrf + more_chrf))
}
