//! One process at a time changes the cache.

use std::{
    fs::{File, TryLockError},
    time::Duration,
};

use super::progress::{Event, Observer};
use crate::{error::ModelError, store::Places};

/// Held while the cache changes; the system frees it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
}

impl Lock {
    /// Waits for other processes, and says so.
    pub(crate) async fn take(places: &Places, observer: &dyn Observer) -> Result<Self, ModelError> {
        let (root, path) = (places.root(), places.lock());
        std::fs::create_dir_all(root).map_err(ModelError::io("create", root))?;
        let file = File::create(&path).map_err(ModelError::io("write", &path))?;
        let mut told = false;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Self { _file: file }),
                Err(TryLockError::Error(error)) => {
                    return Err(ModelError::io("lock", &path)(error));
                }
                Err(TryLockError::WouldBlock) => {}
            }
            if !std::mem::replace(&mut told, true) {
                observer.on(Event::Note(format!(
                    "another process is changing the models in {}; waiting for it",
                    root.display()
                )));
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }
}
