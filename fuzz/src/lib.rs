//! What the programs of the fuzzer share.

mod seeds;

pub use seeds::plant;
