//! Which files were hashed, and how they looked then, so that starting the daemon does not read a
//! gigabyte.

use std::{
    collections::BTreeMap,
    fs::{File, Metadata},
    io::{self, Read},
    path::Path,
    time::UNIX_EPOCH,
};

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::catalogue::Content;

const NAME: &str = ".stamps.json";

/// The stamps of one model's files, by path.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Stamps {
    files: BTreeMap<String, Stamp>,
    #[serde(skip)]
    changed: bool,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Stamp {
    size: u64,
    sha256: String,
    /// Nanoseconds since 1970.
    modified: u64,
}

impl Stamps {
    /// Reads the stamps of the model in `folder`; none where there is no readable file of them.
    pub(crate) fn read(folder: &Path) -> Self {
        std::fs::read(folder.join(NAME))
            .ok()
            .and_then(|text| serde_json::from_slice(&text).ok())
            .unwrap_or_default()
    }

    /// Whether the file was hashed to `content` and has not changed since.
    pub(crate) fn vouch_for(&self, path: &str, found: &Metadata, content: &Content) -> bool {
        self.files.get(path).is_some_and(|stamp| {
            stamp.size == found.len()
                && Some(stamp.modified) == modified(found)
                && stamp.sha256 == content.sha256
        })
    }

    /// What was recorded for a file whose content the catalogue does not know.
    pub(crate) fn made(&self, path: &str) -> Option<Content> {
        self.files.get(path).map(|stamp| Content {
            size: stamp.size,
            sha256: stamp.sha256.clone(),
        })
    }

    /// Notes that the file was hashed to `content`.
    pub(crate) fn record(&mut self, path: &str, found: &Metadata, content: &Content) {
        let Some(modified) = modified(found) else {
            return;
        };
        let stamp = Stamp {
            size: content.size,
            sha256: content.sha256.clone(),
            modified,
        };
        if self.files.get(path) != Some(&stamp) {
            self.files.insert(path.to_owned(), stamp);
            self.changed = true;
        }
    }

    /// Writes the stamps if they changed. Where that fails (a cache that may only be read), the
    /// files are hashed again next time; nothing else is lost.
    pub(crate) fn save(&mut self, folder: &Path) {
        if !std::mem::take(&mut self.changed) {
            return;
        }
        let write = || -> io::Result<()> {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            serde_json::to_writer(&mut file, self)?;
            file.persist(folder.join(NAME)).map_err(io::Error::from)?;
            Ok(())
        };
        if let Err(error) = write() {
            tracing::debug!(folder = %folder.display(), %error, "cannot write the stamps");
        }
    }
}

fn modified(found: &Metadata) -> Option<u64> {
    let since = found.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since.as_nanos()).ok()
}

/// The SHA-256 of a file, in lower-case hexadecimal digits.
pub(crate) fn hash_file(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(hex(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
