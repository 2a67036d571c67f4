//! Ear-voice span over time.

use super::{COLOURS, chart::Chart};
use crate::evaluation::report::{RecordingReport, Report};

/// Recordings that get a name and a colour of their own.
const NAMED: usize = 20;

/// Lag over time: a dot for each clause, when it starts to play and how far it is behind; the thin
/// line is the least-squares trend.
#[must_use]
pub fn lag_over_time(report: &Report) -> String {
    let drawn: Vec<&RecordingReport> = report
        .recordings
        .iter()
        .filter(|r| !r.lag.is_empty())
        .collect();
    let points = || drawn.iter().flat_map(|recording| &recording.lag);
    let latest = points()
        .map(|p| seconds(p.at_ms as f64))
        .fold(1.0, f64::max);
    let spans = || points().map(|p| seconds(p.span_ms as f64));
    let (least, most) = (spans().fold(0.0, f64::min), spans().fold(1.0, f64::max));
    let title = format!("Lag over time: {}", report.label);
    let mut chart = Chart::new(
        &title,
        ("when the clause starts to play (s)", (0.0, latest)),
        ("ear-voice span (s)", (least, most)),
        190.0,
    );
    for (index, recording) in drawn.iter().enumerate() {
        let colour = COLOURS[index % COLOURS.len()];
        let line: Vec<(f64, f64)> = recording
            .lag
            .iter()
            .map(|p| chart.at(seconds(p.at_ms as f64), seconds(p.span_ms as f64)))
            .collect();
        chart.svg.polyline(&line, colour, 0.6);
        for point in line {
            chart.svg.dot(point, 2.6, colour);
        }
        if let (Some(trend), Some(ends)) = (recording.lag_trend, ends(recording)) {
            let (from, to) = trend_line(recording, trend.slope_ms_per_min, ends);
            let (from, to) = (chart.at(from.0, from.1), chart.at(to.0, to.1));
            chart.svg.line(from, to, colour, 1.6);
        }
        if index < NAMED {
            chart.legend(index, colour, &recording.name);
        }
    }
    chart.finish()
}

fn seconds(ms: f64) -> f64 {
    ms / 1000.0
}

/// First and last time, in seconds.
fn ends(recording: &RecordingReport) -> Option<(f64, f64)> {
    let (first, last) = (recording.lag.first()?, recording.lag.last()?);
    Some((seconds(first.at_ms as f64), seconds(last.at_ms as f64)))
}

/// The trend goes through the mean of all points.
fn trend_line(
    recording: &RecordingReport,
    slope_ms_per_min: f64,
    (from, to): (f64, f64),
) -> ((f64, f64), (f64, f64)) {
    let count = recording.lag.len() as f64;
    let x0 = recording
        .lag
        .iter()
        .map(|p| seconds(p.at_ms as f64))
        .sum::<f64>()
        / count;
    let y0 = recording
        .lag
        .iter()
        .map(|p| seconds(p.span_ms as f64))
        .sum::<f64>()
        / count;
    let on_line = |x: f64| (x, y0 + (x - x0) * slope_ms_per_min / 60_000.0);
    (on_line(from), on_line(to))
}
