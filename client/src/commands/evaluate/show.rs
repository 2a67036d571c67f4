//! What the terminal shows of an evaluation.

use std::{
    io::{self, Write},
    path::Path,
};

use super::super::table::print_table;
use crate::{
    error::ClientError,
    evaluation::report::{RecordingReport, Report, Totals},
};

/// Says which recordings are left out for want of a target.
pub(super) fn left_out(without_target: &[String]) {
    let why = "the manifest names no target language (--to gives one)";
    say_left_out(why, without_target);
}

/// Says which recordings are left out for want of a log.
pub(super) fn without_log(names: &[String]) {
    say_left_out("there is no event log of them", names);
}

fn say_left_out(why: &str, names: &[String]) {
    if !names.is_empty() {
        // Nobody is left to tell if standard error is gone.
        let _ = writeln!(
            io::stderr().lock(),
            "left out, for {why}: {}",
            names.join(", ")
        );
    }
}

/// One line for a recording.
pub(super) fn recording(report: &RecordingReport) -> Result<(), ClientError> {
    let spans = report.ear_voice_span.by_clause.as_ref();
    let offsets = &report.offsets;
    let quality = &report.quality;
    let mut parts = vec![format!("{:<28}", report.name)];
    parts.extend(
        spans.map(|s| format!("span {} (p95 {})", seconds(s.median_ms), seconds(s.p95_ms))),
    );
    let first = offsets.first_audio_after_first_word_ms;
    parts.extend(first.map(|ms| format!("first {}", seconds(ms))));
    let stream_laal = report.text_latency.stream_laal_ms;
    parts.extend(stream_laal.map(|ms| format!("StreamLAAL {:.2} s", ms / 1000.0)));
    parts.extend(quality.wer.map(|wer| format!("WER {:.1} %", wer.percent)));
    parts.extend(quality.bleu.map(|bleu| format!("BLEU {bleu:.1}")));
    parts.extend(quality.chrf.map(|chrf| format!("chrF {chrf:.1}")));
    parts.extend(quality.asr_bleu.map(|bleu| format!("ASR-BLEU {bleu:.1}")));
    if !report.complete {
        parts.push("(broken off)".to_owned());
    }
    writeln!(io::stdout().lock(), "{}", parts.join("  ")).map_err(ClientError::Stdout)
}

/// The totals, and where the report lies.
pub(super) fn summary(report: &Report, folder: &Path) -> Result<(), ClientError> {
    let mut out = io::stdout();
    writeln!(out).map_err(ClientError::Stdout)?;
    let headings = [
        "",
        "recordings",
        "span",
        "p95",
        "by word",
        "StreamLAAL",
        "WER %",
        "BLEU",
        "of offline",
        "chrF",
        "ASR-BLEU",
    ];
    let rows: Vec<_> = report
        .totals
        .iter()
        .map(|totals| row(totals, report))
        .collect();
    print_table(headings, &rows)?;
    writeln!(out, "\nwrote {}", folder.join("report.md").display()).map_err(ClientError::Stdout)
}

fn row(totals: &Totals, report: &Report) -> [String; 11] {
    let spans = &totals.ear_voice_span;
    let by_clause = spans.by_clause.as_ref();
    let by_word = spans.by_word.as_ref();
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{value:.1}"));
    let time = |ms: Option<i64>| ms.map_or("-".to_owned(), seconds);
    let compared = report
        .offline
        .iter()
        .flatten()
        .find(|c| c.pair == totals.pair);
    [
        totals.pair.clone(),
        totals.recordings.to_string(),
        time(by_clause.map(|spread| spread.median_ms)),
        time(by_clause.map(|spread| spread.p95_ms)),
        time(by_word.map(|spread| spread.median_ms)),
        totals
            .stream_laal_ms
            .map_or("-".to_owned(), |ms| format!("{:.2} s", ms / 1000.0)),
        number(totals.quality.wer.map(|wer| wer.percent)),
        number(totals.quality.bleu),
        compared.map_or("-".to_owned(), |compared| {
            format!("{:.0} %", compared.percent)
        }),
        number(totals.quality.chrf),
        number(totals.quality.asr_bleu),
    ]
}

fn seconds(ms: i64) -> String {
    format!("{:.2} s", ms as f64 / 1000.0)
}
