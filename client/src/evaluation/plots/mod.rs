//! Pictures of a report, as SVG.

mod chart;
mod histogram;
mod lag;
mod svg;
mod timeline;

pub use histogram::span_histogram;
pub use lag::lag_over_time;
pub use timeline::timeline;

/// Colours that people who see few colours can tell apart (Okabe and Ito 2008).
const COLOURS: [&str; 7] = [
    "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#555555",
];
