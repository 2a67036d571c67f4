//! What the whole-system tests share: the daemon and the client as processes, recorded speech, a
//! machine's ears, and scores.

pub mod daemon_process;
pub mod ears;
pub mod five_targets;
pub mod interpret_command;
pub mod microphone;
pub mod model_cache;
pub mod noises;
pub mod packets;
pub mod pipeline;
pub mod proxy;
mod random;
pub mod resources;
pub mod scores;
pub mod sound_server;
pub mod speech;
pub mod stream;
pub mod telephone;
