//! Reading the configuration, and errors that say what to change.

use std::path::{Path, PathBuf};

use figment::{
    Figment,
    error::Kind,
    providers::{Env, Format, Serialized, Toml},
};

use super::Config;

/// Environment variables that begin so are configuration: `INTERPRETD_SESSIONS__MAX=4` is
/// `max = 4` below `[sessions]`.
pub const ENVIRONMENT_PREFIX: &str = "INTERPRETD_";

/// Longest time that is taken, a year: later ones may be none that a clock has.
const LONGEST_SECS: u64 = 365 * 24 * 3_600;

/// Variables with the prefix that are not keys of the configuration file.
const OTHER_VARIABLES: &[&str] = &["cache_dir", "mirror", "config", "models_dir", "catalogue"];

/// The configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file that was named is not there or cannot be read.
    #[error("cannot read the configuration file {path}: {source}")]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// What was read makes no sense.
    #[error("{0}")]
    Invalid(String),
}

/// Reads the configuration: defaults, then `file`, then the environment, then `flags`, each
/// overriding the ones before.
///
/// # Errors
/// When the file cannot be read, a key is unknown, or a value makes no sense.
pub fn load(file: Option<&Path>, flags: impl figment::Provider) -> Result<Config, ConfigError> {
    let mut figment = Figment::from(Serialized::defaults(Config::default()));
    if let Some(path) = file {
        std::fs::metadata(path)
            .and_then(|_| std::fs::File::open(path))
            .map_err(|source| ConfigError::Unreadable {
                path: path.to_owned(),
                source,
            })?;
        figment = figment.merge(Toml::file_exact(path));
    }
    let environment = Env::prefixed(ENVIRONMENT_PREFIX)
        .filter(|key| !OTHER_VARIABLES.iter().any(|other| key == other))
        .split("__");
    let config: Config = figment
        .merge(environment)
        .merge(flags)
        .extract()
        .map_err(|e| explain(&e))?;
    validate(&config)?;
    Ok(config)
}

/// Values that parse and yet make no sense.
fn validate(config: &Config) -> Result<(), ConfigError> {
    let complain = |message: &str| Err(ConfigError::Invalid(message.to_owned()));
    if config.listen.tcp.is_none() && config.listen.unix.is_none() {
        return complain("nowhere to listen: set listen.tcp or listen.unix");
    }
    if let Some(address) = config.listen.tcp
        && !address.ip().is_loopback()
        && config.listen.tls.is_none()
        && !config.listen.allow_plaintext
    {
        return Err(ConfigError::Invalid(format!(
            "{address} is open to the network, and speech would cross it in the clear; give a \
             certificate (listen.tls), listen on 127.0.0.1, or set listen.allow_plaintext where \
             something else encrypts"
        )));
    }
    if config.sessions.max == 0 {
        return complain("sessions.max is 0, so no session could ever start; use 1 or more");
    }
    if !(config.sessions.pressure_limit > 0.0 && config.sessions.pressure_limit <= 1.0) {
        return complain(
            "sessions.pressure_limit must be more than 0, and 1 at most: the whole machine",
        );
    }
    let sessions = &config.sessions;
    if sessions.heartbeat_secs == 0 {
        return complain(
            "sessions.heartbeat_secs is 0, so nothing else would be sent; use 1 or more",
        );
    }
    for (key, secs) in [
        ("unread_timeout_secs", sessions.unread_timeout_secs),
        ("heartbeat_secs", sessions.heartbeat_secs),
        ("linger_secs", sessions.linger_secs),
        ("drain_secs", sessions.drain_secs),
    ] {
        if secs > LONGEST_SECS {
            return complain(&format!(
                "sessions.{key} is {secs}; use {LONGEST_SECS} (a year) at most"
            ));
        }
    }
    if config.models.threads == Some(0) {
        return complain("models.threads is 0; use 1 or more, or leave it out");
    }
    config
        .sessions
        .endpoint()
        .validate()
        .map_err(|e| ConfigError::Invalid(format!("sessions.max_utterance_secs: {e}")))
}

/// All of figment's complaints, each with the place and, for a misspelt name, the nearest one.
fn explain(error: &figment::Error) -> ConfigError {
    let complaints: Vec<String> = error
        .clone()
        .into_iter()
        .map(|e| match &e.kind {
            Kind::UnknownField(found, known) => {
                format!(
                    "unknown key '{found}'{}{}",
                    place(&e),
                    nearest(found, known)
                )
            }
            Kind::UnknownVariant(found, known) => {
                format!(
                    "unknown value '{found}'{}{}",
                    place(&e),
                    nearest(found, known)
                )
            }
            kind => format!("{kind}{}", place(&e)),
        })
        .collect();
    ConfigError::Invalid(complaints.join("; "))
}

