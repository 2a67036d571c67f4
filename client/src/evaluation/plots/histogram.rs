//! How the ear-voice span is spread.

use super::{COLOURS, chart::Chart};
use crate::evaluation::{latency::Distribution, report::Report};

/// Width of a bin, in seconds.
const BIN_S: f64 = 0.5;

/// Histogram of the ear-voice span over all words of the last totals: by clause and, where the
/// daemon tells word times, by word. Upright lines mark the medians.
#[must_use]
pub fn span_histogram(report: &Report) -> String {
    let spans = report
        .totals
        .last()
        .map(|totals| totals.ear_voice_span.clone());
    let spans = spans.unwrap_or_default();
    let drawn: Vec<(&str, &str, &Distribution)> = [
        ("by clause", COLOURS[0], &spans.by_clause),
        ("by word", COLOURS[1], &spans.by_word),
    ]
    .into_iter()
    .filter_map(|(name, colour, spread)| Some((name, colour, spread.as_ref()?)))
    .collect();
    let bins = || {
        drawn
            .iter()
            .flat_map(|(_, _, spread)| spread.histogram.iter().map(|b| (b, spread.words)))
    };
    let share = |words: usize, of: usize| 100.0 * words as f64 / of.max(1) as f64;
    let from = bins()
        .map(|(bin, _)| bin.from_ms as f64 / 1000.0)
        .fold(0.0, f64::min);
    let to = bins()
        .map(|(bin, _)| bin.from_ms as f64 / 1000.0 + BIN_S)
        .fold(1.0, f64::max);
    let most = bins()
        .map(|(bin, of)| share(bin.words, of))
        .fold(1.0, f64::max);
    let mut chart = Chart::new(
        &format!("Ear-voice span: {}", report.label),
        ("ear-voice span (s)", (from, to)),
        ("words (%)", (0.0, most)),
        190.0,
    );
    for (row, (name, colour, spread)) in drawn.iter().enumerate() {
        for bin in &spread.histogram {
            let start = bin.from_ms as f64 / 1000.0;
            let corner = chart.at(start, share(bin.words, spread.words));
            let base = chart.at(start + BIN_S, 0.0);
            let size = (base.0 - corner.0 - 1.0, base.1 - corner.1);
            chart.svg.rectangle(corner, size, colour, 0.5);
        }
        let median = spread.median_ms as f64 / 1000.0;
        let (bottom, top) = (chart.at(median, 0.0), chart.at(median, most));
        chart.svg.line(bottom, top, colour, 2.0);
        chart.legend(2 * row, colour, &format!("{name}, {} words", spread.words));
        let (median, p95) = (median, spread.p95_ms as f64 / 1000.0);
        let told = format!("median {median:.1} s, p95 {p95:.1} s");
        chart.legend(2 * row + 1, "none", &told);
    }
    chart.finish()
}
