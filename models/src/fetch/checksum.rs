//! Checksums, as the catalogue and the registries write them.

use std::{io::Read, path::Path};

use sha2::{Digest, Sha512};

use super::failure::Failure;
use crate::store::hash_file;

/// What a file must hash to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Checksum {
    /// Lower-case hexadecimal digits.
    Sha256(String),
    /// As in npm's "sha512-..." without the prefix: base64.
    Sha512(String),
}

impl Checksum {
    /// Reads npm's `integrity`.
    pub(crate) fn from_integrity(integrity: &str) -> Option<Self> {
        let mut alternatives = integrity.split_whitespace();
        let sha512 = alternatives.find_map(|one| one.strip_prefix("sha512-"))?;
        Some(Self::Sha512(sha512.to_owned()))
    }

    /// Compares the file's hash.
    pub(crate) async fn verify(&self, path: &Path) -> Result<(), Failure> {
        let (this, owned) = (self.clone(), path.to_owned());
        let hashed = tokio::task::spawn_blocking(move || match this {
            Self::Sha256(_) => hash_file(&owned),
            Self::Sha512(_) => sha512_base64(&owned),
        })
        .await
        .map_err(|e| Failure::Unavailable(e.to_string()))?
        .map_err(Failure::io("read", path))?;
        let (Self::Sha256(expected) | Self::Sha512(expected)) = self;
        if hashed == *expected {
            Ok(())
        } else {
            Err(Failure::Wrong(format!(
                "its hash is {hashed} instead of {expected}"
            )))
        }
    }
}

fn sha512_base64(path: &Path) -> std::io::Result<String> {
    let mut file = std::fs::File::open(path)?;
    let mut hasher = Sha512::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        match file.read(&mut buffer)? {
            0 => return Ok(base64(&hasher.finalize())),
            read => hasher.update(&buffer[..read]),
        }
    }
}

fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group
            .iter()
            .fold(0u32, |bits, byte| bits << 8 | u32::from(*byte))
            << (8 * (3 - group.len()));
        for digit in 0..4 {
            text.push(if digit <= group.len() {
                char::from(DIGITS[(bits >> (18 - 6 * digit)) as usize & 63])
            } else {
                '='
            });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (bytes, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn integrity_with_several_hashes_gives_the_sha512() {
        assert_eq!(
            Checksum::from_integrity("sha1-abc= sha512-xyz=="),
            Some(Checksum::Sha512("xyz==".to_owned()))
        );
        assert_eq!(Checksum::from_integrity("sha1-abc="), None);
    }
}
