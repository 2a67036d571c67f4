//! The neural network: token numbers, a style vector and a speed in, samples out.

use std::path::Path;

use ort::{
    ep,
    session::{RunOptions, Session, builder::SessionBuilder},
    value::TensorRef,
};

use super::{
    graph::{self, Changed},
    voices::STYLE_WIDTH,
};
use crate::{onnx, synthesis::SynthesisError};

/// Tokens from which a run gives its memory back: about four seconds of speech.
const LONG_RUN: usize = 64;

/// Frames of 25 ms kept of the silence before the first sound: it begins up to three frames before
/// the first phoneme is planned, and a soft consonant is not to be lost.
const LEAD_FRAMES: i64 = 5;
/// Frames kept from where the last phoneme is planned, at the voice's own speed. It is planned with
/// the silence after it; what is heard of it ends within six.
const TAIL_FRAMES: f32 = 9.0;

/// One loaded network.
#[derive(Debug)]
pub(super) struct Network {
    session: Session,
    /// Whether it takes how much silence to keep.
    cuts_silence: bool,
}

/// What to speak.
#[derive(Debug, Clone, Copy)]
pub(super) struct Utterance<'a> {
    /// Token numbers, a pad at either end.
    pub(super) tokens: &'a [i64],
    /// How many tokens follow the last phoneme: the pad and the punctuation before it.
    pub(super) tokens_after: usize,
    /// Style vector, `STYLE_WIDTH` numbers.
    pub(super) style: &'a [f32],
    /// Speed, 1 for the voice's own.
    pub(super) speed: f32,
}

impl Network {
    /// Loads the model file for `threads` threads. [`onnx::init`] must have been called.
    pub(super) fn load(path: &Path, threads: usize) -> Result<Self, SynthesisError> {
        let failed = |reason: String| SynthesisError::Load {
            path: path.to_owned(),
            reason,
        };
        let environment = onnx::environment().map_err(|error| failed(error.to_string()))?;
        let model = std::fs::read(path).map_err(|error| failed(error.to_string()))?;
        let Changed {
            model,
            cuts_silence,
            styled_convolutions,
        } = graph::change(model, own_convolutions_are_faster()).map_err(failed)?;
        if !cuts_silence {
            tracing::warn!(
                path = %path.display(),
                "this voice model computes silence too: its parts have other names than expected"
            );
        }
        tracing::debug!(
            styled_convolutions,
            "convolutions of the voice model by our own kernels"
        );
        let session = open(&environment, &model, threads.max(1))
            .map_err(|error| failed(error.to_string()))?;
        let inputs: Vec<&str> = session.inputs().iter().map(|input| input.name()).collect();
        if !inputs.starts_with(&["input_ids", "style", "speed"]) {
            return Err(failed(format!(
                "it is not a Kokoro model: its inputs are {}, not input_ids, style, speed",
                inputs.join(", ")
            )));
        }
        Ok(Self {
            session,
            cuts_silence,
        })
    }

    /// Speaks it: samples at 24 kHz.
    pub(super) fn run(&mut self, utterance: Utterance<'_>) -> Result<Vec<f32>, SynthesisError> {
        let Utterance { tokens, style, .. } = utterance;
        let speed = [utterance.speed];
        let lead = [LEAD_FRAMES];
        let tail_tokens = [-(utterance.tokens_after as i64 + 1)];
        let tail = [(TAIL_FRAMES / utterance.speed.min(1.0)).ceil() as i64];
        let mut run = || -> ort::Result<Vec<f32>> {
            let mut options = RunOptions::new()?;
            // What a long run took beyond the arena's first block goes back to the system after it.
            // After each run that would cost a third of its time.
            if tokens.len() > LONG_RUN {
                options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
            }
            let mut inputs = ort::inputs! {
                "input_ids" => TensorRef::from_array_view(([1, tokens.len()], tokens))?,
                "style" => TensorRef::from_array_view(([1, STYLE_WIDTH], style))?,
                "speed" => TensorRef::from_array_view(([1_usize], speed.as_slice()))?,
            };
            if self.cuts_silence {
                inputs.extend(ort::inputs! {
                    graph::LEAD => TensorRef::from_array_view(([1_usize], lead.as_slice()))?,
                    graph::TAIL_TOKENS => TensorRef::from_array_view(([1_usize], tail_tokens.as_slice()))?,
                    graph::TAIL => TensorRef::from_array_view(([1_usize], tail.as_slice()))?,
                });
            }
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
    model: &[u8],
    threads: usize,
) -> ort::Result<Session> {
    with_own_operators(Session::builder(environment)?)?
        .with_execution_providers([ep::CPU::default().with_arena_allocator(true).build()])?
        .with_memory_pattern(false)?
        .with_intra_threads(threads)?
        .with_inter_threads(1)?
        .with_intra_op_spinning(false)?
        .commit_from_memory(model)
}

#[cfg(target_arch = "x86_64")]
fn own_convolutions_are_faster() -> bool {
    super::convolution::is_faster()
}

#[cfg(target_arch = "x86_64")]
fn with_own_operators(builder: SessionBuilder) -> ort::Result<SessionBuilder> {
    let domain = ort::operator::OperatorDomain::new(graph::DOMAIN)?
        .add(super::convolution::StyledConvolution)?;
    Ok(builder.with_operators(domain)?)
}

/// Our kernels are written for x86-64 so far: elsewhere ONNX Runtime's run.
#[cfg(not(target_arch = "x86_64"))]
fn own_convolutions_are_faster() -> bool {
    false
}

#[cfg(not(target_arch = "x86_64"))]
fn with_own_operators(builder: SessionBuilder) -> ort::Result<SessionBuilder> {
    Ok(builder)
}
