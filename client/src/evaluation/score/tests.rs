//! The whole scorer on a session of two sentences, written by hand.

use super::*;
use crate::evaluation::{
    log::Log,
    report::{Kind, Report, SCHEMA, markdown, memory, to_json, totals},
    simuleval::Export,
};

fn subject() -> Subject {
    Subject {
        recording: Recording {
            audio: "talk.flac".into(),
            language: "fr".parse().unwrap(),
            transcript: "Bonjour à tous. Il fait beau ici.".to_owned(),
            target: None,
            reference: "Hello to everyone. The weather is lovely here.".to_owned(),
        },
        target: "en".parse().unwrap(),
    }
}

fn log() -> Log {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    Log::read(&folder.join("src/evaluation/score/fixtures/talk.fr-en.jsonl")).unwrap()
}

fn close(found: Option<f64>, expected: f64) {
    assert!(
        (found.unwrap() - expected).abs() < 0.01,
        "{found:?} is not {expected}"
    );
}

#[test]
fn speech_by_hand() {
    let scored = score(&subject(), &log(), None);
    let report = &scored.report;
    // "Hello to everyone." is heard from 2500 to 3400, "The weather" from 5000 to 5300 and from 5400.
    assert_eq!(scored.by_clause, [(1000, 3), (1000, 2)]);
    // 18 characters in 900 ms: "to" starts after 6 of them, "everyone." after 9. The second sentence
    // has no word times.
    assert_eq!(scored.by_word, [(1600, 1), (1800, 1), (1450, 1)]);
    let offsets = &report.offsets;
    assert_eq!(offsets.first_source_word_ms, Some(500));
    assert_eq!(offsets.start_offset_ms, Some(2500));
    assert_eq!(offsets.first_audio_after_first_word_ms, Some(2000));
    assert_eq!(offsets.end_offset_ms, Some(600));
    assert_eq!(offsets.text_end_offset_ms, Some(-300));
    // One utterance of 3.6 s.
    assert_eq!(scored.utterance_starts, [(2000, 1)]);
    assert_eq!(
        (
            report.discontinuities,
            report.discontinuities_within_clauses
        ),
        (2, 1)
    );
    assert_eq!(report.discontinuity_sum_ms, 1600 + 100);
    let account = Account {
        committed: 8,
        spoken: 5,
        skipped_told: 3,
        unaccounted: 0,
        never_committed: 0,
    };
    assert_eq!(report.account, account);
    assert_eq!(report.lag_trend, None, "two clauses are no trend");
}

#[test]
fn text_by_hand() {
    let scored = score(&subject(), &log(), Some("Hello to everyone, the weather."));
    let report = &scored.report;
    // Words at 2100, 2300, 2300, and five at 4700; 5 s of source, 8 words.
    let latency = &report.text_latency;
    close(latency.ap, (2100.0 + 4600.0 + 23_500.0) / 40_000.0);
    let lag = (2100.0 + 4600.0 + 23_500.0 - 625.0 * 28.0) / 8.0;
    close(latency.al_ms, lag);
    close(latency.laal_ms, lag);
    close(latency.yaal_ms, lag);
    // Sentence 1 lasts from 500 to 1500: its first word came after that. Sentence 2 from 2500 to 4000.
    close(latency.stream_laal_ms, (1600.0 + 2200.0) / 2.0);
    // The recording ends with its last sentence, at 4000: sentence 1 counts whole, sentence 2 not at all.
    let step = 1000.0 / 3.0;
    close(
        latency.long_yaal_ms,
        (1600.0 + 1800.0 - step + 1800.0 - 2.0 * step) / 3.0,
    );
    assert_eq!((latency.sentences, latency.sentences_scored), (2, 2));

    let erasure = report.translation_erasure.unwrap();
    close(Some(erasure.committed), 0.0);
    // "all of" of eight words.
    close(Some(erasure.displayed), 0.25);
    // "Bonjours", then "Il" stays.
    close(report.source_erasure.map(|e| e.displayed), 1.0 / 7.0);

    let quality = &report.quality;
    assert_eq!(quality.wer.map(|wer| (wer.errors, wer.words)), Some((1, 7)));
    // N-grams that match, of those there are: 9/10, 6/8, 3/6, 1/4.
    close(quality.bleu, 53.896);
    assert_eq!(
        quality.asr_wer.map(|wer| (wer.errors, wer.words)),
        Some((0, 5))
    );
    assert!(quality.asr_bleu.unwrap() < quality.bleu.unwrap());
    close(Some(report.compute[0].busy_ratio), 0.1);
}

