//! The fetched models: the one place of these tests that knows where they lie.

#![allow(dead_code, reason = "each test uses its part")]

use std::path::PathBuf;

use interpret_models::{
    LanguagePair,
    catalogue::Role,
    onnx,
    store::{Installed, Settings, Store, TranslationRoute},
    synthesis::KokoroFiles,
};

/// A fetched model by name; a test without its models fails and says what to run.
pub(crate) fn installed(name: &str) -> Installed {
    store()
        .model(name)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The models that translate a pair.
pub(crate) fn route(pair: LanguagePair) -> TranslationRoute {
    store()
        .translation_route(pair)
        .unwrap_or_else(|error| panic!("{error}"))
}

/// The pairs that can be translated.
pub(crate) fn pairs() -> Vec<LanguagePair> {
    store().translatable_pairs()
}

/// The weights of a model.
pub(crate) fn weights(name: &str) -> PathBuf {
    installed(name).file(Role::Weights).unwrap().to_owned()
}

/// Loads ONNX Runtime.
pub(crate) fn start_onnx_runtime() {
    onnx::init(&store().onnx_runtime().unwrap()).unwrap();
}

/// Files of the voice model, ONNX Runtime loaded.
pub(crate) fn kokoro_files() -> KokoroFiles {
    start_onnx_runtime();
    let model = installed("kokoro-82m");
    KokoroFiles {
        model: weights("kokoro-82m"),
        voices_dir: model.folder().join("voices"),
        vocab: model.file(Role::TokenTable).unwrap().to_owned(),
    }
}

fn store() -> Store {
    Store::open(Settings::from_env().unwrap()).unwrap()
}
