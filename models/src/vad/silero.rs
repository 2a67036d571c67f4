//! Silero VAD (version 5 and 6) on ONNX Runtime.

use std::path::{Path, PathBuf};

use ort::{session::Session, value::TensorRef};

use super::{FRAME_SAMPLES, VadError, VoiceActivityDetector};
use crate::{SOURCE_SAMPLE_RATE, onnx};

/// Samples of the frame before that the model wants in front of each frame, at 16 kHz.
const CONTEXT_SAMPLES: usize = 64;
/// Values of the recurrent state, of shape `[2, 1, 128]`.
const STATE_VALUES: usize = 2 * 128;
/// Values of the model's input, of shape `[1, 576]`.
const INPUT_SAMPLES: usize = CONTEXT_SAMPLES + FRAME_SAMPLES;

/// Silero VAD. A frame costs some tenths of a millisecond on one core.
#[derive(Debug)]
pub struct SileroVad {
    session: Session,
}

/// What [`SileroVad`] remembers of one stream: its recurrent state and the end of the last frame.
#[derive(Debug, Clone, PartialEq)]
pub struct SileroState {
    recurrent: Vec<f32>,
    context: [f32; CONTEXT_SAMPLES],
}

impl SileroVad {
    /// Loads the model file (`silero_vad.onnx`). [`onnx::init`] must have been called.
    ///
    /// # Errors
    /// [`VadError::Load`] when the file is missing, is not an ONNX model, or is not Silero VAD 5
    /// or 6; or when ONNX Runtime is not loaded.
    pub fn load(path: &Path) -> Result<Self, VadError> {
        let failed = |reason: String| VadError::Load {
            path: PathBuf::from(path),
            reason,
        };
        let bytes = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let environment = onnx::environment().map_err(|error| failed(error.to_string()))?;
        let session = build(&environment, &bytes).map_err(|error| failed(error.to_string()))?;
        let mut vad = Self { session };
        // A model of another shape must fail here, not in the first session.
        let mut state = vad.start();
        vad.probability(&mut state, &[0.0; FRAME_SAMPLES])
            .map_err(|error| failed(format!("it is not Silero VAD 5 or 6 ({error})")))?;
        Ok(vad)
    }
}

/// One thread: the model is too small to share out, and one detector serves many streams.
fn build(
    environment: &ort::environment::Environment,
    bytes: &[u8],
) -> Result<Session, Box<dyn std::error::Error>> {
    Ok(Session::builder(environment)?
        .with_intra_threads(1)?
        .with_inter_threads(1)?
        .commit_from_memory(bytes)?)
}

impl VoiceActivityDetector for SileroVad {
    type State = SileroState;

    fn start(&self) -> SileroState {
        SileroState {
            recurrent: vec![0.0; STATE_VALUES],
            context: [0.0; CONTEXT_SAMPLES],
        }
    }

    fn probability(
        &mut self,
        state: &mut SileroState,
        frame: &[f32; FRAME_SAMPLES],
    ) -> Result<f32, VadError> {
        let mut input = [0.0; INPUT_SAMPLES];
        input[..CONTEXT_SAMPLES].copy_from_slice(&state.context);
        for (to, from) in input[CONTEXT_SAMPLES..].iter_mut().zip(frame) {
            // One NaN would stay in the recurrent state for the rest of the stream.
            *to = if from.is_finite() { *from } else { 0.0 };
        }
        let (probability, recurrent) = self
            .run(&input, &state.recurrent)
            .map_err(|error| VadError::Run(error.to_string()))?;
        state.recurrent = recurrent;
        state
            .context
            .copy_from_slice(&input[INPUT_SAMPLES - CONTEXT_SAMPLES..]);
        Ok(probability)
    }
}

impl SileroVad {
    /// One step: input and state in, probability and next state out.
    fn run(
        &mut self,
        input: &[f32],
        recurrent: &[f32],
    ) -> Result<(f32, Vec<f32>), Box<dyn std::error::Error>> {
        let rate = [i64::from(SOURCE_SAMPLE_RATE)];
        let outputs = self.session.run(ort::inputs! {
            "input" => TensorRef::from_array_view(([1, INPUT_SAMPLES], input))?,
            "state" => TensorRef::from_array_view(([2usize, 1, 128], recurrent))?,
            "sr" => TensorRef::from_array_view(([0usize; 0], &rate[..]))?,
        })?;
        let output = |name: &str| outputs.get(name).ok_or(format!("no output '{name}'"));
        let (_, probability) = output("output")?.try_extract_tensor::<f32>()?;
        let (_, next) = output("stateN")?.try_extract_tensor::<f32>()?;
        let probability = *probability.first().ok_or("the output is empty")?;
        if next.len() != STATE_VALUES {
            return Err(format!("its state has {} values", next.len()).into());
        }
        Ok((probability, next.to_vec()))
    }
}
