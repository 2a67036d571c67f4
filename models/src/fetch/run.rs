//! One fetch: every file from the first source that has it.

use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicUsize, Ordering},
    },
};

use futures_util::future::{BoxFuture, join_all};
use tempfile::TempDir;
use tokio::sync::Semaphore;

use super::{
    Options, check_space,
    checksum::Checksum,
    download::Download,
    failure::{Failed, Failure, Failures},
    http::{Http, Route},
    once::Once,
    plan::Plan,
    progress::{Event, Observer, Task, Unit},
    registry::Registries,
};
use crate::{
    catalogue::{Archive, Artifact, Content, FileName, Member, Source},
    error::ModelError,
    store::{Stamps, Store, hash_file},
};

mod recipe;
mod source;

pub(crate) use recipe::disk_full;

/// Downloads at once.
const DOWNLOADS: usize = 4;
/// Unpackings and conversions at once: each keeps a core and the disk busy.
const HEAVY: usize = 2;

type Unpacked = Result<Arc<HashMap<String, PathBuf>>, Failure>;

/// The state of one fetch. The caller holds the lock of the cache.
pub(super) struct Run<'a> {
    store: &'a Store,
    models: Vec<String>,
    options: Options,
    observer: Arc<dyn Observer>,
    plan: Plan,
    /// Unfinished files; gone with the run.
    work: TempDir,
    work_files: AtomicUsize,
    /// For the hub and mirrors.
    http: Http,
    registries: Registries,
    downloads: Semaphore,
    heavy: Semaphore,
    files: Once<FileName, Result<PathBuf, Failed>>,
    packages: Once<Archive, Unpacked>,
    cut_zips: Once<Vec<Member>, Unpacked>,
    used: Mutex<HashSet<Archive>>,
    stamps: tokio::sync::Mutex<()>,
    hub_noted: Mutex<bool>,
}

impl<'a> Run<'a> {
    pub(super) async fn new(
        store: &'a Store,
        models: Vec<String>,
        options: Options,
        observer: Arc<dyn Observer>,
    ) -> Result<Self, ModelError> {
        let places = store.places();
        let work = places.work();
        // Left over from a process that was killed: nobody else is here, the lock says.
        let _ = std::fs::remove_dir_all(&work);
        for folder in [&work, &places.downloads(), &places.models()] {
            std::fs::create_dir_all(folder).map_err(ModelError::io("create", folder))?;
        }
        let looking = {
            let (store, models) = (store.clone(), models.clone());
            tokio::task::spawn_blocking(move || Plan::new(&store, &models))
        };
        let plan = looking.await.map_err(|_| ModelError::Interrupted)??;
        check_space(&places.models(), plan.size(store.catalogue())).map_err(|failure| {
            ModelError::from(stop(&failure).unwrap_or_else(|| {
                Failures::default().into_failed(places.models().display().to_string())
            }))
        })?;
        Ok(Self {
            store,
            models,
            options,
            plan,
            work: tempfile::tempdir_in(&work).map_err(ModelError::io("write", &work))?,
            work_files: AtomicUsize::new(0),
            http: Http::new(&Route::default()).map_err(|failure| {
                let mut failures = Failures::default();
                failures.add("the network".to_owned(), &failure);
                ModelError::from(failures.into_failed("models".to_owned()))
            })?,
            registries: Registries::default(),
            downloads: Semaphore::new(DOWNLOADS),
            heavy: Semaphore::new(HEAVY),
            files: Once::new(),
            packages: Once::new(),
            cut_zips: Once::new(),
            used: Mutex::default(),
            stamps: tokio::sync::Mutex::default(),
            hub_noted: Mutex::default(),
            observer,
        })
    }

    /// Gets all that is missing.
    pub(super) async fn all(self) -> Result<(), ModelError> {
        let results = join_all(self.models.iter().map(|model| self.model(model))).await;
        if !self.options.keep_downloads {
            self.drop_downloads();
        }
        let mut errors: Vec<ModelError> = results
            .into_iter()
            .filter_map(Result::err)
            .map(ModelError::from)
            .collect();
        match errors.len() {
            0 => Ok(()),
            1 => Err(errors.remove(0)),
            _ => match errors
                .iter()
                .position(|error| matches!(error, ModelError::DiskFull { .. }))
            {
                Some(full) => Err(errors.remove(full)),
                None => Err(ModelError::Several(errors)),
            },
        }
    }

