//! A voice model's ONNX file, as it is changed before ONNX Runtime reads it: refused, or still one.

use interpret_models::fuzzing::changed_network;

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    if let Ok(changed) = changed_network(data.to_vec()) {
        changed_network(changed).expect("what was written can be read");
    }
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    vec![network()]
}

/// A field of a message.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).expect("a small message");
    let length = [(length & 0x7f | 0x80) as u8, (length >> 7) as u8];
    [&[number << 3 | 2][..], &length, bytes].concat()
}

/// An operator, what it takes and what it makes.
fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> Vec<u8> {
    let inputs = inputs.iter().flat_map(|name| field(1, name.as_bytes()));
    let outputs = outputs.iter().flat_map(|name| field(2, name.as_bytes()));
    let fields = inputs.chain(outputs).chain(field(4, operator.as_bytes()));
    fields.collect()
}

/// A list of numbers that an operator is told.
fn attribute(name: &str, numbers: &[u8]) -> Vec<u8> {
    let numbers = numbers.iter().flat_map(|number| [0x40, *number]);
    field(
        5,
        &field(1, name.as_bytes())
            .into_iter()
            .chain(numbers)
            .collect::<Vec<u8>>(),
    )
}

/// A convolution with all that makes it one of the operators of our own, and the tensors at which silence
/// is cut.
fn network() -> Vec<u8> {
    let convolution = [
        node(
            "ConvInteger",
            &["quantized", "weights", "zero", "none"],
            &["sums"],
        ),
        attribute("dilations", &[1]),
        attribute("strides", &[1]),
        attribute("pads", &[1, 1]),
    ];
    let nodes = [
        node("ReduceMean", &["values"], &["mean"]),
        node("Sub", &["values", "mean"], &["centred"]),
        node("Mul", &["centred", "centred"], &["square"]),
        node("ReduceMean", &["square"], &["variance"]),
        node("Add", &["variance", "epsilon"], &["more"]),
        node("Sqrt", &["more"], &["root"]),
        node("Div", &["centred", "root"], &["normal"]),
        node("Mul", &["gain", "normal"], &["gained"]),
        node("Add", &["gained", "shift"], &["styled"]),
        node("Mul", &["frequency", "styled"], &["angle"]),
        node("Sin", &["angle"], &["sine"]),
        node("Pow", &["sine", "two"], &["power"]),
        node("Mul", &["inverse", "power"], &["scaled"]),
        node("Add", &["styled", "scaled"], &["active"]),
        node(
            "DynamicQuantizeLinear",
            &["active"],
            &["quantized", "step", "zero"],
        ),
        convolution.concat(),
        node("Div", &["bias", "step"], &["divided"]),
        node("Floor", &["divided"], &["whole"]),
        node("Cast", &["whole"], &["number"]),
        node("Reshape", &["number", "shape"], &["column"]),
        node("Add", &["sums", "column"], &["biased"]),
        node("Cast", &["biased"], &["float"]),
        node("Mul", &["step", "scale"], &["steps"]),
        node("Mul", &["float", "steps"], &["result"]),
        node("Add", &["result", "values"], &["out"]),
        node("Gather", &["out"], &["/encoder/Gather_output_0"]),
        node("MatMul", &["out"], &["/encoder/MatMul_1_output_0"]),
        node(
            "Unsqueeze",
            &["out"],
            &["/decoder/decoder/Unsqueeze_output_0"],
        ),
        node(
            "Unsqueeze",
            &["out"],
            &["/decoder/decoder/Unsqueeze_1_output_0"],
        ),
    ];
    let number = |name: &str, value: f32| {
        [field(8, name.as_bytes()), field(9, &value.to_le_bytes())].concat()
    };
    let weights = [&[8, 16, 8, 16, 8, 3, 16, 2][..], &field(8, b"weights")].concat();
    let constants = [
        number("epsilon", 1e-5),
        number("two", 2.0),
        number("frequency", 1.0),
        number("inverse", 1.0),
        number("none", 0.0),
        number("bias", 0.0),
        number("scale", 1.0),
        weights,
    ];
    let outputs = field(12, &field(1, b"out"));
    let nodes = nodes.iter().flat_map(|node| field(1, node));
    let constants = constants.iter().flat_map(|tensor| field(5, tensor));
    let graph: Vec<u8> = nodes.chain(constants).chain(outputs).collect();
    field(7, &graph)
}
