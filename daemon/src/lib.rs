//! interpretd: interprets speech from one language into others while the speaker is still speaking.
//!
//! The way in is [`Daemon`]: configure it, let it load its models, and serve it on a socket or
//! inside one's own process. [`pipeline`] knows nothing of gRPC, [`engines`] nothing of sessions.

pub mod access;
pub mod admin;
pub mod audio;
mod audit;
pub mod call;
pub mod config;
pub mod engines;
pub mod exit;
mod headroom;
pub mod memory;
pub mod pipeline;
mod rooms;
pub mod service;
pub mod session;
pub mod telemetry;

pub use config::Config;
pub use service::Daemon;
