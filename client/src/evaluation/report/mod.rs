//! The report: `report.json` for programs, `report.md` for people.

mod markdown;
mod rounded;
mod schema;
mod totals;

pub use markdown::markdown;
pub use rounded::to_json;
pub use schema::SCHEMA;
pub use schema::{
    Compared, Kind, LagPoint, Memory, Offsets, Percent, Quality, RecordingReport, Report, Spans,
    Stage, TextLatency, Totals,
};
pub(crate) use totals::mean;
pub use totals::{Scored, compare_with_offline, memory, totals};