#[test]
fn offline_text_has_quality_but_no_latency() {
    let subject = subject();
    let (source, reference) = (&subject.recording.transcript, &subject.recording.reference);
    let scored = score_offline(&subject, 5000, source, reference);
    close(scored.report.quality.bleu, 100.0);
    close(scored.report.quality.wer.map(|wer| wer.percent), 0.0);
    assert!(scored.laal_ms.is_empty());
}

#[test]
fn a_log_without_speech_or_reference_is_scored_as_far_as_it_goes() {
    let mut subject = subject();
    subject.recording.reference = String::new();
    let mut log = log();
    log.events
        .retain(|logged| !matches!(logged.event, Event::SessionEnded(_)));
    let scored = score(&subject, &log, None);
    assert!(!scored.report.complete);
    assert_eq!(scored.report.quality.bleu, None);
    assert_eq!(scored.report.text_latency.stream_laal_ms, None);
    assert!(scored.report.text_latency.laal_ms.is_some());
    let nothing = score(&subject, &Log::default(), None);
    assert_eq!(nothing.report.text_latency.laal_ms, None);
    assert_eq!(
        nothing.report.quality.wer.map(|wer| wer.percent),
        Some(100.0)
    );
}

#[test]
fn reports_and_pictures_tell_it() {
    let scored = [score(&subject(), &log(), None)];
    let report = Report {
        schema: SCHEMA.to_owned(),
        kind: Kind::Streamed,
        label: "test".to_owned(),
        recordings: scored.iter().map(|s| s.report.clone()).collect(),
        totals: totals(&scored),
        memory: memory(&scored),
        offline: None,
    };
    let read: Report = serde_json::from_str(&to_json(&report).unwrap()).unwrap();
    assert_eq!(read.recordings[0].lag, report.recordings[0].lag);
    let text = markdown(&report);
    assert!(text.contains("| talk.fr-en | 7 | 14.3 |"), "{text}");
    assert!(
        text.contains("| talk.fr-en | 1.00 | 1.00 | 1.60 | 1.80 | 2.00 | 2.00 | 2.00 | 0.60 |"),
        "{text}"
    );
    for picture in [
        super::super::plots::lag_over_time(&report),
        super::super::plots::span_histogram(&report),
        super::super::plots::timeline("talk", &log(), "en"),
    ] {
        assert!(picture.starts_with("<svg") && picture.ends_with("</svg>\n"));
        assert!(!picture.contains("NaN") && !picture.contains("inf"));
    }
}

#[test]
fn the_export_is_what_simuleval_reads() {
    let mut export = Export::default();
    export.add(&subject(), &log());
    let [(_, instances), (_, segments), (_, references)] = export.files().unwrap();
    let instance: serde_json::Value = serde_json::from_str(&instances).unwrap();
    assert_eq!(
        instance["elapsed"],
        serde_json::json!([2100, 2300, 2300, 4700, 4700, 4700, 4700, 4700])
    );
    assert_eq!(instance["prediction_length"], 8);
    assert_eq!(instance["source"][0], "talk.fr-en.flac");
    assert!(segments.contains("\"offset\": 0.5"));
    assert_eq!(references.lines().count(), 2);
}
