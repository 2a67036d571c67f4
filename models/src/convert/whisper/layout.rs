//! Which tensors a Whisper model has in ggml, in what order, and where `CTranslate2` keeps each.

/// Sizes of a model that decide the shapes of its tensors.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dimensions {
    pub vocabulary: usize,
    pub audio_positions: usize,
    pub text_positions: usize,
    /// Width of the model (`d_model`).
    pub width: usize,
    pub audio_layers: usize,
    pub text_layers: usize,
    pub mels: usize,
}

/// A tensor to write.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Planned {
    /// whisper.cpp's name.
    pub name: String,
    /// `CTranslate2`'s variable.
    pub variable: String,
    /// If the variable stacks several matrices: which of how many.
    pub part: (usize, usize),
    /// In `PyTorch`'s order, the slowest first.
    pub shape: Vec<usize>,
    /// Whether it is stored as 16-bit floats: weights are, biases, norms and positions are not.
    pub half: bool,
}

/// All tensors in the order of `OpenAI`'s checkpoints, which the published ggml files keep.
pub(super) fn plan(of: &Dimensions) -> Vec<Planned> {
    let width = of.width;
    let mut plan = Plan {
        tensors: Vec::new(),
        width,
    };
    plan.add(
        "decoder.positional_embedding",
        "decoder/position_encodings/encodings",
        &[of.text_positions, width],
        false,
    );
    plan.add(
        "encoder.positional_embedding",
        "encoder/position_encodings/encodings",
        &[of.audio_positions, width],
        false,
    );
    plan.add(
        "decoder.token_embedding.weight",
        "decoder/embeddings/weight",
        &[of.vocabulary, width],
        true,
    );
    for layer in 0..of.text_layers {
        plan.block("decoder", layer);
    }
    plan.norm("decoder.ln", "decoder/layer_norm");
    for (convolution, inputs) in [("conv1", of.mels), ("conv2", width)] {
        let (name, variable) = (
            format!("encoder.{convolution}"),
            format!("encoder/{convolution}"),
        );
        plan.add(
            &format!("{name}.weight"),
            &format!("{variable}/weight"),
            &[width, inputs, 3],
            true,
        );
        // whisper.cpp adds it to [time, channels], so it is a column.
        plan.add(
            &format!("{name}.bias"),
            &format!("{variable}/bias"),
            &[width, 1],
            false,
        );
    }
    for layer in 0..of.audio_layers {
        plan.block("encoder", layer);
    }
    plan.norm("encoder.ln_post", "encoder/layer_norm");
    plan.tensors
}

struct Plan {
    tensors: Vec<Planned>,
    width: usize,
}

impl Plan {
    fn add(&mut self, name: &str, variable: &str, shape: &[usize], half: bool) {
        self.part(name, variable, (0, 1), shape, half);
    }

    fn part(
        &mut self,
        name: &str,
        variable: &str,
        part: (usize, usize),
        shape: &[usize],
        half: bool,
    ) {
        self.tensors.push(Planned {
            name: name.to_owned(),
            variable: variable.to_owned(),
            part,
            shape: shape.to_vec(),
            half,
        });
    }

    fn norm(&mut self, name: &str, variable: &str) {
        let width = self.width;
        self.add(
            &format!("{name}.weight"),
            &format!("{variable}/gamma"),
            &[width],
            false,
        );
        self.add(
            &format!("{name}.bias"),
            &format!("{variable}/beta"),
            &[width],
            false,
        );
    }

    fn linear(&mut self, name: &str, variable: &str, outputs: usize, inputs: usize) {
        let (weight, bias) = (format!("{variable}/weight"), format!("{variable}/bias"));
        self.add(&format!("{name}.weight"), &weight, &[outputs, inputs], true);
        self.add(&format!("{name}.bias"), &bias, &[outputs], false);
    }

    fn block(&mut self, side: &str, layer: usize) {
        let width = self.width;
        let (name, variable) = (
            format!("{side}.blocks.{layer}"),
            format!("{side}/layer_{layer}"),
        );
        self.norm(
            &format!("{name}.mlp_ln"),
            &format!("{variable}/ffn/layer_norm"),
        );
        self.linear(
            &format!("{name}.mlp.0"),
            &format!("{variable}/ffn/linear_0"),
            4 * width,
            width,
        );
        self.linear(
            &format!("{name}.mlp.2"),
            &format!("{variable}/ffn/linear_1"),
            width,
            4 * width,
        );
        let from = format!("{variable}/self_attention");
        let stacked = format!("{from}/linear_0");
        let places = [(&stacked, (0, 3)), (&stacked, (1, 3)), (&stacked, (2, 3))];
        self.attention(&format!("{name}.attn"), &from, places, "linear_1");
        if side == "decoder" {
            let from = format!("{variable}/attention");
            let (query, stacked) = (format!("{from}/linear_0"), format!("{from}/linear_1"));
            let places = [(&query, (0, 1)), (&stacked, (0, 2)), (&stacked, (1, 2))];
            self.attention(&format!("{name}.cross_attn"), &from, places, "linear_2");
        }
    }

    /// `places`: variable and part of the query, key and value projections.
    fn attention(
        &mut self,
        name: &str,
        variable: &str,
        places: [(&String, (usize, usize)); 3],
        out: &str,
    ) {
        let width = self.width;
        self.norm(&format!("{name}_ln"), &format!("{variable}/layer_norm"));
        for (projection, (from, part)) in ["query", "key", "value"].iter().zip(places) {
            let weight = format!("{name}.{projection}.weight");
            self.part(
                &weight,
                &format!("{from}/weight"),
                part,
                &[width, width],
                true,
            );
            // Whisper's keys have no bias; CTranslate2 stacks zeros in its place.
            if *projection != "key" {
                let bias = format!("{name}.{projection}.bias");
                self.part(&bias, &format!("{from}/bias"), part, &[width], false);
            }
        }
        self.linear(
            &format!("{name}.out"),
            &format!("{variable}/{out}"),
            width,
            width,
        );
    }
}
