//! The file of tokens.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use serde::Deserialize;

/// Most bytes of the file: some ten thousand tokens.
const MOST_BYTES: u64 = 4 << 20;

/// One `[[token]]` of the file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    /// Whose it is, for the log.
    pub(super) name: String,
    /// SHA-256 of the token, in hexadecimal.
    #[serde(deserialize_with = "hexadecimal")]
    pub(super) sha256: [u8; 32],
    /// Sessions at once; none: as many as the daemon takes.
    pub(super) sessions: Option<usize>,
    /// Minutes of speech in a day (UTC); none: any.
    pub(super) minutes_per_day: Option<u64>,
    /// Rooms that it may open and listen to, by name, or by how the name begins where a `*` ends it; none:
    /// all.
    pub(super) rooms: Option<Vec<String>>,
    /// From when on it is taken no more (RFC 3339).
    pub(super) expires: Option<Timestamp>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    token: Vec<Entry>,
}

/// The file of tokens cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the file of tokens {path} cannot be used: {why}")]
pub struct TokenFileError {
    path: PathBuf,
    why: String,
}

/// Reads `path`.
pub(super) fn read(path: &Path) -> Result<Vec<Entry>, TokenFileError> {
    let bad = |why: String| TokenFileError {
        path: path.to_owned(),
        why,
    };
    let size = std::fs::metadata(path)
        .map_err(|e| bad(e.to_string()))?
        .len();
    if size > MOST_BYTES {
        return Err(bad(format!(
            "it has {size} bytes, and no more than {MOST_BYTES} are read"
        )));
    }
    let text = std::fs::read_to_string(path).map_err(|e| bad(e.to_string()))?;
    parse(&text).map_err(bad)
}

fn parse(text: &str) -> Result<Vec<Entry>, String> {
    // Without the line itself, which the error would show: it may hold what should not be in a log.
    let file: File = toml::from_str(text).map_err(|error| {
        let before = text
            .get(..error.span().map_or(0, |span| span.start))
            .unwrap_or(text);
        format!(
            "line {}: {}",
            before.matches('\n').count() + 1,
            error.message()
        )
    })?;
    for (index, entry) in file.token.iter().enumerate() {
        let before = &file.token[..index];
        if entry.name.is_empty() {
            return Err(format!("token {} has no name", index + 1));
        }
        if before.iter().any(|other| other.name == entry.name) {
            return Err(format!("two tokens are named {}", entry.name));
        }
        if before.iter().any(|other| other.sha256 == entry.sha256) {
            return Err(format!("{} has the same token as another", entry.name));
        }
    }
    Ok(file.token)
}

fn hexadecimal<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<[u8; 32], D::Error> {
    use serde::de::Error as _;
    let text = String::deserialize(deserializer)?;
    let bad = || D::Error::custom("sha256 must have 64 hexadecimal digits");
    if text.len() != 64 || !text.is_ascii() {
        return Err(bad());
    }
    let mut bytes = [0; 32];
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| bad())?;
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, digit: char) -> String {
        let digest: String = std::iter::repeat_n(digit, 64).collect();
        format!("[[token]]\nname = \"{name}\"\nsha256 = \"{digest}\"\n")
    }

    #[test]
    fn a_file_says_what_each_token_may() {
        let text = entry("desk", 'a')
            + "sessions = 2\nrooms = [\"lobby\", \"hall-*\"]\nexpires = \"2027-01-31T00:00:00Z\"\n";
        let entries = parse(&text).unwrap();
        assert_eq!(entries[0].sha256, [0xaa; 32]);
        assert_eq!(entries[0].sessions, Some(2));
        assert_eq!(entries[0].minutes_per_day, None);
        let rooms = entries[0].rooms.as_deref();
        assert_eq!(rooms.unwrap(), ["lobby", "hall-*"]);
        assert_eq!(
            entries[0].expires,
            Some("2027-01-31T00:00:00Z".parse().unwrap())
        );
    }

    #[test]
    fn mistakes_are_named() {
        for (text, said) in [
            (
                entry("desk", 'a') + &entry("desk", 'b'),
                "two tokens are named desk",
            ),
            (entry("a", 'a') + &entry("b", 'a'), "same token"),
            (
                "[[token]]\nname = \"x\"\nsha256 = \"abc\"".to_owned(),
                "64 hexadecimal digits",
            ),
            (entry("x", 'g'), "64 hexadecimal digits"),
            (entry("x", 'a') + "session = 3", "session"),
            (entry("x", 'a') + "expires = \"tomorrow\"", "line 4"),
        ] {
            let error = parse(&text).unwrap_err();
            assert!(error.contains(said), "{text}: {error}");
        }
    }
}
