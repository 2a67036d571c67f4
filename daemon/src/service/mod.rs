//! The gRPC service: who may come in, what is answered, and how it all ends.

mod call;
mod capacity;
mod daemon;
mod incoming;
mod interpreter;
mod languages;
mod listen;
mod open;
mod preface;
mod reload;
mod resume;
mod tls;

pub use daemon::{Daemon, SecurityError, ServeError};
pub use listen::{BindError, Listeners, bind};
pub use tls::TlsError;
