//! Sentences of the reference, and what of the source and of the interpretation belongs to each.

mod alignment;
mod beads;
mod reference;

pub use alignment::assign;
pub use beads::{Bead, pair};
pub use reference::{Segment, segments, split};