/// " for `sessions.max` in interpretd.toml", as far as known.
fn place(error: &figment::Error) -> String {
    let key = if error.path.is_empty() {
        String::new()
    } else {
        format!(" at `{}`", error.path.join("."))
    };
    let source = error
        .metadata
        .as_ref()
        .map_or_else(String::new, |metadata| {
            let file = metadata
                .source
                .as_ref()
                .map_or_else(String::new, |s| format!(" {s}"));
            format!(" in {}{file}", metadata.name)
        });
    key + &source
}

fn nearest(found: &str, known: &[&str]) -> String {
    let best = known
        .iter()
        .max_by(|a, b| strsim::jaro_winkler(found, a).total_cmp(&strsim::jaro_winkler(found, b)));
    match best {
        Some(best) if strsim::jaro_winkler(found, best) > 0.7 => {
            format!("; did you mean '{best}'?")
        }
        _ => format!("; known are {}", known.join(", ")),
    }
}

/// An address, or an empty string for none.
pub(super) mod optional_address {
    use std::net::SocketAddr;

    use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error};

    pub(crate) fn serialize<S: Serializer>(
        address: &Option<SocketAddr>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        address
            .map(|a| a.to_string())
            .unwrap_or_default()
            .serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<SocketAddr>, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.is_empty() {
            return Ok(None);
        }
        text.parse().map(Some).map_err(|_| {
            D::Error::custom(format!(
                "'{text}' is no address; use IP:PORT such as 127.0.0.1:50551"
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn load_text(text: &str) -> Result<Config, ConfigError> {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        load(Some(file.path()), Serialized::globals(serde_json_empty()))
    }

    fn serde_json_empty() -> std::collections::BTreeMap<String, String> {
        std::collections::BTreeMap::new()
    }

    #[test]
    fn an_empty_file_gives_the_defaults() {
        assert_eq!(load_text("").unwrap(), Config::default());
    }

    #[test]
    fn values_are_taken_from_the_file() {
        let config = load_text("[sessions]\nmax = 3\n[listen]\ntcp = \"127.0.0.1:1\"").unwrap();
        assert_eq!(config.sessions.max, 3);
        assert_eq!(config.listen.tcp.unwrap().port(), 1);
    }

    #[test]
    fn flags_override_the_file() {
        let mut file = tempfile::NamedTempFile::new().unwrap();
        file.write_all(b"[sessions]\nmax = 3").unwrap();
        let config = load(Some(file.path()), ("sessions.max", 5_usize)).unwrap();
        assert_eq!(config.sessions.max, 5);
    }

    #[test]
    fn a_misspelt_key_names_the_nearest_one() {
        let error = load_text("[sessions]\nmaxx = 3").unwrap_err().to_string();
        assert!(error.contains("unknown key 'maxx'"), "{error}");
        assert!(error.contains("did you mean 'max'?"), "{error}");
        let error = load_text("[session]\nmax = 3").unwrap_err().to_string();
        assert!(error.contains("did you mean 'sessions'?"), "{error}");
    }

    #[test]
    fn senseless_values_are_refused() {
        for (text, said) in [
            ("[sessions]\nmax = 0", "sessions.max is 0"),
            ("[sessions]\nheartbeat_secs = 0", "heartbeat_secs is 0"),
            (
                "[sessions]\nunread_timeout_secs = 9223372036854775807",
                "a year) at most",
            ),
            ("[listen]\ntcp = \"\"", "nowhere to listen"),
            ("[listen]\ntcp = \"0.0.0.0:1\"", "in the clear"),
            ("[listen.tls]\ncertificate = \"a.pem\"", "key"),
            ("[listen]\ntcp = \"somewhere\"", "is no address"),
            (
                "[models]\npreload = [\"fr-xx\"]",
                "'xx' is not a language code",
            ),
            ("[log]\nformat = \"jason\"", "did you mean 'json'?"),
        ] {
            let error = load_text(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let missing = Path::new("no/such/interpretd.toml");
        let error = load(Some(missing), ("log.level", "info"))
            .unwrap_err()
            .to_string();
        assert!(error.contains("no/such/interpretd.toml"), "{error}");
    }
}
