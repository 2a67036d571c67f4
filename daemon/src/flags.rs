//! Command-line flags of `interpretd`.

use std::path::PathBuf;

use figment::Figment;
use interpretd::config::LogFormat;

/// Interprets speech from one language into others while the speaker is still speaking.
#[derive(Debug, clap::Parser)]
#[command(version, after_help = AFTER_HELP)]
pub(crate) struct Flags {
    /// Configuration file (TOML)
    #[arg(long, env = "INTERPRETD_CONFIG", value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// TCP address to listen on; "" for none [default: 127.0.0.1:50551]
    #[arg(long, value_name = "IP:PORT")]
    listen: Option<String>,
    /// Unix socket to listen on
    #[arg(long, value_name = "PATH")]
    unix: Option<PathBuf>,
    /// TCP address of the admin port: /metrics, /live, /ready [default: none]
    #[arg(long, value_name = "IP:PORT")]
    admin: Option<String>,
    /// Certificate (PEM) to speak TLS with, with --tls-key
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_certificate: Option<PathBuf>,
    /// The certificate's key (PEM)
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    tls_key: Option<PathBuf>,
    /// Certificates (PEM) that clients' own must be signed by
    #[arg(long, value_name = "FILE", requires = "tls_certificate")]
    client_ca: Option<PathBuf>,
    /// File with the bearer tokens that are taken (`interpret token` makes one)
    #[arg(long, value_name = "FILE")]
    tokens: Option<PathBuf>,
    /// Listen beyond loopback without TLS, where something else encrypts
    #[arg(long)]
    allow_plaintext: bool,
    /// Recognition model [default: whisper-base]
    #[arg(long, value_name = "NAME")]
    recognition: Option<String>,
    /// Language pairs to load at the start, such as fr-en; others load when first asked for
    #[arg(long, value_name = "PAIR", value_delimiter = ',')]
    preload: Vec<String>,
    /// Sessions at once
    #[arg(long, value_name = "N")]
    max_sessions: Option<usize>,
    /// Least severe level logged
    #[arg(long, value_name = "LEVEL")]
    log_level: Option<String>,
    /// How log lines look
    #[arg(long, value_name = "FORMAT")]
    log_format: Option<LogFormat>,
}

const AFTER_HELP: &str = "\
Configuration: defaults, then the file, then environment variables (INTERPRETD_SESSIONS__MAX=4 is
max = 4 below [sessions]), then these flags; the later wins. docs/configuration.md lists all keys.

Exit codes: 0 ended by a signal, 2 bad flags, 65 model damaged, 66 model not fetched, 69 address
taken, 70 internal failure, 71 refused by the system, 78 bad configuration.";

impl Flags {
    /// The flags that were given, as the last layer of the configuration.
    pub(crate) fn layer(&self) -> Figment {
        let mut layer = Figment::new();
        if let Some(listen) = &self.listen {
            layer = layer.merge(("listen.tcp", listen));
        }
        if let Some(unix) = &self.unix {
            layer = layer.merge(("listen.unix", unix));
        }
        if let Some(admin) = &self.admin {
            layer = layer.merge(("listen.admin", admin));
        }
        if let Some(certificate) = &self.tls_certificate {
            layer = layer.merge(("listen.tls.certificate", certificate));
        }
        if let Some(key) = &self.tls_key {
            layer = layer.merge(("listen.tls.key", key));
        }
        if let Some(client_ca) = &self.client_ca {
            layer = layer.merge(("listen.tls.client_ca", client_ca));
        }
        if let Some(tokens) = &self.tokens {
            layer = layer.merge(("listen.tokens", tokens));
        }
        if self.allow_plaintext {
            layer = layer.merge(("listen.allow_plaintext", true));
        }
        if let Some(recognition) = &self.recognition {
            layer = layer.merge(("models.recognition", recognition));
        }
        if !self.preload.is_empty() {
            layer = layer.merge(("models.preload", &self.preload));
        }
        if let Some(max) = self.max_sessions {
            layer = layer.merge(("sessions.max", max));
        }
        if let Some(level) = &self.log_level {
            layer = layer.merge(("log.level", level));
        }
        if let Some(format) = self.log_format {
            layer = layer.merge(("log.format", format));
        }
        layer
    }
}
