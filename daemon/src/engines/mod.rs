//! The models, loaded once and shared by all sessions, each on its own thread.

#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod load;
mod load_meter;
mod thread;
mod translation;
mod turns;

use interpret_models::{
    recognition::Recognizer,
    synthesis::{Synthesizer, Voice},
    vad::SileroVad,
};

pub use load::{LoadError, LoadFailure, load};
pub use load_meter::{LoadMeter, OVER as LOAD_OVER};
pub use thread::{EngineError, EngineThread, Timing};
pub use translation::{Translation, TranslationFailed};

/// All engines. Cheap to clone; the engines end with the last clone.
#[derive(Debug, Clone)]
pub struct Engines {
    detector: EngineThread<SileroVad>,
    recognizer: EngineThread<Box<dyn Recognizer>>,
    translation: Translation,
    synthesizer: EngineThread<Box<dyn Synthesizer>>,
    speech_sample_rate: u32,
    voices: Vec<Voice>,
    load: LoadMeter,
}

impl Engines {
    /// Speech detection.
    #[must_use]
    pub fn detector(&self) -> EngineThread<SileroVad> {
        self.detector.clone()
    }

    /// Recognition.
    #[must_use]
    pub fn recognizer(&self) -> EngineThread<Box<dyn Recognizer>> {
        self.recognizer.clone()
    }

    /// Translation, all pairs.
    #[must_use]
    pub fn translation(&self) -> Translation {
        self.translation.clone()
    }

    /// Synthesis.
    #[must_use]
    pub fn synthesizer(&self) -> EngineThread<Box<dyn Synthesizer>> {
        self.synthesizer.clone()
    }

    /// Samples a second of what the synthesiser speaks.
    #[must_use]
    pub fn speech_sample_rate(&self) -> u32 {
        self.speech_sample_rate
    }

    /// How busy the models are.
    #[must_use]
    pub fn load(&self) -> &LoadMeter {
        &self.load
    }

    /// All voices, by language and name.
    #[must_use]
    pub fn voices(&self) -> &[Voice] {
        &self.voices
    }
}
