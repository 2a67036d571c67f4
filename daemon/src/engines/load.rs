//! Loading the engines that every session needs.

use std::{
    path::Path,
    process::{Command, Stdio},
    sync::Arc,
    thread,
};

use interpret_models::{
    Language,
    catalogue::Role,
    error::ModelError,
    onnx::{self, OnnxError},
    recognition::{
        RecognitionError, RecognitionRequest, Recognizer, WhisperModel, WhisperOptions,
        WhisperRecognizer,
    },
    store::{Settings, Store},
    synthesis::{
        KokoroFiles, KokoroSynthesizer, SynthesisError, SynthesisRequest, Synthesizer, Voice,
    },
    translation::TranslationError,
    vad::{SileroVad, VadError},
};

use super::{
    EngineError, EngineThread, Engines, LoadMeter, Translation,
    turns::{Rank, Turns},
};
use crate::config::Models;

/// The program that gives phonemes, as found in `PATH`.
const ESPEAK: &str = "espeak-ng";

/// On so many cores models take turns, unless the configuration says otherwise.
const TURNS_UP_TO: u16 = 2;

/// An engine cannot be loaded.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// Its files are missing or damaged; the message says what to run.
    #[error(transparent)]
    Model(#[from] ModelError),
    /// ONNX Runtime cannot be used.
    #[error(transparent)]
    Onnx(#[from] OnnxError),
    /// Speech detection cannot use its files.
    #[error(transparent)]
    Detection(#[from] VadError),
    /// Recognition cannot use its files.
    #[error(transparent)]
    Recognition(#[from] RecognitionError),
    /// Translation cannot use its files.
    #[error(transparent)]
    Translation(#[from] TranslationError),
    /// Synthesis cannot use its files.
    #[error(transparent)]
    Synthesis(#[from] SynthesisError),
    /// An engine's thread is gone.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// The system refused a thread.
    #[error("cannot start a thread: {0}")]
    Thread(#[from] std::io::Error),
    /// Loading panicked.
    #[error("loading {0} failed (see the daemon's log)")]
    Panicked(String),
}

/// What a [`LoadError`] means for whoever asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LoadFailure {
    /// The catalogue has no such model.
    Unknown,
    /// A model is not there; fetching it helps.
    Missing,
    /// A model's files are damaged.
    Corrupt,
    /// Something else.
    Internal,
}

impl LoadError {
    /// What the error means for whoever asked.
    #[must_use]
    pub fn failure(&self) -> LoadFailure {
        match self {
            Self::Model(ModelError::NoSuchModel { .. } | ModelError::UnknownModel { .. }) => {
                LoadFailure::Unknown
            }
            Self::Model(ModelError::NotInstalled { .. } | ModelError::Several(_)) => {
                LoadFailure::Missing
            }
            Self::Model(ModelError::Corrupt { .. })
            | Self::Detection(_)
            | Self::Recognition(_)
            | Self::Translation(_)
            | Self::Synthesis(_) => LoadFailure::Corrupt,
            Self::Model(_)
            | Self::Onnx(_)
            | Self::Engine(_)
            | Self::Thread(_)
            | Self::Panicked(_) => LoadFailure::Internal,
        }
    }
}

/// Loads all engines but the translation models, which are loaded when they are first needed.
/// Takes seconds; not for a runtime's own thread.
///
/// # Errors
/// When a model is not fetched or damaged.
pub fn load(models: &Models) -> Result<Engines, LoadError> {
    let mut settings = Settings::from_env()?;
    if let Some(cache) = &models.cache {
        settings.cache.clone_from(cache);
    }
    let store = Store::open(settings)?;
    let threads = models.threads.unwrap_or_else(cores);
    onnx::init(&store.onnx_runtime()?)?;
    let detector = SileroVad::load(store.detection()?.file(Role::Weights)?)?;
    let weights = store.recognition(Some(&models.recognition))?;
    let model = WhisperModel::load(weights.file(Role::Weights)?)?;
    let mut recognizer = WhisperRecognizer::new(&model, WhisperOptions::new(threads))?;
    let mut synthesizer = synthesizer(&store, models, threads)?;
    warm_up(&mut recognizer, &mut synthesizer)?;
    tracing::info!(recognition = models.recognition, threads, "engines loaded");
    let speech_sample_rate = synthesizer.sample_rate();
    let voices = voices_here(&synthesizer);
    let turns = models
        .turns
        .unwrap_or(cores() <= TURNS_UP_TO)
        .then(Turns::default);
    let turn = |rank| turns.clone().map(|turns| (turns, rank));
    let load = LoadMeter::new(turns.is_some());
    Ok(Engines {
        detector: EngineThread::spawn("detection", detector)?,
        recognizer: EngineThread::spawn_in_turn(
            "recognition",
            Box::new(recognizer) as Box<dyn Recognizer>,
            turn(Rank::Recognition),
            Some(load.clone()),
        )?,
        translation: Translation::spawn(Arc::new(store), turns.clone(), load.clone())?,
        synthesizer: EngineThread::spawn_in_turn(
            "synthesis",
            Box::new(synthesizer) as Box<dyn Synthesizer>,
            turn(Rank::Synthesis),
            Some(load.clone()),
        )?,
        speech_sample_rate,
        voices,
        load,
    })
}

/// Runs the large models once: their first runs take a second or more, which the first speaker would
/// wait for.
fn warm_up(
    recognizer: &mut WhisperRecognizer,
    synthesizer: &mut KokoroSynthesizer,
) -> Result<(), LoadError> {
    // Any sound will do that is not silence, which is never given to the model.
    let hum = (0..16_000).map(|at| 0.01 * (at as f32 * 0.05).sin());
    recognizer.recognize(&RecognitionRequest {
        samples: hum.collect(),
        languages: vec![Language::ENGLISH],
        ..RecognitionRequest::default()
    })?;
    let voices = synthesizer.voices().iter();
    let voice = voices
        .filter(|voice| voice.language == Language::ENGLISH)
        .find(|voice| voice.is_default);
    if let Some(voice) = voice.map(|voice| voice.name.clone()) {
        synthesizer.synthesize(&SynthesisRequest {
            text: "One moment, please.".to_owned(),
            voice,
            speed: 1.0,
            goes_on: false,
        })?;
    }
    Ok(())
}

fn synthesizer(
    store: &Store,
    models: &Models,
    threads: u16,
) -> Result<KokoroSynthesizer, LoadError> {
    let model = store.model(&models.synthesis)?;
    let files = KokoroFiles {
        model: model.file(Role::Weights)?.to_owned(),
        voices_dir: model.folder().join("voices"),
        vocab: model.file(Role::TokenTable)?.to_owned(),
    };
    Ok(KokoroSynthesizer::load(
        &files,
        usize::from(threads),
        Path::new(ESPEAK),
    )?)
}

/// The voices that can speak here: without espeak-ng, only English has phonemes, and other languages have
/// captions only.
fn voices_here(synthesizer: &KokoroSynthesizer) -> Vec<Voice> {
    let mut voices = synthesizer.voices().to_vec();
    let found = Command::new(ESPEAK)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    if let Err(error) = found {
        tracing::warn!(%error, "the program {ESPEAK} cannot be run: only English is spoken, other languages \
             have captions; install it and start again");
        voices.retain(|voice| voice.language == Language::ENGLISH);
    }
    voices
}

/// Cores of this machine. Hyper-threads count: std cannot tell them from cores.
fn cores() -> u16 {
    thread::available_parallelism()
        .map_or(1, |cores| u16::try_from(cores.get()).unwrap_or(u16::MAX))
}
