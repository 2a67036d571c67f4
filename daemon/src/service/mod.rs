//! The gRPC service: who may come in, what is answered, and how it all ends.

mod daemon;
mod interpreter;
mod languages;
mod listen;

pub use daemon::{Daemon, ServeError};
pub use listen::{BindError, Listeners, bind};
