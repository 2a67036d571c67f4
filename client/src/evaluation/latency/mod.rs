//! How late the interpretation is: formulas on times alone, in milliseconds.
//!
//! Every time of arrival is a wall time since the first source sample was due, while the audio is
//! streamed at the speed of speech: what is measured includes all computing ("computation-aware").

mod distribution;
mod lagging;
mod token_delay;
mod trend;

pub use distribution::{Bin, Distribution, Weighted, percentile};
pub use lagging::Lagging;
pub use token_delay::{Output, average_token_delay};
pub use trend::Trend;
