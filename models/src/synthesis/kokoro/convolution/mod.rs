//! The operator that replaces the convolutions of Kokoro's generator in ONNX Runtime
//! (see [`graph`](super::graph)): normalisation, style, activation, convolution, bias and sum in
//! three passes over the values.

mod activation;
mod integer;

use std::sync::{Mutex, PoisonError};

use ort::{
    operator::{ComputeContext, Kernel, KernelContext, Operator, OperatorInput, OperatorOutput},
    value::TensorElementType,
};

use self::{
    activation::{Channel, Quantization},
    integer::{Layout, TASK, TOGETHER, Weights},
};
use super::graph;

/// Whether the operator is faster here than what it replaces. ONNX Runtime's own kernels use the
/// 8-bit products of AVX-512 VNNI and AVX VNNI; where a processor has neither, they are slower than
/// these.
pub(super) fn is_faster() -> bool {
    std::arch::is_x86_feature_detected!("avx2")
        && std::arch::is_x86_feature_detected!("fma")
        && !std::arch::is_x86_feature_detected!("avx512vnni")
        && !std::arch::is_x86_feature_detected!("avxvnni")
}

/// The operator, described in [`graph::OPERATOR`].
#[derive(Debug)]
pub(super) struct StyledConvolution;

impl Operator for StyledConvolution {
    type Kernel<'attr> = Convolution;

    fn name(&self) -> &str {
        graph::OPERATOR
    }

    fn inputs(&self) -> impl IntoIterator<Item = OperatorInput> {
        use TensorElementType::{Float32, Uint8};
        [
            OperatorInput::required(Float32),
            OperatorInput::required(Float32),
            OperatorInput::required(Float32),
            OperatorInput::required(Float32),
            OperatorInput::required(Float32),
            OperatorInput::required(Uint8),
            OperatorInput::required(Uint8),
            OperatorInput::required(Float32),
            OperatorInput::required(Float32),
            OperatorInput::optional(Float32),
        ]
    }

    fn outputs(&self) -> impl IntoIterator<Item = OperatorOutput> {
        [OperatorOutput::required(TensorElementType::Float32)]
    }

    fn create_kernel<'attr>(&self, context: &KernelContext<'attr>) -> ort::Result<Convolution> {
        let dilation: i64 = context
            .get(graph::DILATION)
            .ok_or_else(|| ort::Error::new("no dilation"))?;
        let weights = context.constant_input::<ort::value::DynTensorValueType>(5)?;
        let (shape, weights) = weights.try_extract_tensor::<u8>()?;
        let zero_point = context.constant_input::<ort::value::DynTensorValueType>(6)?;
        let (_, zero_point) = zero_point.try_extract_tensor::<u8>()?;
        let scale = context.constant_input::<ort::value::DynTensorValueType>(7)?;
        let (_, scale) = scale.try_extract_tensor::<f32>()?;
        let (Some(&zero_point), Some(&scale)) = (zero_point.first(), scale.first()) else {
            return Err(ort::Error::new("empty zero point or scale"));
        };
        Ok(Convolution {
            weights: Weights::new(
                weights,
                zero_point,
                scale,
                shape[0] as usize,
                shape[2] as usize,
            ),
            dilation: dilation as usize,
            activated: Vec::new(),
            rows: Vec::new(),
        })
    }
}

/// One convolution with its weights, and room for what it works on.
#[derive(Debug)]
pub(super) struct Convolution {
    weights: Weights,
    dilation: usize,
    activated: Vec<f32>,
    rows: Vec<[u8; TOGETHER]>,
}

