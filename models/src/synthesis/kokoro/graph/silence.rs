//! Silence is cut before it is computed.
//!
//! Kokoro plans some .35 s of silence before what it speaks and .4 s after it, and its decoder,
//! where nine tenths of the time go, works on them as on speech: of a phrase of three words that is
//! nearly half. What is planned is known before the decoder runs (frames of 25 ms a token), so the
//! decoder's three inputs are cut there: the text (one vector a frame) and the curves of pitch and
//! loudness (two values a frame). What is spoken keeps its plan.

use super::{
    node,
    onnx::{Dimension, Graph, INT64, Shape, Tensor, TensorType, Type, ValueInfo},
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
pub(in super::super) const LEAD: &str = "lead_frames";
/// Input `[1]`: where the tokens begin whose frames are counted for [`TAIL`], from the end: -2 for
/// the last two.
pub(in super::super) const TAIL_TOKENS: &str = "tail_tokens";
/// Input `[1]`: most frames kept of those tokens.
pub(in super::super) const TAIL: &str = "tail_frames";

/// Adds the inputs [`LEAD`], [`TAIL_TOKENS`] and [`TAIL`] to the graph and lets its decoder work on
/// the frames that are kept only. `false` where the graph has other tensors than this knows: it is
/// then left as it is.
pub(super) fn cut(graph: &mut Graph) -> bool {
    let made = |name: &str| {
        graph
            .nodes
            .iter()
            .any(|node| node.outputs.iter().any(|output| output == name))
    };
    if !made(DURATIONS) || !DECODER_INPUTS.iter().all(|(name, _)| made(name)) {
        return false;
    }
    for (name, values) in DECODER_INPUTS {
        let uncut = format!("{name}/uncut");
        let outputs = graph.nodes.iter_mut().flat_map(|node| &mut node.outputs);
        for output in outputs.filter(|output| *output == name) {
            output.clone_from(&uncut);
        }
        let start = format!("cut/start_{values}");
        let end = format!("cut/end_{values}");
        graph
            .nodes
            .push(node("Slice", &[&uncut, &start, &end, "cut/2"], name));
    }
    graph.nodes.extend([
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
    ]);
    graph.initializers.extend(
        [
            ("cut/0", 0),
            ("cut/1", 1),
            ("cut/2", 2),
            ("cut/end", i64::MAX),
        ]
        .map(|(name, value)| number(name, value)),
    );
    graph.inputs.extend([LEAD, TAIL_TOKENS, TAIL].map(input));
    true
}

/// A constant `[1]`.
fn number(name: &str, value: i64) -> Tensor {
    Tensor {
        dimensions: vec![1],
        data_type: Some(INT64),
        int64_data: vec![value],
        name: name.to_owned(),
        ..Tensor::default()
    }
}

/// A whole number `[1]` given with each run.
fn input(name: &str) -> ValueInfo {
    let one = Dimension {
        size: Some(1),
        symbol: None,
    };
    ValueInfo {
        name: name.to_owned(),
        kind: Some(Type {
            tensor: Some(TensorType {
                element: INT64,
                shape: Some(Shape {
                    dimensions: vec![one],
                }),
            }),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthesis::kokoro::graph::onnx::Node;

    fn graph(names: &[&str]) -> Graph {
        Graph {
            nodes: names
                .iter()
                .map(|name| node("MatMul", &["a"], name))
                .collect(),
            ..Graph::default()
        }
    }

    fn all() -> Vec<&'static str> {
        let decoder = DECODER_INPUTS.iter().map(|(name, _)| *name);
        decoder.chain([DURATIONS]).collect()
    }

    #[test]
    fn the_decoder_gets_what_is_cut_and_nothing_else_makes_it() {
        let mut graph = graph(&all());
        assert!(cut(&mut graph));
        assert_eq!(graph.inputs.len(), 3);
        for (name, _) in DECODER_INPUTS {
            let made: Vec<&Node> = graph
                .nodes
                .iter()
                .filter(|node| node.outputs == [name])
                .collect();
            assert_eq!(made.len(), 1, "{name}");
            assert_eq!(made[0].operator, "Slice");
            let uncut = &made[0].inputs[..1];
            assert!(graph.nodes.iter().any(|node| node.outputs == uncut));
        }
    }

    #[test]
    fn a_graph_with_other_tensors_stays_as_it_is() {
        for missing in 0..4 {
            let mut names = all();
            names.remove(missing);
            let mut changed = graph(&names);
            assert!(!cut(&mut changed));
            assert_eq!(changed, graph(&names));
        }
    }
}
