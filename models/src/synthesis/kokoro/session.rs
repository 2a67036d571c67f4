//! The neural network: token numbers, a style vector and a speed in, samples out.

use std::path::Path;

use ort::{
    ep,
    session::{RunOptions, Session},
    value::TensorRef,
};

use super::voices::STYLE_WIDTH;
use crate::{onnx, synthesis::SynthesisError};

/// Tokens from which a run gives its memory back: about four seconds of speech.
const LONG_RUN: usize = 64;

/// One loaded network.
#[derive(Debug)]
pub(super) struct Network {
    session: Session,
}

impl Network {
    /// Loads the model file for `threads` threads. [`onnx::init`] must have been called.
    pub(super) fn load(path: &Path, threads: usize) -> Result<Self, SynthesisError> {
        let failed = |reason: String| SynthesisError::Load {
            path: path.to_owned(),
            reason,
        };
        let environment = onnx::environment().map_err(|error| failed(error.to_string()))?;
        let session =
            open(&environment, path, threads.max(1)).map_err(|error| failed(error.to_string()))?;
        let inputs: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        if inputs != ["input_ids", "style", "speed"] {
            return Err(failed(format!(
                "it is not a Kokoro model: its inputs are {}, not input_ids, style, speed",
                inputs.join(", ")
            )));
        }
        Ok(Self { session })
    }

    /// Speaks `tokens` (pads included) in the `style` at `speed`; samples at 24 kHz.
    pub(super) fn run(
        &mut self,
        tokens: &[i64],
        style: &[f32],
        speed: f32,
    ) -> Result<Vec<f32>, SynthesisError> {
        let mut run = || -> ort::Result<Vec<f32>> {
            let speed = [speed];
            let mut options = RunOptions::new()?;
            // What a long run took beyond the arena's first block goes back to the system after it.
            // After each run that would cost a third of its time.
            if tokens.len() > LONG_RUN {
                options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
            }
            let inputs = ort::inputs! {
                "input_ids" => TensorRef::from_array_view(([1, tokens.len()], tokens))?,
                "style" => TensorRef::from_array_view(([1, STYLE_WIDTH], style))?,
                "speed" => TensorRef::from_array_view(([1_usize], speed.as_slice()))?,
            };
            let outputs = self.session.run_with_options(inputs, &options)?;
            let (_, samples) = outputs[0].try_extract_tensor::<f32>()?;
            Ok(samples.to_vec())
        };
        run().map_err(|error| SynthesisError::Run(error.to_string()))
    }
}

/// Cores and memory are shared with the other engines: threads sleep instead of spinning between
/// runs. The arena stays on: without it the run of an 8 s clause peaks at 1.5 GB instead of 0.4,
/// since no tensor takes another's place. Memory patterns are off, for every clause has its own
/// shape.
fn open(
    environment: &ort::environment::Environment,
    path: &Path,
    threads: usize,
) -> ort::Result<Session> {
    Session::builder(environment)?
        .with_execution_providers([ep::CPU::default().with_arena_allocator(true).build()])?
        .with_memory_pattern(false)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .commit_from_file(path)
}
