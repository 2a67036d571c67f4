//! Where to interpret.

use clap::Args;

use crate::{
    connect::{Endpoint, LocalDaemon},
    error::ClientError,
};

/// The daemon to use.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Daemon to use: `host:port`, `http://host:port` or `unix:/path`. Without it, this process
    /// interprets by itself.
    #[arg(long, value_name = "ADDR", env = "INTERPRET_SERVER")]
    server: Option<String>,
    /// Recogniser of this process, such as whisper-tiny or whisper-small (`interpret models list`)
    /// [default: whisper-base].
    #[arg(long, value_name = "MODEL", conflicts_with = "server")]
    recognition: Option<String>,
}

impl ServerArgs {
    /// The endpoint that the arguments name.
    ///
    /// # Errors
    ///
    /// Where the address cannot be understood.
    pub fn endpoint(&self) -> Result<Endpoint, ClientError> {
        match &self.server {
            Some(address) => address.parse(),
            None => {
                let mut local = LocalDaemon::default();
                if let Some(name) = &self.recognition {
                    local.0.models.recognition.clone_from(name);
                }
                Ok(Endpoint::InProcess(local))
            }
        }
    }
}
