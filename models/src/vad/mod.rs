//! Speech detection: is somebody speaking in this frame, and where do utterances begin and end?
//!
//! [`SileroVad`] gives each frame a probability, an [`EndPointer`] makes utterances of these, and a
//! [`Segmenter`] does both for a stream of samples and keeps the sound.

mod config;
mod endpoint;
mod segment;
mod silero;

pub use config::{EndpointConfig, InvalidEndpointConfig};
pub use endpoint::{EndPointer, EndReason, EndpointEvent};
pub use segment::{Segmenter, SpeechEvent, Utterance};
pub use silero::{SileroState, SileroVad};

/// Samples in one frame: 32 ms at [`SOURCE_SAMPLE_RATE`](crate::SOURCE_SAMPLE_RATE).
pub const FRAME_SAMPLES: usize = 512;

/// Detects speech, frame by frame. One detector serves many streams: what it remembers of a stream
/// is in that stream's [`State`](Self::State).
pub trait VoiceActivityDetector: Send {
    /// What the detector remembers of one stream.
    type State: Send;

    /// The state before the first frame of a stream.
    fn start(&self) -> Self::State;

    /// Probability (0 to 1) that `frame` holds speech. `frame` is 16 kHz mono, full scale +-1.
    ///
    /// # Errors
    /// When the model fails to run.
    fn probability(
        &mut self,
        state: &mut Self::State,
        frame: &[f32; FRAME_SAMPLES],
    ) -> Result<f32, VadError>;
}

/// Speech detection failed.
#[derive(Debug, thiserror::Error)]
pub enum VadError {
    /// The model file cannot be used.
    #[error("the speech detection model {path} cannot be loaded: {reason}")]
    Load {
        /// The file.
        path: std::path::PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// The model failed to run.
    #[error("speech detection failed: {0}")]
    Run(String),
}
