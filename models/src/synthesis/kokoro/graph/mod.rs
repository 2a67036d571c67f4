//! The network's file, changed so that silence is not computed.
//!
//! Kokoro plans some .35 s of silence before what it speaks and .4 s after it, and its decoder,
//! where nine tenths of the time go, works on them as on speech: of a phrase of three words that is
//! nearly half. What is planned is known before the decoder runs (frames of 25 ms a token), so the
//! decoder's three inputs are cut there: the text (one vector a frame) and the curves of pitch and
//! loudness (two values a frame). What is spoken keeps its plan.
//!
//! A protobuf message goes on where its bytes go on, and fields said twice are merged: the new
//! operators are appended to the file, and its 92 MB are not parsed.

mod onnx;

use memchr::memmem;
use prost::Message;

use self::onnx::{
    Dimension, Graph, INT64, Model, Node, Shape, Tensor, TensorType, Type, ValueInfo,
};

/// Frames planned for each token: whole numbers `[tokens]`.
const DURATIONS: &str = "/encoder/Gather_output_0";
/// What the decoder takes, with the number of values each has a frame; time is the third axis.
const DECODER_INPUTS: [(&str, i64); 3] = [
    ("/encoder/MatMul_1_output_0", 1),
    ("/decoder/decoder/Unsqueeze_output_0", 2),
    ("/decoder/decoder/Unsqueeze_1_output_0", 2),
];

/// Input `[1]`: most frames kept of the first token.
pub(super) const LEAD: &str = "lead_frames";
/// Input `[1]`: how many tokens stand at the end whose frames are counted for [`TAIL`], negative.
pub(super) const TAIL_TOKENS: &str = "tail_tokens";
/// Input `[1]`: most frames kept of those tokens.
pub(super) const TAIL: &str = "tail_frames";

/// Adds the inputs [`LEAD`], [`TAIL_TOKENS`] and [`TAIL`] to the `model` file and lets its decoder
/// work on the frames that are kept only. `false` where the file has other tensors than this knows:
/// it is then left as it is.
pub(super) fn cut_silence(model: &mut Vec<u8>) -> bool {
    let outputs: Option<Vec<usize>> = DECODER_INPUTS
        .iter()
        .map(|(name, _)| output(model, name))
        .collect();
    let (Some(outputs), Some(_)) = (outputs, output(model, DURATIONS)) else {
        return false;
    };
    for end in outputs {
        // The operator that made the tensor makes it under a name that differs in its last letter.
        model[end - 1] = UNCUT;
    }
    let added = Model {
        graph: Some(cuts()),
    };
    model.extend(added.encode_to_vec());
    true
}

/// Last letter of the uncut tensors' names.
const UNCUT: u8 = b'~';

/// Where the name of the tensor `name` ends in the one operator that makes it (field 2 of a
/// `NodeProto`); `None` where there is none or more than one.
fn output(model: &[u8], name: &str) -> Option<usize> {
    let length = u8::try_from(name.len())
        .ok()
        .filter(|length| *length < 128)?;
    let field = [&[0x12, length], name.as_bytes()].concat();
    let mut found = memmem::find_iter(model, &field);
    let start = found.next()?;
    found.next().is_none().then_some(start + field.len())
}

fn cuts() -> Graph {
    let mut graph = Graph {
        inputs: [LEAD, TAIL_TOKENS, TAIL].map(input).into(),
        initializers: [
            ("cut/0", 0),
            ("cut/1", 1),
            ("cut/2", 2),
            ("cut/end", i64::MAX),
        ]
        .map(|(name, value)| number(name, value))
        .into(),
        nodes: vec![
            node("Slice", &[DURATIONS, "cut/0", "cut/1"], "cut/first"),
            node("Sub", &["cut/first", LEAD], "cut/surplus_lead"),
            node("Max", &["cut/surplus_lead", "cut/0"], "cut/start_1"),
            node("Slice", &[DURATIONS, TAIL_TOKENS, "cut/end"], "cut/last"),
            node("ReduceSum", &["cut/last"], "cut/last_frames"),
            node("Sub", &["cut/last_frames", TAIL], "cut/surplus_tail"),
            node("Max", &["cut/surplus_tail", "cut/0"], "cut/after"),
            node("ReduceSum", &[DURATIONS], "cut/all"),
            node("Sub", &["cut/all", "cut/after"], "cut/end_1"),
            node("Mul", &["cut/start_1", "cut/2"], "cut/start_2"),
            node("Mul", &["cut/end_1", "cut/2"], "cut/end_2"),
        ],
    };
    for (name, values) in DECODER_INPUTS {
        let mut uncut = name.to_owned();
        uncut.pop();
        uncut.push(char::from(UNCUT));
        let start = format!("cut/start_{values}");
        let end = format!("cut/end_{values}");
        graph
            .nodes
            .push(node("Slice", &[&uncut, &start, &end, "cut/2"], name));
    }
    graph
}

fn node(operator: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
        outputs: vec![output.to_owned()],
        operator: operator.to_owned(),
    }
}

/// A constant `[1]`.
fn number(name: &str, value: i64) -> Tensor {
    Tensor {
        dimensions: vec![1],
        data_type: INT64,
        int64_data: vec![value],
        name: name.to_owned(),
    }
}

/// A whole number `[1]` given with each run.
fn input(name: &str) -> ValueInfo {
    let shape = Shape {
        dimensions: vec![Dimension { size: 1 }],
    };
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Type {
            tensor: Some(TensorType {
                element: INT64,
                shape: Some(shape),
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(names: &[&str]) -> Vec<u8> {
        let nodes = names.iter().map(|name| node("MatMul", &["a"], name));
        let graph = Graph {
            nodes: nodes.collect(),
            ..Graph::default()
        };
        Model { graph: Some(graph) }.encode_to_vec()
    }

    fn all() -> Vec<&'static str> {
        let decoder = DECODER_INPUTS.iter().map(|(name, _)| *name);
        decoder.chain([DURATIONS]).collect()
    }

    #[test]
    fn the_decoder_gets_what_is_cut_and_nothing_else_makes_it() {
        let mut model = file(&all());
        assert!(cut_silence(&mut model));
        let graph = Model::decode(model.as_slice()).unwrap().graph.unwrap();
        assert_eq!(graph.inputs.len(), 3);
        for (name, _) in DECODER_INPUTS {
            let made: Vec<&Node> = graph
                .nodes
                .iter()
                .filter(|node| node.outputs == [name])
                .collect();
            assert_eq!(made.len(), 1, "{name}");
            assert_eq!(made[0].operator, "Slice");
            assert!(
                graph
                    .nodes
                    .iter()
                    .any(|node| node.outputs == made[0].inputs[..1])
            );
        }
    }

    #[test]
    fn a_file_with_other_tensors_stays_as_it_is() {
        for missing in 0..4 {
            let mut names = all();
            names.remove(missing);
            let mut model = file(&names);
            let before = model.clone();
            assert!(!cut_silence(&mut model));
            assert_eq!(model, before);
        }
        let mut twice = file(&[all(), all()].concat());
        assert!(!cut_silence(&mut twice));
        assert!(!cut_silence(&mut Vec::new()));
    }
}
