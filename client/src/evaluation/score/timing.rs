//! How late the committed text is.

use crate::evaluation::{
    latency::{Lagging, Output, average_token_delay},
    listener::Listener,
    report::{Offsets, Scored, TextLatency, mean},
    segments::Segment,
    transcript::TimedWord,
};

/// Scores the times at which words arrived.
pub(super) fn score(
    scored: &mut Scored,
    heard: &[TimedWord],
    translated: &[TimedWord],
    segments: &[Segment],
) {
    let source_ms = scored.report.source_ms;
    let reference_words = segments.iter().map(reference_words).sum();
    let delays: Vec<f64> = translated.iter().map(|word| word.at_ms as f64).collect();
    let whole = Lagging {
        delays_ms: &delays,
        source_ms: source_ms as f64,
        // Without a reference, the text is its own.
        reference_words: if segments.is_empty() {
            delays.len()
        } else {
            reference_words
        },
    };
    // As `OmniSTEval` has it: the recording ends where its last sentence does.
    let ends = segments.iter().filter_map(|segment| segment.source_ms);
    let end_ms = ends.map(|(_, end)| end).max().unwrap_or(source_ms) as f64;
    for segment in segments {
        let Some((start, end)) = segment.source_ms else {
            continue;
        };
        let start = start as f64;
        let words = translated.get(segment.words.clone()).unwrap_or_default();
        let delays: Vec<f64> = words.iter().map(|word| word.at_ms as f64 - start).collect();
        let sentence = Lagging {
            delays_ms: &delays,
            source_ms: end as f64 - start,
            reference_words: self::reference_words(segment),
        };
        scored.laal_ms.extend(sentence.laal());
        scored.yaal_ms.extend(sentence.yaal(end_ms - start));
    }
    let shown: Vec<Output> = delays
        .iter()
        .map(|&at_ms| Output {
            at_ms,
            lasts_ms: 0.0,
        })
        .collect();
    scored.report.text_latency = TextLatency {
        ap: whole.average_proportion(),
        al_ms: whole.al(),
        laal_ms: whole.laal(),
        dal_ms: whole.dal(),
        yaal_ms: whole.yaal(whole.source_ms),
        atd_ms: average_token_delay(&shown, whole.source_ms),
        stream_laal_ms: mean(scored.laal_ms.iter().copied()),
        long_yaal_ms: mean(scored.yaal_ms.iter().copied()),
        sentences: segments.len(),
        sentences_scored: scored.laal_ms.len(),
    };
    let first_word = heard.iter().find_map(|word| word.source_ms);
    scored.report.offsets = Offsets {
        first_source_word_ms: first_word.map(|(start, _)| start),
        first_text_ms: translated.first().map(|word| word.at_ms),
        text_end_offset_ms: translated
            .last()
            .map(|word| word.at_ms.saturating_sub_unsigned(source_ms)),
        ..Offsets::default()
    };
}

fn reference_words(segment: &Segment) -> usize {
    segment.reference.split_whitespace().count()
}

/// When the speech begins and ends.
pub(super) fn speech_offsets(offsets: &mut Offsets, listener: &Listener, source_ms: u64) {
    let signed = |ms: u64| i64::try_from(ms).unwrap_or(i64::MAX);
    offsets.start_offset_ms = listener.first_ms();
    offsets.first_audio_after_first_word_ms = listener
        .first_ms()
        .zip(offsets.first_source_word_ms)
        .map(|(heard, said)| signed(heard).saturating_sub_unsigned(said));
    offsets.end_offset_ms = listener
        .last_ms()
        .map(|end| signed(end).saturating_sub_unsigned(source_ms));
}
