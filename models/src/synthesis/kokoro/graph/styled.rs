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
    let activation = wiring.maker(quantize.input(0)?, "Add")?;
    let styled = activation.input(0)?;
    let scaled = wiring.maker(activation.input(1)?, "Mul")?;
    let inverse = scaled.input(0)?;
    let square = wiring.maker(scaled.input(1)?, "Pow")?;
    is_number(wiring.constant(square.input(1)?)?, 2.0)?;
    let sine = wiring.maker(square.input(0)?, "Sin")?;
    let angle = wiring.maker(sine.input(0)?, "Mul")?;
    let frequency = angle.input(0)?;
    wiring.constant(frequency)?;
    wiring.constant(inverse)?;
    if angle.input(1)? != styled {
        return None;
    }

    let shifted = wiring.maker(styled, "Add")?;
    let shift = shifted.input(1)?;
    let gained = wiring.maker(shifted.input(0)?, "Mul")?;
    let gain = gained.input(0)?;
    let values = normalised(wiring, gained.input(1)?)?;

    let with_bias = wiring.taker(convolution.output(0)?, "Add")?;
    let bias = bias(wiring, with_bias.input(1)?)?;
    let cast = wiring.taker(with_bias.output(0)?, "Cast")?;
    let result = wiring.taker(cast.output(0)?, "Mul")?;
    let scales = wiring.maker(result.input(1)?, "Mul")?;
    let weight_scale = scales.input(1)?;
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
    let mut output = result.output(0)?;
    if let Some(sum) = wiring.taker(output, "Add") {
        let other = usize::from(sum.input(0)? == output);
        inputs.push(sum.input(other)?);
        output = sum.output(0)?;
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
    let centred = wiring.maker(divide.input(0)?, "Sub")?;
    let root = wiring.maker(divide.input(1)?, "Sqrt")?;
    let variance = wiring.maker(root.input(0)?, "Add")?;
    is_number(wiring.constant(variance.input(1)?)?, EPSILON)?;
    let mean_square = wiring.maker(variance.input(0)?, "ReduceMean")?;
    let square = wiring.maker(mean_square.input(0)?, "Mul")?;
    let mean = wiring.maker(centred.input(1)?, "ReduceMean")?;
    let (top, values) = (divide.input(0)?, centred.input(0)?);
    let same = square.inputs.iter().all(|input| input == top) && mean.input(0)? == values;
    same.then_some(values)
}

/// The bias that was quantised on the way to `tensor`.
fn bias<'a>(wiring: &Wiring<'a>, tensor: &str) -> Option<&'a String> {
    let reshape = wiring.maker(tensor, "Reshape")?;
    let cast = wiring.maker(reshape.input(0)?, "Cast")?;
    let floor = wiring.maker(cast.input(0)?, "Floor")?;
    let divide = wiring.maker(floor.input(0)?, "Div")?;
    let bias = divide.input(0)?;
    wiring.constant(bias)?;
    Some(bias)
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
        && ints("pads", 0) == [dilation.checked_mul(taps - 1)? / 2; 2];
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

#[cfg(test)]
mod tests {
    use super::{super::node, *};

    #[test]
    fn operators_that_take_less_than_they_must_are_left_as_they_are() {
        let list = |name: &str, ints: &[i64]| Attribute {
            name: name.to_owned(),
            ints: ints.to_vec(),
            ..Attribute::default()
        };
        let convolution = Node {
            attributes: vec![
                list("dilations", &[1]),
                list("strides", &[1]),
                list("pads", &[1, 1]),
            ],
            ..node("ConvInteger", &["bytes", "weights", "any", "zero"], "sums")
        };
        let constant = |name: &str, dimensions: &[i64]| Tensor {
            dimensions: dimensions.to_vec(),
            data_type: Some(UINT8),
            name: name.to_owned(),
            ..Tensor::default()
        };
        let mut graph = Graph {
            nodes: vec![convolution, node("DynamicQuantizeLinear", &[], "bytes")],
            initializers: vec![constant("weights", &[16, 16, 3]), constant("zero", &[])],
            ..Graph::default()
        };
        assert_eq!(fuse(&mut graph), 0);
        graph.nodes[1].inputs.push("sum".to_owned());
        graph.nodes.push(node("Add", &["values"], "sum"));
        assert_eq!(fuse(&mut graph), 0);
    }
}
