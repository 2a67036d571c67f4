//! Packages of registries: downloaded directly where the client tells from where, so that they can
//! be resumed and watched; by the client itself where that fails.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use tokio::sync::OnceCell;
use url::Url;

use super::{
    checksum::Checksum,
    client::only_file,
    download::Download,
    failure::Failure,
    http::Http,
    npm,
    progress::{Observer, Task, Unit},
    pypi::Pip,
};
use crate::catalogue::Archive;

/// Where an archive lies.
pub(crate) struct Found {
    pub(crate) url: Url,
    pub(crate) size: Option<u64>,
    pub(crate) checksum: Option<Checksum>,
}

/// The registries that this machine's clients are configured for. Each client is asked once.
#[derive(Default)]
pub(crate) struct Registries {
    npm: OnceCell<Result<Arc<Http>, Failure>>,
    pip: OnceCell<Result<(Arc<Http>, Pip), Failure>>,
}

impl Registries {
    /// Downloads `archive` to `to`; `work` is a folder for unfinished things.
    pub(crate) async fn download(
        &self,
        archive: &Archive,
        to: &Path,
        work: &Path,
        observer: &Arc<dyn Observer>,
    ) -> Result<(), Failure> {
        let direct = match self.find(archive).await {
            Ok((http, found)) => {
                let download = Download {
                    url: found.url,
                    token: None,
                    size: found.size,
                    checksum: found.checksum,
                    to: to.to_owned(),
                    what: format!("downloading {archive}"),
                };
                download.run(&http, observer).await
            }
            Err(failure) => Err(failure),
        };
        let failure = match direct {
            Ok(()) => return Ok(()),
            Err(full @ Failure::DiskFull { .. }) => return Err(full),
            Err(failure) => failure,
        };
        tracing::debug!(%archive, reason = failure.reason(), "no direct download");
        let by_client = self.download_by_client(archive, to, work, observer).await;
        by_client.map_err(|last| match last {
            // Both may say the same: that the client is missing.
            Failure::Unavailable(last) if last != failure.reason() => {
                Failure::Unavailable(format!("{}; {last}", failure.reason()))
            }
            last => last,
        })
    }

    async fn find(&self, archive: &Archive) -> Result<(Arc<Http>, Found), Failure> {
        match archive {
            Archive::Npm { name, version } => {
                let http = self
                    .npm
                    .get_or_init(|| async { Http::new(&npm::route().await?).map(Arc::new) });
                Ok((http.await.clone()?, npm::find(name, version).await?))
            }
            Archive::Pypi {
                name,
                version,
                tags,
            } => {
                let (http, pip) = self.pip().await?;
                let found = pip.wheel(&http, name, version, tags.as_deref()).await?;
                Ok((http, found))
            }
        }
    }

    async fn pip(&self) -> Result<(Arc<Http>, Pip), Failure> {
        let pip = self.pip.get_or_init(|| async {
            let pip = Pip::find().await?;
            Ok((Arc::new(Http::new(&pip.route)?), pip))
        });
        pip.await.clone()
    }

    async fn download_by_client(
        &self,
        archive: &Archive,
        to: &Path,
        work: &Path,
        observer: &Arc<dyn Observer>,
    ) -> Result<(), Failure> {
        let folder = tempfile::tempdir_in(work).map_err(Failure::io("write", work))?;
        let folder = folder.path();
        let _task = Task::begin(
            observer,
            format!("downloading {archive} with the registry's client"),
            Unit::Bytes,
            None,
        );
        match archive {
            Archive::Npm { name, version } => npm::pack(name, version, folder).await?,
            Archive::Pypi {
                name,
                version,
                tags,
            } => {
                let (_, pip) = self.pip().await?;
                pip.download(name, version, tags.as_deref(), folder).await?;
            }
        }
        let file: PathBuf = only_file(folder)?;
        std::fs::rename(&file, to).map_err(Failure::io("write", to))
    }
}
