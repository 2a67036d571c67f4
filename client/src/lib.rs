//! Client library of interpretd, and the parts its command line is made of.
//!
//! A program that wants speech interpreted needs three calls: [`connect::connect`],
//! [`audio::AudioFile::open`] (or a stream of its own samples) and [`session::Session::open`]; the
//! example is in [`session`]. What `interpret file` writes and shows is in [`output`], [`measure`]
//! and [`view`].

pub mod audio;
pub mod call;
pub mod commands;
pub mod connect;
pub mod device;
pub mod error;
pub mod evaluation;
pub mod exit_status;
pub mod measure;
pub mod output;
pub mod playback;
pub mod session;
mod stderr;
pub mod view;

pub use error::{ClientError, Reason};
pub use exit_status::ExitStatus;