    async fn model(&self, model: &str) -> Result<(), Failed> {
        let wanted: Vec<&FileName> = self
            .plan
            .wanted
            .iter()
            .filter(|name| name.model == model)
            .collect();
        let files = join_all(wanted.iter().map(|name| self.file((*name).clone()))).await;
        files.into_iter().collect::<Result<Vec<_>, _>>()?;
        if !wanted.is_empty() {
            self.observer.on(Event::Installed {
                model: model.to_owned(),
            });
        }
        Ok(())
    }

    /// Makes sure that a file of the catalogue is in place, and returns its path.
    fn file(&self, name: FileName) -> BoxFuture<'_, Result<PathBuf, Failed>> {
        Box::pin(async move {
            let path = self.store.places().model(&name.model).join(&name.path);
            if self.plan.good.contains(&name) {
                return Ok(path);
            }
            let install = || async { self.install(&name, &path).await.map(|()| path.clone()) };
            self.files.get(name.clone(), install).await
        })
    }

    async fn install(&self, name: &FileName, path: &Path) -> Result<(), Failed> {
        let unknown = || Failures::default().into_failed(name.to_string());
        let file = self.store.catalogue().file(name).ok_or_else(unknown)?;
        let (from, content) = self.obtain(&file.artifact, name).await?;
        let folder = self.store.places().model(&name.model);
        let (own_name, own_path) = (name.clone(), path.to_owned());
        // One at a time: the stamps of a model lie in one file.
        let _one = self.stamps.lock().await;
        let placed = self.heavy(move || place(&from, &own_path, &folder, &own_name, &content));
        placed.await.map_err(|failure| {
            stop(&failure).unwrap_or_else(|| {
                let mut failures = Failures::default();
                failures.add(path.display().to_string(), &failure);
                failures.into_failed(name.to_string())
            })
        })
    }

    /// Gets a file from the first source that has it, to a path that the caller may take over.
    async fn obtain(
        &self,
        artifact: &Artifact,
        name: &FileName,
    ) -> Result<(PathBuf, Content), Failed> {
        let mut failures = Failures::default();
        for source in self.sources(artifact, name) {
            let obtained = match self.fetch_from(&source, artifact, name).await {
                Ok(path) => self.checked(path, artifact.content.as_ref()).await,
                Err(failure) => Err(failure),
            };
            match obtained {
                Ok(obtained) => return Ok(obtained),
                Err(failure) => {
                    if let Some(failed) = stop(&failure) {
                        return Err(failed);
                    }
                    tracing::debug!(file = %name, source = %source, reason = failure.reason());
                    failures.add(source.to_string(), &failure);
                }
            }
        }
        Err(failures.into_failed(name.to_string()))
    }

    /// The sources to try, best first: the mirror; then as the catalogue says, but a conversion
    /// whose input would have to be fetched for it alone goes last.
    fn sources(&self, artifact: &Artifact, name: &FileName) -> Vec<source::Tried> {
        let mirror = self.store.settings().mirror.as_ref();
        let mirror = mirror.filter(|_| artifact.content.is_some());
        let mirror = mirror.map(|base| source::Tried::mirror(base, name));
        let costly = |source: &&Source| {
            source.input().is_some_and(|input| {
                !self.plan.good.contains(input) && !self.plan.wanted.contains(input)
            })
        };
        let (last, first): (Vec<&Source>, Vec<&Source>) = artifact.sources.iter().partition(costly);
        let listed = first.into_iter().chain(last).cloned();
        mirror
            .into_iter()
            .chain(listed.map(source::Tried::Listed))
            .collect()
    }

    async fn checked(
        &self,
        path: PathBuf,
        content: Option<&Content>,
    ) -> Result<(PathBuf, Content), Failure> {
        if let Some(content) = content {
            let found = std::fs::metadata(&path).map_err(Failure::io("read", &path))?;
            if found.len() != content.size {
                return Err(Failure::Wrong(format!(
                    "the file there has {} bytes instead of {}",
                    found.len(),
                    content.size
                )));
            }
            let checksum = Checksum::Sha256(content.sha256.clone());
            checksum.verify(&path).await?;
            return Ok((path, content.clone()));
        }
        let owned = path.clone();
        let content = self.heavy(move || {
            let size = std::fs::metadata(&owned).map_err(Failure::io("read", &owned))?;
            let sha256 = hash_file(&owned).map_err(Failure::io("read", &owned))?;
            Ok(Content {
                size: size.len(),
                sha256,
            })
        });
        Ok((path, content.await?))
    }

    /// Runs something that keeps a core or the disk busy on a thread of its own.
    async fn heavy<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let gone = |e: &dyn std::fmt::Display| Failure::Unavailable(e.to_string());
        let _permit = self.heavy.acquire().await.map_err(|e| gone(&e))?;
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|e| gone(&e))?
    }

    /// A fresh path in the work folder.
    fn work_file(&self) -> PathBuf {
        let number = self.work_files.fetch_add(1, Ordering::Relaxed);
        self.work.path().join(number.to_string())
    }

    fn task(&self, what: String, unit: Unit) -> Task {
        let total = (unit == Unit::Percent).then_some(100);
        Task::begin(&self.observer, what, unit, total)
    }

    /// Deletes the packages, and parts of downloads, that no file needs any more.
    fn drop_downloads(&self) {
        let in_place = |name: &FileName| {
            let path = self.store.places().model(&name.model).join(&name.path);
            path.exists()
        };
        let used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        for archive in used.iter() {
            let users = self.plan.users.get(archive);
            if users.is_none_or(|users| users.iter().all(in_place)) {
                let path = self.package_path(archive);
                let _ = std::fs::remove_file(Download::part_of(&path));
                let _ = std::fs::remove_file(path);
            }
        }
        for name in self.plan.wanted.iter().filter(|name| in_place(name)) {
            let file = self.store.catalogue().file(name);
            if let Some(content) = file.and_then(|file| file.artifact.content.as_ref()) {
                let path = self.file_path(name, Some(content));
                let _ = std::fs::remove_file(Download::part_of(&path));
            }
        }
    }

    /// Where a file is downloaded to. Named by content, so that a download begun from one source
    /// can go on from another.
    fn file_path(&self, name: &FileName, content: Option<&Content>) -> PathBuf {
        let file = name.path.rsplit('/').next().unwrap_or(&name.path);
        let start = content.and_then(|content| content.sha256.get(..16));
        let start = start.unwrap_or(&name.model);
        self.store
            .places()
            .downloads()
            .join(format!("{start}-{file}"))
    }

    fn package_path(&self, archive: &Archive) -> PathBuf {
        let name = match archive {
            Archive::Npm { name, version } => format!("npm-{name}-{version}.tgz"),
            Archive::Pypi {
                name,
                version,
                tags,
            } => format!(
                "pypi-{name}-{version}-{}.whl",
                tags.as_deref().unwrap_or("any")
            ),
        };
        let plain = name.replace(|c: char| !c.is_ascii_alphanumeric() && c != '.', "-");
        self.store.places().downloads().join(plain)
    }
}

/// A failure that no other source would mend.
fn stop(failure: &Failure) -> Option<Failed> {
    match failure {
        Failure::DiskFull { path, needed, free } => Some(Failed::DiskFull {
            path: path.clone(),
            needed: *needed,
            free: *free,
        }),
        _ => None,
    }
}

/// Moves a checked file to its final name, whole or not at all.
fn place(
    from: &Path,
    to: &Path,
    folder: &Path,
    name: &FileName,
    content: &Content,
) -> Result<(), Failure> {
    let parent = to.parent().unwrap_or(folder);
    std::fs::create_dir_all(parent).map_err(Failure::io("create", parent))?;
    // Before the rename, so that after a power cut the name never stands for an empty file.
    std::fs::File::open(from)
        .and_then(|file| file.sync_all())
        .map_err(Failure::io("write", from))?;
    std::fs::rename(from, to).map_err(Failure::io("write", to))?;
    let found = std::fs::metadata(to).map_err(Failure::io("read", to))?;
    let mut stamps = Stamps::read(folder);
    stamps.record(&name.path, &found, content);
    stamps.save(folder);
    Ok(())
}
