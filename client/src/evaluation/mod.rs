//! Scores interpretation: how late, how good, at what cost, and whether the contracts hold.
//!
//! Everything is computed from event logs (see [`EventLog`](crate::output::EventLog)), so that anyone
//! can score any client; only offline recognition and translation, and listening to the speech again,
//! run models. `docs/evaluation.md` lists each metric with its formula and source.
//!
//! Data flows one way: [`manifest`] and [`log`](mod@log) are read; [`transcript`] and [`listener`] say what was
//! committed and heard, when; [`segments`] cuts both where the reference is cut; [`latency`],
//! [`quality`], [`erasure`] and [`spoken`] measure; [`score`] puts the measures of one recording
//! together, [`report`] those of all; [`plots`] draws and [`simuleval`] exports.

pub mod ears;
pub mod erasure;
pub mod latency;
pub mod listener;
pub mod log;
pub mod manifest;
pub mod offline;
pub mod plots;
pub mod quality;
pub mod report;
pub mod score;
pub mod segments;
pub mod simuleval;
pub mod spoken;
pub mod transcript;

pub use listener::{Clause, Gaps, Listener};
pub use log::{Log, LogError, Logged};
pub use manifest::{ManifestError, Recording};
