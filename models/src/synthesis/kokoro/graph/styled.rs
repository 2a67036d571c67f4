//! The convolutions of Kokoro's generator, each with what stands before and after it, become one
//! operator.
//!
//! Of the time the generator takes, three quarters go into 48 convolutions of 8-bit numbers and most
//! of the rest into what leads to them: a normalisation in the style of the voice (instance
//! normalisation, [Huang and Belongie 2017](https://arxiv.org/abs/1703.06868)) and the periodic
//! activation `x + sin^2(ax) / a` ([Ziyin et al. 2020](https://arxiv.org/abs/2006.08195)), a dozen
//! operators that each read and write everything. ONNX Runtime fuses none of them and has no vector
//! form of the sine.

use super::{
    Wiring,
    onnx::{Attribute, Graph, INT, Node, Tensor, UINT8},
};

/// Domain of the operator.
pub(in super::super) const DOMAIN: &str = "interpretd";
/// Name of the operator. Inputs: values `[1, channels, time]`; gain and shift of the style
/// `[1, channels, 1]`; frequency of the activation and its inverse `[1, channels, 1]`; weights
/// `[channels, channels, taps]`, 8 bits; their zero point and scale; bias `[channels]`; optionally
/// values to add to the result. Output: values of the first input's shape.
pub(in super::super) const OPERATOR: &str = "StyledConvolution";
/// Its attribute: samples between two taps.
pub(in super::super) const DILATION: &str = "dilation";

/// What the normalisation adds to the variance.
const EPSILON: f32 = 1e-5;

/// Replaces every such chain in the graph; returns how many. The operators it was made of stay where
/// they are, unused.
pub(super) fn fuse(graph: &mut Graph) -> usize {
    let wiring = Wiring::of(graph);
    let fused: Vec<Node> = graph
        .nodes
        .iter()
        .filter(|node| node.operator == "ConvInteger")
        .filter_map(|convolution| chain(&wiring, convolution))
        .collect();
    for new in &fused {
        for node in &mut graph.nodes {
            for output in &mut node.outputs {
                if *output == new.outputs[0] {
                    output.push_str("/unfused");
                }
            }
        }
    }
    let count = fused.len();
    graph.nodes.extend(fused);
    count
}

/// The operator that does what the chain around `convolution` does; `None` where the chain is
/// another.
fn chain(wiring: &Wiring<'_>, convolution: &Node) -> Option<Node> {
    let [quantized, weights, _, zero_point] = convolution.inputs.as_slice() else {
        return None;
    };
    let dilation = same_length(wiring.constant(weights)?, convolution)?;
    wiring.constant(zero_point)?;

    let quantize = wiring.maker(quantized, "DynamicQuantizeLinear")?;
    let activation = wiring.maker(&quantize.inputs[0], "Add")?;
    let styled = &activation.inputs[0];
    let scaled = wiring.maker(&activation.inputs[1], "Mul")?;
    let inverse = &scaled.inputs[0];
    let square = wiring.maker(&scaled.inputs[1], "Pow")?;
    is_number(wiring.constant(&square.inputs[1])?, 2.0)?;
    let sine = wiring.maker(&square.inputs[0], "Sin")?;
    let angle = wiring.maker(&sine.inputs[0], "Mul")?;
    let frequency = &angle.inputs[0];
    wiring.constant(frequency)?;
    wiring.constant(inverse)?;
    if angle.inputs[1] != *styled {
        return None;
    }

    let shifted = wiring.maker(styled, "Add")?;
    let shift = &shifted.inputs[1];
    let gained = wiring.maker(&shifted.inputs[0], "Mul")?;
    let gain = &gained.inputs[0];
    let values = normalised(wiring, &gained.inputs[1])?;

    let with_bias = wiring.taker(&convolution.outputs[0], "Add")?;
    let bias = bias(wiring, &with_bias.inputs[1])?;
    let cast = wiring.taker(&with_bias.outputs[0], "Cast")?;
    let result = wiring.taker(&cast.outputs[0], "Mul")?;
    let scales = wiring.maker(&result.inputs[1], "Mul")?;
    let weight_scale = &scales.inputs[1];
    wiring.constant(weight_scale)?;

    let mut inputs = vec![
        values,
        gain,
        shift,
        frequency,
        inverse,
        weights,
        zero_point,
        weight_scale,
        bias,
    ];
    let mut output = &result.outputs[0];
    if let Some(sum) = wiring.taker(output, "Add") {
        let other = usize::from(sum.inputs[0] == *output);
        inputs.push(&sum.inputs[other]);
        output = &sum.outputs[0];
    }
    Some(Node {
        inputs: inputs.into_iter().cloned().collect(),
        outputs: vec![output.clone()],
        name: convolution.name.clone(),
        operator: OPERATOR.to_owned(),
        attributes: vec![Attribute {
            name: DILATION.to_owned(),
            int: Some(dilation),
            kind: Some(INT),
            ..Attribute::default()
        }],
        domain: Some(DOMAIN.to_owned()),
    })
}

