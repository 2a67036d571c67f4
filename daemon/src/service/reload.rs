//! Files that are read again when they change: certificates and tokens.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use super::tls::Identity;
use crate::access::Tokens;

/// How often files are looked at.
const EVERY: Duration = Duration::from_secs(5);

/// What is read again.
#[derive(Debug, Clone, Default)]
pub(super) struct Reload {
    pub(super) identity: Option<Arc<Identity>>,
    pub(super) tokens: Option<Arc<Tokens>>,
}

/// When a file was written last, and how long it was; none: it is not there.
type Stamp = Option<(SystemTime, u64)>;

impl Reload {
    /// Reads everything again now. What cannot be used is told in the log, and stays as it was.
    pub(super) fn now(&self) {
        if let Some(identity) = &self.identity {
            match identity.reload() {
                Ok(()) => tracing::info!("certificates read again"),
                Err(error) => tracing::error!(%error, "the old certificates stay in use"),
            }
        }
        if let Some(tokens) = &self.tokens {
            match tokens.reload() {
                Ok(()) => tracing::info!("tokens read again"),
                Err(error) => tracing::error!(%error, "the old tokens stay in use"),
            }
        }
    }

    /// Reads everything again whenever a file has changed. Never ends.
    pub(super) async fn watch(self) {
        let files: Vec<PathBuf> = self.files().map(Path::to_owned).collect();
        if files.is_empty() {
            return std::future::pending().await;
        }
        let mut known = stamps(&files).await;
        loop {
            tokio::time::sleep(EVERY).await;
            let now = stamps(&files).await;
            // A certificate and its key are written one after the other: wait until both are there
            // and nothing has moved since the last look.
            if now != known && now.iter().all(Option::is_some) && now == stamps(&files).await {
                known = now;
                self.now();
            }
        }
    }

    fn files(&self) -> impl Iterator<Item = &Path> {
        let identity = self.identity.iter().flat_map(|identity| identity.files());
        identity.chain(self.tokens.iter().map(|tokens| tokens.path()))
    }
}

async fn stamps(files: &[PathBuf]) -> Vec<Stamp> {
    let mut stamps = Vec::with_capacity(files.len());
    for file in files {
        let metadata = tokio::fs::metadata(file).await.ok();
        stamps.push(metadata.and_then(|m| Some((m.modified().ok()?, m.len()))));
    }
    stamps
}