impl Kernel for Convolution {
    fn compute(&mut self, context: &ComputeContext) -> ort::Result<()> {
        let input = |index: usize| {
            context
                .input(index)?
                .ok_or_else(|| ort::Error::new(format!("input {index} is missing")))
        };
        let (values, gain, shift) = (input(0)?, input(1)?, input(2)?);
        let (frequency, inverse, bias) = (input(3)?, input(4)?, input(8)?);
        let (shape, values) = values.try_extract_tensor::<f32>()?;
        let (_, gain) = gain.try_extract_tensor::<f32>()?;
        let (_, shift) = shift.try_extract_tensor::<f32>()?;
        let (_, frequency) = frequency.try_extract_tensor::<f32>()?;
        let (_, inverse) = inverse.try_extract_tensor::<f32>()?;
        let (_, bias) = bias.try_extract_tensor::<f32>()?;
        let added = if context.num_inputs()? > 9 {
            context.input(9)?
        } else {
            None
        };
        let added = match &added {
            Some(added) => Some(added.try_extract_tensor::<f32>()?.1),
            None => None,
        };
        let channels = self.weights.channels();
        let length = values.len() / channels;
        let fits = values.len() == channels * length
            && [gain, shift, frequency, inverse, bias]
                .iter()
                .all(|one| one.len() == channels)
            && added.is_none_or(|added| added.len() == values.len());
        if !fits {
            return Err(ort::Error::new("inputs of different sizes"));
        }
        let mut output = context
            .output(0, shape.to_vec())?
            .ok_or_else(|| ort::Error::new("no output"))?;
        let (_, output) = output.try_extract_tensor_mut::<f32>()?;
        if length == 0 {
            return Ok(());
        }
        let channel = |index: usize| Channel {
            gain: gain[index],
            shift: shift[index],
            frequency: frequency[index],
            inverse: inverse[index],
        };
        let (least, greatest) = self.activate(context, values, length, channel)?;
        // One less than the greatest: the zero point and the number are each rounded.
        let most = f32::from(self.weights.greatest() - 1);
        let scale = most / (greatest - least).max(f32::MIN_POSITIVE);
        let quantization = Quantization {
            scale,
            zero_point: (-least * scale).round() as u8,
        };
        let layout = Layout::new(length, self.dilation, self.weights.taps());
        self.quantize(context, layout, quantization)?;

        let tasks: Vec<Mutex<&mut [f32]>> =
            output.chunks_mut(TASK * length).map(Mutex::new).collect();
        let (weights, rows) = (&self.weights, &self.rows);
        context.par_for(tasks.len(), 0, |task| {
            let mut outputs = tasks[task].lock().unwrap_or_else(PoisonError::into_inner);
            let first = task * TASK;
            integer::convolve(weights, rows, layout, first, |output, start, sums| {
                let weights = weights.output(first + output);
                let step = weights.scale / scale;
                let shift = i32::from(quantization.zero_point) * weights.sum;
                let bias = bias[first + output];
                let at = output * length + start;
                let results = &mut outputs[at..at + sums.len()];
                for (result, sum) in results.iter_mut().zip(sums) {
                    *result = (*sum - shift) as f32 * step + bias;
                }
                if let Some(added) = added {
                    let at = first * length + at;
                    for (result, added) in results.iter_mut().zip(&added[at..]) {
                        *result += added;
                    }
                }
            });
        })
    }
}

impl Convolution {
    /// Fills `activated`, `[channels, length]`; returns the least and the greatest in it, or zero
    /// where that is beyond.
    fn activate(
        &mut self,
        context: &ComputeContext,
        values: &[f32],
        length: usize,
        channel: impl Fn(usize) -> Channel + Send + Sync,
    ) -> ort::Result<(f32, f32)> {
        self.activated.resize(values.len(), 0.0);
        let rows: Vec<Mutex<&mut [f32]>> =
            self.activated.chunks_mut(length).map(Mutex::new).collect();
        let range = Mutex::new((0.0_f32, 0.0_f32));
        context.par_for(rows.len(), 0, |index| {
            let mut row = rows[index].lock().unwrap_or_else(PoisonError::into_inner);
            let values = &values[index * length..(index + 1) * length];
            let (least, greatest) = activation::activate(values, channel(index), &mut row);
            let mut range = range.lock().unwrap_or_else(PoisonError::into_inner);
            *range = (range.0.min(least), range.1.max(greatest));
        })?;
        Ok(range.into_inner().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fills `rows` from `activated`.
    fn quantize(
        &mut self,
        context: &ComputeContext,
        layout: Layout,
        quantization: Quantization,
    ) -> ort::Result<()> {
        let groups = self.weights.channels() / TOGETHER;
        // What stands around the values is zero too.
        self.rows.clear();
        self.rows
            .resize(groups * layout.stride, [quantization.zero_point; TOGETHER]);
        let rows: Vec<Mutex<&mut [[u8; TOGETHER]]>> = self
            .rows
            .chunks_mut(layout.stride)
            .map(Mutex::new)
            .collect();
        let activated = &self.activated;
        context.par_for(groups, 0, |group| {
            let mut row = rows[group].lock().unwrap_or_else(PoisonError::into_inner);
            let four = group * TOGETHER * layout.length;
            let numbers = &activated[four..four + TOGETHER * layout.length];
            activation::quantize(numbers, quantization, &mut row[layout.before..]);
        })
    }
}
