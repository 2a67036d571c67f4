//! The report for people.

use std::fmt::Write as _;

use super::schema::{Kind, RecordingReport, Report, Totals};

/// What stands where nothing was measured.
const NOTHING: &str = "-";

/// The report as Markdown: short, in tables.
#[must_use]
pub fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let kind = match report.kind {
        Kind::Streamed => "streamed at the speed of speech",
        Kind::Offline => "offline, from whole files",
    };
    push(
        &mut text,
        format_args!(
            "# Evaluation: {}\n\n{} recordings, {kind}.\n",
            report.label,
            report.recordings.len()
        ),
    );
    table(&mut text, "Quality", &QUALITY, &quality_rows(report));
    if report.kind == Kind::Streamed {
        table(
            &mut text,
            "Latency of speech, in seconds",
            &SPEECH,
            &speech_rows(report),
        );
        table(
            &mut text,
            "Latency of text, in seconds",
            &TEXT,
            &text_rows(report),
        );
        table(&mut text, "Contracts", &CONTRACTS, &contract_rows(report));
        table(
            &mut text,
            "Compute, over audio time",
            &COMPUTE,
            &compute_rows(report),
        );
        memory(&mut text, report);
        pictures(&mut text, report);
    }
    compared(&mut text, report);
    text.push_str("\n`docs/evaluation.md` says how each number is made.\n");
    text
}

const QUALITY: [&str; 8] = [
    "",
    "words heard",
    "WER %",
    "BLEU",
    "chrF",
    "ASR-BLEU",
    "ASR-chrF",
    "ASR-WER %",
];
const SPEECH: [&str; 9] = [
    "",
    "EVS median",
    "EVS p95",
    "by word: median",
    "p95",
    "first audio after first word",
    "each utterance: median",
    "p95",
    "end offset",
];
const TEXT: [&str; 8] = [
    "",
    "StreamLAAL",
    "LongYAAL",
    "LAAL",
    "AL",
    "DAL",
    "ATD",
    "speech ATD",
];
const CONTRACTS: [&str; 9] = [
    "",
    "NE committed",
    "NE displayed",
    "words committed",
    "spoken",
    "told as skipped",
    "unaccounted",
    "gaps within clauses",
    "lag growth, ms/min",
];
const COMPUTE: [&str; 4] = ["", "stage", "busy", "calls a second"];

fn quality_rows(report: &Report) -> Vec<Vec<String>> {
    let row = |name: &str, words: String, quality: &super::schema::Quality| {
        vec![
            name.to_owned(),
            words,
            number(quality.wer.map(|wer| wer.percent), 1),
            number(quality.bleu, 1),
            number(quality.chrf, 1),
            number(quality.asr_bleu, 1),
            number(quality.asr_chrf, 1),
            number(quality.asr_wer.map(|wer| wer.percent), 1),
        ]
    };
    let each = report
        .recordings
        .iter()
        .map(|r| row(&r.name, r.source_words.to_string(), &r.quality));
    let totals = report
        .totals
        .iter()
        .map(|t| row(&bold(t), NOTHING.to_owned(), &t.quality));
    each.chain(totals).collect()
}

fn speech_rows(report: &Report) -> Vec<Vec<String>> {
    let each = report.recordings.iter().map(|r| {
        let mut row = span_cells(&r.name, &r.ear_voice_span);
        row.push(ms(r.offsets.first_audio_after_first_word_ms));
        row.extend(spread_cells(r.offsets.utterance_start.as_ref()));
        row.push(ms(r.offsets.end_offset_ms));
        row
    });
    let totals = report.totals.iter().map(|t| {
        let mut row = span_cells(&bold(t), &t.ear_voice_span);
        row.push(NOTHING.to_owned());
        row.extend(spread_cells(t.utterance_start.as_ref()));
        row.push(NOTHING.to_owned());
        row
    });
    each.chain(totals).collect()
}

fn span_cells(name: &str, spans: &super::schema::Spans) -> Vec<String> {
    let mut cells = vec![name.to_owned()];
    cells.extend(spread_cells(spans.by_clause.as_ref()));
    cells.extend(spread_cells(spans.by_word.as_ref()));
    cells
}

/// Median and 95th percentile.
fn spread_cells(spread: Option<&crate::evaluation::latency::Distribution>) -> [String; 2] {
    [
        ms(spread.map(|s| s.median_ms)),
        ms(spread.map(|s| s.p95_ms)),
    ]
}

