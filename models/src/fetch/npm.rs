//! Packages of the npm registry, by the configuration of the machine's own client.

use std::path::Path;

use serde::Deserialize;
use url::Url;

use super::{checksum::Checksum, client, failure::Failure, http::Route, registry::Found};

/// What npm says about a package's archive.
#[derive(Deserialize)]
struct Dist {
    tarball: String,
    integrity: Option<String>,
}

/// Asks npm for a package's archive.
pub(crate) async fn find(name: &str, version: &str) -> Result<Found, Failure> {
    let package = format!("{name}@{version}");
    let answer = client::ask(&["npm"], &["view", &package, "dist", "--json"]).await?;
    let dist: Dist = serde_json::from_str(&answer)
        .map_err(|e| Failure::Unavailable(format!("npm does not know {package} ({e})")))?;
    let url = Url::parse(&dist.tarball)
        .map_err(|e| Failure::Unavailable(format!("npm names no address of {package} ({e})")))?;
    Ok(Found {
        checksum: dist.integrity.as_deref().and_then(Checksum::from_integrity),
        url,
        size: None,
    })
}

/// Asks npm how it reaches its registry.
pub(crate) async fn route() -> Result<Route, Failure> {
    let answer = client::ask(&["npm"], &["config", "get", "cafile", "https-proxy"]).await?;
    Ok(Route {
        certificates: configured(&answer, "cafile"),
        proxy: configured(&answer, "https-proxy"),
    })
}

/// The value in npm's "key=value" lines; "null" and nothing mean none.
fn configured(answer: &str, key: &str) -> Option<String> {
    let mut lines = answer.lines().filter_map(|line| line.split_once('='));
    let (_, value) = lines.find(|(found, _)| found.trim() == key)?;
    let value = value.trim();
    (!value.is_empty() && value != "null").then(|| value.to_owned())
}

/// Lets npm download the archive into `folder`, which is empty.
pub(crate) async fn pack(name: &str, version: &str, folder: &Path) -> Result<(), Failure> {
    let (package, folder) = (format!("{name}@{version}"), folder.to_string_lossy());
    let arguments = ["pack", "--silent", "--pack-destination", &folder, &package];
    client::run(&["npm"], &arguments).await.map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unset_keys_are_none() {
        let answer = "cafile=/etc/ca.pem\nhttps-proxy=null\n";
        assert_eq!(configured(answer, "cafile").as_deref(), Some("/etc/ca.pem"));
        assert_eq!(configured(answer, "https-proxy"), None);
        assert_eq!(configured(answer, "noproxy"), None);
    }
}
