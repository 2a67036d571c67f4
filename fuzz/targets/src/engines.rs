//! Engines for targets whose sessions need them.

use std::sync::LazyLock;

use interpretd::engines::{Engines, fuzzing::silent};

use crate::Scratch;

static SILENT: LazyLock<(Scratch, Engines)> = LazyLock::new(|| {
    let cache = Scratch::new();
    let engines = silent(cache.path()).expect("a thread");
    (cache, engines)
});

/// Engines that answer nothing, made once.
///
/// # Panics
/// When the system refuses a thread.
#[must_use]
pub(crate) fn engines() -> &'static Engines {
    &SILENT.1
}