fn text_rows(report: &Report) -> Vec<Vec<String>> {
    let each = report.recordings.iter().map(|r| {
        let text = &r.text_latency;
        let mut row = vec![r.name.clone()];
        row.extend(
            [
                text.stream_laal_ms,
                text.long_yaal_ms,
                text.laal_ms,
                text.al_ms,
                text.dal_ms,
                text.atd_ms,
                r.speech_atd_ms,
            ]
            .map(seconds),
        );
        row
    });
    let totals = report.totals.iter().map(|t| {
        let mut row = vec![bold(t), seconds(t.stream_laal_ms), seconds(t.long_yaal_ms)];
        row.extend(vec![NOTHING.to_owned(); 5]);
        row
    });
    each.chain(totals).collect()
}

fn contract_rows(report: &Report) -> Vec<Vec<String>> {
    let row = |r: &RecordingReport| {
        let erasure = r.translation_erasure;
        let trend = r.lag_trend.map(|trend| {
            format!(
                "{:.0} ± {:.0}",
                trend.slope_ms_per_min, trend.standard_error_ms_per_min
            )
        });
        let (account, name) = (r.account, &r.name);
        vec![
            if r.complete {
                name.clone()
            } else {
                format!("{name} (broken off)")
            },
            number(erasure.map(|e| e.committed), 3),
            number(erasure.map(|e| e.displayed), 3),
            account.committed.to_string(),
            account.spoken.to_string(),
            account.skipped_told.to_string(),
            account.unaccounted.to_string(),
            r.discontinuities_within_clauses.to_string(),
            trend.unwrap_or_else(|| NOTHING.to_owned()),
        ]
    };
    report.recordings.iter().map(row).collect()
}

fn compute_rows(report: &Report) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    for totals in &report.totals {
        for stage in &totals.compute {
            rows.push(vec![
                totals.pair.clone(),
                stage.stage.clone(),
                format!("{:.3}", stage.busy_ratio),
                format!("{:.2}", stage.calls_per_s),
            ]);
        }
        let busy: f64 = totals.compute.iter().map(|stage| stage.busy_ratio).sum();
        rows.push(vec![
            totals.pair.clone(),
            "**all stages**".to_owned(),
            format!("{busy:.3}"),
            String::new(),
        ]);
    }
    rows
}

fn memory(text: &mut String, report: &Report) {
    if let Some(memory) = report.memory {
        let mib = |bytes: f64| bytes / f64::from(1 << 20);
        push(
            text,
            format_args!(
                "\nMemory of the daemon at the end of a session: {:.0} MiB at most; {:+.1} MiB from the first session to the last.\n",
                mib(memory.max_bytes as f64),
                mib(memory.growth_bytes as f64)
            ),
        );
    }
}

fn compared(text: &mut String, report: &Report) {
    let rows: Vec<Vec<String>> = report
        .offline
        .iter()
        .flatten()
        .map(|c| {
            vec![
                c.pair.clone(),
                format!("{:.1}", c.bleu),
                format!("{:.1}", c.offline_bleu),
                format!("{:.0} %", c.percent),
            ]
        })
        .collect();
    table(
        text,
        "Against the offline ceiling",
        &["", "BLEU", "offline", "of it"],
        &rows,
    );
}

fn pictures(text: &mut String, report: &Report) {
    text.push_str("\n## Pictures\n\n![lag over time](lag.svg)\n\n![ear-voice span](span.svg)\n\nWho said what when, when it was shown, and when it was spoken:");
    for recording in &report.recordings {
        push(text, format_args!(" [{0}]({0}.svg)", recording.name));
    }
    text.push('\n');
}

fn table(text: &mut String, heading: &str, columns: &[&str], rows: &[Vec<String>]) {
    if rows.is_empty() {
        return;
    }
    push(
        text,
        format_args!("\n## {heading}\n\n| {} |\n|", columns.join(" | ")),
    );
    for column in 0..columns.len() {
        text.push_str(if column == 0 { " --- |" } else { " ---: |" });
    }
    text.push('\n');
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| cell.replace('|', "\\|")).collect();
        push(text, format_args!("| {} |\n", cells.join(" | ")));
    }
}

fn push(text: &mut String, what: std::fmt::Arguments<'_>) {
    // Writing to a string cannot fail.
    let _ = text.write_fmt(what);
}

fn bold(totals: &Totals) -> String {
    format!("**{}**", totals.pair)
}

fn number(value: Option<f64>, places: usize) -> String {
    value.map_or_else(|| NOTHING.to_owned(), |value| format!("{value:.places$}"))
}

/// Milliseconds as seconds.
fn ms(value: Option<i64>) -> String {
    seconds(value.map(|ms| ms as f64))
}

fn seconds(ms: Option<f64>) -> String {
    number(ms.map(|ms| ms / 1000.0), 2)
}
