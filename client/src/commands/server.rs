//! Where to interpret.

use std::path::PathBuf;

use clap::Args;

use crate::{
    connect::{Credentials, Endpoint, LocalDaemon},
    error::ClientError,
};

/// The daemon to use.
#[derive(Debug, Clone, Args)]
pub struct ServerArgs {
    /// Daemon to use: `host:port`, `https://host:port` or `unix:/path`. Without it, this process
    /// interprets by itself.
    #[arg(long, value_name = "ADDR", env = "INTERPRET_SERVER")]
    server: Option<String>,
    /// Recogniser of this process, such as whisper-tiny or whisper-small (`interpret models list`)
    /// [default: whisper-base].
    #[arg(long, value_name = "MODEL", conflicts_with = "server")]
    recognition: Option<String>,
    /// File with the token that the daemon knows you by; or the variable `INTERPRET_TOKEN` is the token itself.
    #[arg(
        long,
        value_name = "FILE",
        env = "INTERPRET_TOKEN_FILE",
        requires = "server"
    )]
    token_file: Option<PathBuf>,
    /// Certificates (PEM) that the daemon's must be signed by [default: those the system trusts].
    #[arg(long, value_name = "FILE", requires = "server")]
    ca: Option<PathBuf>,
    /// Your own certificate (PEM), where the daemon asks for one.
    #[arg(long, value_name = "FILE", requires_all = ["server", "key"])]
    certificate: Option<PathBuf>,
    /// Its key (PEM).
    #[arg(long, value_name = "FILE", requires = "certificate")]
    key: Option<PathBuf>,
}

/// A token itself, where no file is named.
const TOKEN_VARIABLE: &str = "INTERPRET_TOKEN";

impl ServerArgs {
    /// The endpoint that the arguments name.
    ///
    /// # Errors
    ///
    /// Where the address cannot be understood.
    pub fn endpoint(&self) -> Result<Endpoint, ClientError> {
        match &self.server {
            Some(address) => {
                let endpoint: Endpoint = address.parse()?;
                Ok(endpoint.with_credentials(self.credentials()?))
            }
            None => {
                let mut local = LocalDaemon::default();
                if let Some(name) = &self.recognition {
                    local.0.models.recognition.clone_from(name);
                }
                Ok(Endpoint::InProcess(Box::new(local)))
            }
        }
    }

    fn credentials(&self) -> Result<Credentials, ClientError> {
        let token = match &self.token_file {
            Some(file) => {
                let token = std::fs::read_to_string(file).map_err(|error| {
                    ClientError::Usage(format!(
                        "cannot read the token file {}: {error}",
                        file.display()
                    ))
                })?;
                Some(token.trim().to_owned())
            }
            None => std::env::var(TOKEN_VARIABLE).ok(),
        };
        Ok(Credentials {
            token: token.filter(|token| !token.is_empty()),
            ca: self.ca.clone(),
            identity: self.certificate.clone().zip(self.key.clone()),
        })
    }
}
