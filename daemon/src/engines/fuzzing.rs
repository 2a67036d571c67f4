//! Engines without models, for the fuzz targets (docs/fuzzing.md): what is checked before a model is asked
//! can then be checked anywhere.

use std::{path::Path, sync::Arc};

use interpret_models::{
    Language,
    store::{Hub, Settings, Store},
    synthesis::{Gender, Voice},
};

use super::{EngineThread, Engines, LoadError, LoadMeter, Translation};

/// Samples a second of the voices.
const SPEECH_HZ: u32 = 24_000;

/// Engines that answer nothing, of a cache that is empty: they know languages and voices.
///
/// # Errors
/// When the system refuses a thread.
pub fn silent(cache: &Path) -> Result<Engines, LoadError> {
    let hub = Hub {
        endpoint: Hub::ENDPOINT.to_owned(),
        token: None,
        offline: true,
    };
    let store = Store::open(Settings {
        cache: cache.to_owned(),
        catalogue: None,
        mirror: None,
        hub,
        onnx_runtime: None,
    })?;
    let load = LoadMeter::new(false);
    Ok(Engines {
        detector: EngineThread::stopped("detection"),
        recognizer: EngineThread::stopped("recognition"),
        translation: Translation::spawn(Arc::new(store), None, load.clone())?,
        synthesizer: EngineThread::stopped("synthesis"),
        speech_sample_rate: SPEECH_HZ,
        voices: voices(),
        load,
    })
}

fn voices() -> Vec<Voice> {
    let languages = ["en", "fr", "pt"].into_iter();
    let known = languages.filter_map(|code| code.parse::<Language>().ok());
    let voice = |language: Language| Voice {
        name: format!("voice_{language}"),
        language,
        region: None,
        gender: Gender::Female,
        is_default: true,
    };
    known.map(voice).collect()
}