/// The values behind `(x - mean(x)) / sqrt(mean((x - mean(x))^2) + EPSILON)`.
fn normalised<'a>(wiring: &Wiring<'a>, tensor: &str) -> Option<&'a String> {
    let divide = wiring.maker(tensor, "Div")?;
    let centred = wiring.maker(&divide.inputs[0], "Sub")?;
    let root = wiring.maker(&divide.inputs[1], "Sqrt")?;
    let variance = wiring.maker(&root.inputs[0], "Add")?;
    is_number(wiring.constant(&variance.inputs[1])?, EPSILON)?;
    let mean_square = wiring.maker(&variance.inputs[0], "ReduceMean")?;
    let square = wiring.maker(&mean_square.inputs[0], "Mul")?;
    let mean = wiring.maker(&centred.inputs[1], "ReduceMean")?;
    let same = square.inputs.iter().all(|input| *input == divide.inputs[0])
        && mean.inputs[0] == centred.inputs[0];
    same.then_some(&centred.inputs[0])
}

/// The bias that was quantised on the way to `tensor`.
fn bias<'a>(wiring: &Wiring<'a>, tensor: &str) -> Option<&'a String> {
    let reshape = wiring.maker(tensor, "Reshape")?;
    let cast = wiring.maker(&reshape.inputs[0], "Cast")?;
    let floor = wiring.maker(&cast.inputs[0], "Floor")?;
    let divide = wiring.maker(&floor.inputs[0], "Div")?;
    wiring.constant(&divide.inputs[0])?;
    Some(&divide.inputs[0])
}

/// Samples between two taps of a convolution of 8-bit weights over time that keeps its length and its
/// number of channels.
fn same_length(weights: &Tensor, convolution: &Node) -> Option<i64> {
    let [outputs, inputs, taps] = weights.dimensions.as_slice() else {
        return None;
    };
    let ints = |name: &str, otherwise: i64| -> Vec<i64> {
        let mut attributes = convolution.attributes.iter();
        let found = attributes.find(|attribute| attribute.name == name);
        found.map_or(vec![otherwise], |attribute| attribute.ints.clone())
    };
    let dilation = *ints("dilations", 1).first()?;
    let group = convolution
        .attributes
        .iter()
        .find(|attribute| attribute.name == "group")
        .map_or(1, |attribute| attribute.int.unwrap_or(1));
    let fits = outputs == inputs
        && outputs % 16 == 0
        && taps % 2 == 1
        && group == 1
        && weights.data_type == Some(UINT8)
        && ints("strides", 1) == [1]
        && ints("pads", 0) == [dilation * (taps - 1) / 2; 2];
    fits.then_some(dilation)
}

/// Whether the tensor is the single number `value`.
fn is_number(tensor: &Tensor, value: f32) -> Option<()> {
    let found = match tensor.float_data.as_slice() {
        [one] => *one,
        _ => f32::from_le_bytes(tensor.raw_data.as_deref()?.try_into().ok()?),
    };
    ((found - value).abs() <= value * 1e-3).then_some(())
}
