//! Engines for targets whose sessions need them.

use std::sync::LazyLock;

use interpretd::engines::{Engines, fuzzing::silent};

use crate::Scratch;

// The folder goes at once: it is the cache of models of which none is ever looked for.
static SILENT: LazyLock<Engines> =
    LazyLock::new(|| silent(Scratch::new().path()).expect("a thread"));

/// Engines that answer nothing, made once.
pub(crate) fn engines() -> &'static Engines {
    &SILENT
}
