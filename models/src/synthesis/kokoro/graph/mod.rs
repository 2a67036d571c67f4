//! The network's file, changed when it is loaded so that it costs less to run.

mod onnx;
mod silence;
mod styled;

use std::collections::{HashMap, HashSet};

use prost::{Message, bytes::Bytes};

use self::onnx::{Graph, Model, Node, OperatorSet, Tensor};
pub(super) use self::{
    silence::{LEAD, TAIL, TAIL_TOKENS},
    styled::{DILATION, DOMAIN, OPERATOR},
};

/// A changed network.
#[derive(Debug)]
pub(super) struct Changed {
    /// The file's bytes.
    pub(super) model: Vec<u8>,
    /// Whether it takes the inputs [`LEAD`], [`TAIL_TOKENS`] and [`TAIL`], and computes no more
    /// silence than they say.
    pub(super) cuts_silence: bool,
    /// How many of its convolutions are the operator [`OPERATOR`] of the domain [`DOMAIN`].
    pub(super) styled_convolutions: usize,
}

/// Changes the network in the ONNX file `model`: silence is cut before it is computed, and where
/// `own_convolutions` is set, the convolutions that take most of the time become an operator of our
/// own. A network with other parts than these changes know stays as it is.
///
/// # Errors
/// When the bytes are no ONNX file.
pub(super) fn change(model: Vec<u8>, own_convolutions: bool) -> Result<Changed, String> {
    let mut file = Model::decode(Bytes::from(model)).map_err(|error| error.to_string())?;
    let graph = file.graph.as_mut().ok_or("the file holds no graph")?;
    let cuts_silence = silence::cut(graph);
    let styled_convolutions = if own_convolutions {
        styled::fuse(graph)
    } else {
        0
    };
    if styled_convolutions > 0 {
        drop_unused(graph);
        file.operator_sets.push(OperatorSet {
            domain: Some(DOMAIN.to_owned()),
            version: Some(1),
        });
    }
    Ok(Changed {
        model: file.encode_to_vec(),
        cuts_silence,
        styled_convolutions,
    })
}

/// Who makes and who takes the tensors of a graph.
struct Wiring<'a> {
    makers: HashMap<&'a str, &'a Node>,
    takers: HashMap<&'a str, Vec<&'a Node>>,
    constants: HashMap<&'a str, &'a Tensor>,
}

impl<'a> Wiring<'a> {
    fn of(graph: &'a Graph) -> Self {
        let mut wiring = Self {
            makers: HashMap::new(),
            takers: HashMap::new(),
            constants: HashMap::new(),
        };
        for node in &graph.nodes {
            for output in &node.outputs {
                wiring.makers.insert(output, node);
            }
            for input in &node.inputs {
                wiring.takers.entry(input).or_default().push(node);
            }
        }
        for tensor in &graph.initializers {
            wiring.constants.insert(&tensor.name, tensor);
        }
        wiring
    }

    /// The operator that makes `tensor`, if it is an `operator`.
    fn maker(&self, tensor: &str, operator: &str) -> Option<&'a Node> {
        let node = self.makers.get(tensor)?;
        (node.operator == operator).then_some(node)
    }

    /// The only operator that takes `tensor`, if it is an `operator`.
    fn taker(&self, tensor: &str, operator: &str) -> Option<&'a Node> {
        match self.takers.get(tensor)?.as_slice() {
            [node] if node.operator == operator => Some(node),
            _ => None,
        }
    }

    fn constant(&self, tensor: &str) -> Option<&'a Tensor> {
        self.constants.get(tensor).copied()
    }
}

/// Takes away the operators whose results lead to no output of the graph.
fn drop_unused(graph: &mut Graph) {
    let mut wanted: HashSet<String> = HashSet::new();
    let mut open: Vec<String> = graph.outputs.iter().map(|out| out.name.clone()).collect();
    let wiring = Wiring::of(graph);
    while let Some(tensor) = open.pop() {
        if let Some(node) = wiring.makers.get(tensor.as_str()) {
            open.extend(
                node.inputs
                    .iter()
                    .filter(|input| !wanted.contains(*input))
                    .cloned(),
            );
        }
        wanted.insert(tensor);
    }
    graph
        .nodes
        .retain(|node| node.outputs.iter().any(|output| wanted.contains(output)));
}

/// A node without attributes.
fn node(operator: &str, inputs: &[&str], output: &str) -> Node {
    Node {
        inputs: inputs.iter().map(|&name| name.to_owned()).collect(),
        outputs: vec![output.to_owned()],
        operator: operator.to_owned(),
        ..Node::default()
    }
}
