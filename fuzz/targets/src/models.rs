//! The smallest models that load, as files: what the fuzzer damages.

/// Numbers in a row, and inside the feed-forward parts.
const WIDTH: usize = 4;
/// Pieces of the vocabulary, with what SentencePiece calls their kind.
const PIECES: [(&str, u8); 8] = [
    ("</s>", 3),
    ("<unk>", 2),
    ("▁a", 1),
    ("▁b", 1),
    ("c", 1),
    (".", 1),
    ("▁", 1),
    ("<pad>", 3),
];

/// A SentencePiece model of [`PIECES`].
#[must_use]
pub(crate) fn sentence_pieces() -> Vec<u8> {
    let field = |number: u8, bytes: &[u8]| {
        let length = u8::try_from(bytes.len()).expect("a short field");
        [&[number << 3 | 2, length][..], bytes].concat()
    };
    let pieces = PIECES
        .iter()
        .zip(0_u8..)
        .flat_map(|((piece, kind), number)| {
            let score = (-f32::from(number)).to_le_bytes();
            let piece = [
                &field(1, piece.as_bytes())[..],
                &[0x15],
                &score,
                &[0x18, *kind],
            ];
            field(1, &piece.concat())
        });
    let unigram = field(2, &[0x18, 1]);
    pieces.chain(unigram).collect()
}

/// `vocab.json` of an OPUS-MT model with these pieces.
#[must_use]
pub(crate) fn vocabulary() -> String {
    let pieces: Vec<String> = PIECES
        .iter()
        .zip(0..)
        .map(|((piece, _), number)| format!("\"{piece}\":{number}"))
        .collect();
    format!("{{{}}}", pieces.join(","))
}

/// `config.json` of an OPUS-MT model.
#[must_use]
pub(crate) fn configuration() -> String {
    format!(
        r#"{{"model_type":"marian","vocab_size":8,"d_model":{WIDTH},"encoder_layers":1,"encoder_attention_heads":2,"encoder_ffn_dim":{WIDTH},"decoder_layers":1,"decoder_attention_heads":2,"decoder_ffn_dim":{WIDTH},"activation_function":"swish","max_position_embeddings":16,"decoder_start_token_id":7,"pad_token_id":7,"eos_token_id":0}}"#
    )
}

/// A weight that is not the same as its neighbours.
fn weight(at: usize) -> i8 {
    i8::try_from(at * 37 % 255).unwrap_or(-9)
}

fn floats(count: usize) -> Vec<u8> {
    let numbers = (0..count).map(|at| f32::from(weight(at)) / 64.0);
    numbers.flat_map(f32::to_le_bytes).collect()
}

fn bytes(count: usize) -> Vec<u8> {
    (0..count).map(|at| weight(at).cast_unsigned()).collect()
}

/// Names of an OPUS-MT model's layers: linear ones and norms.
fn layers() -> (Vec<String>, Vec<String>) {
    let (mut linear, mut norms) = (Vec::new(), Vec::new());
    for (side, attentions) in [
        ("encoder", &["self_attn"][..]),
        ("decoder", &["self_attn", "encoder_attn"]),
    ] {
        let layer = format!("model.{side}.layers.0");
        for attention in attentions {
            let projections = ["q_proj", "k_proj", "v_proj", "out_proj"];
            linear.extend(projections.map(|name| format!("{layer}.{attention}.{name}")));
            norms.push(format!("{layer}.{attention}_layer_norm"));
        }
        linear.extend(["fc1", "fc2"].map(|name| format!("{layer}.{name}")));
        norms.push(format!("{layer}.final_layer_norm"));
    }
    (linear, norms)
}

/// `model.q8.safetensors` of an OPUS-MT model, or `model.safetensors` without `in_bytes`.
#[must_use]
pub(crate) fn opus_mt(in_bytes: bool) -> Vec<u8> {
    let mut tensors: Vec<(String, Vec<usize>, Vec<u8>)> = Vec::new();
    let (linear, norms) = layers();
    let tables = [("model.shared".to_owned(), PIECES.len())];
    let squares = linear.iter().map(|name| (name.clone(), WIDTH));
    for (name, outputs) in tables.into_iter().chain(squares) {
        let (name, count) = (format!("{name}.weight"), outputs * WIDTH);
        if in_bytes {
            tensors.push((format!("{name}_scales"), vec![outputs], floats(outputs)));
            tensors.push((name, vec![outputs, WIDTH], bytes(count)));
        } else {
            tensors.push((name, vec![outputs, WIDTH], floats(count)));
        }
    }
    for name in &linear {
        tensors.push((format!("{name}.bias"), vec![WIDTH], floats(WIDTH)));
    }
    for name in &norms {
        for part in ["weight", "bias"] {
            tensors.push((format!("{name}.{part}"), vec![WIDTH], floats(WIDTH)));
        }
    }
    let bias = ("final_logits_bias".to_owned(), vec![1, PIECES.len()]);
    tensors.push((bias.0, bias.1, floats(PIECES.len())));
    safetensors(&tensors)
}

/// Tensors as safetensors has them: those with a number for every byte are bytes.
fn safetensors(tensors: &[(String, Vec<usize>, Vec<u8>)]) -> Vec<u8> {
    let (mut table, mut data) = (String::new(), Vec::new());
    for (name, shape, numbers) in tensors {
        let kind = match shape.iter().product::<usize>() == numbers.len() {
            true => "I8",
            false => "F32",
        };
        let (from, to) = (data.len(), data.len() + numbers.len());
        let comma = if table.is_empty() { "" } else { "," };
        let entry = format!(
            r#"{comma}"{name}":{{"dtype":"{kind}","shape":{shape:?},"data_offsets":[{from},{to}]}}"#
        );
        table.push_str(&entry);
        data.extend(numbers);
    }
    let table = format!("{{{table}}}");
    let length = u64::try_from(table.len()).unwrap_or_default();
    [&length.to_le_bytes(), table.as_bytes(), &data].concat()
}

/// What a student's file calls 32-bit numbers, bytes, and text.
const FLOAT: u64 = 0x404;
const BYTES: u64 = 0x4101;
const TEXT: u64 = 0x101;

/// `special:model.yml` of a student.
const SHAPE: &str = "dec-cell: ssru\ndec-depth: 1\ndim-emb: 4\nenc-depth: 1\ntied-embeddings-all: true\n\
    transformer-decoder-autoreg: rnn\ntransformer-dim-ffn: 4\ntransformer-ffn-activation: relu\n\
    transformer-ffn-depth: 2\ntransformer-heads: 2\ntransformer-postprocess: dan\n\
    transformer-preprocess: \"\"\ntype: transformer\n\0";

/// `model.bin` of a student.
#[must_use]
pub(crate) fn student() -> Vec<u8> {
    let mut items: Vec<(String, u64, Vec<u32>, Vec<u8>)> = Vec::new();
    let sizes = |shape: &[usize]| {
        shape
            .iter()
            .map(|size| u32::try_from(*size).unwrap_or(0))
            .collect()
    };
    let mut number = |name: String, count: usize| {
        items.push((name, FLOAT, sizes(&[1, count]), floats(count)));
    };
    number("decoder_ff_logit_out_b".to_owned(), PIECES.len());
    let mut matrices = vec![("Wemb".to_owned(), "none".to_owned(), [PIECES.len(), WIDTH])];
    let mut square = |name: String| matrices.push((name.clone(), name, [WIDTH, WIDTH]));
    for side in ["encoder_l1_self", "decoder_l1_context"] {
        for part in ["q", "k", "v", "o"] {
            square(format!("{side}_W{part}"));
            number(format!("{side}_b{part}"), WIDTH);
        }
    }
    for side in ["encoder_l1_ffn", "decoder_l1_ffn"] {
        for part in ["1", "2"] {
            square(format!("{side}_W{part}"));
            number(format!("{side}_b{part}"), WIDTH);
        }
    }
    square("decoder_l1_rnn_W".to_owned());
    square("decoder_l1_rnn_Wf".to_owned());
    number("decoder_l1_rnn_bf".to_owned(), WIDTH);
    for norm in [
        "encoder_l1_self_Wo",
        "encoder_l1_ffn_ffn",
        "decoder_l1_rnn_ffn",
        "decoder_l1_context_Wo",
        "decoder_l1_ffn_ffn",
    ] {
        number(format!("{norm}_ln_scale"), WIDTH);
        number(format!("{norm}_ln_bias"), WIDTH);
    }
    for (name, steps, shape) in matrices {
        let scale = 32.0_f32.to_le_bytes();
        let data = [&bytes(shape[0] * shape[1])[..], &scale].concat();
        items.push((
            format!("{steps}_QuantMultA"),
            FLOAT,
            vec![1],
            scale.to_vec(),
        ));
        items.push((name, BYTES, sizes(&shape), data));
    }
    let shape = ("special:model.yml".to_owned(), SHAPE.as_bytes().to_vec());
    items.push((shape.0, TEXT, sizes(&[SHAPE.len()]), shape.1));
    student_file(&items)
}

fn student_file(items: &[(String, u64, Vec<u32>, Vec<u8>)]) -> Vec<u8> {
    let word = |number: usize| u64::try_from(number).unwrap_or_default().to_le_bytes();
    let mut file = [1_u64.to_le_bytes(), word(items.len())].concat();
    for (name, kind, shape, data) in items {
        file.extend(word(name.len() + 1));
        file.extend(kind.to_le_bytes());
        file.extend(word(shape.len()));
        file.extend(word(data.len()));
    }
    for (name, ..) in items {
        file.extend(name.bytes().chain([0]));
    }
    for (_, _, shape, _) in items {
        file.extend(shape.iter().flat_map(|size| size.to_le_bytes()));
    }
    file.extend(word(0));
    for (.., data) in items {
        file.extend(data);
    }
    file
}

/// `lex.bin` of a student: two frequent tokens, and of each token another one as its translation.
#[must_use]
pub(crate) fn shortlist() -> Vec<u8> {
    let count = u64::try_from(PIECES.len()).unwrap_or_default();
    let header = [7, 0, 2, 1, count + 1, count];
    let words = header.into_iter().chain(0..=count);
    let mut file: Vec<u8> = words.flat_map(u64::to_le_bytes).collect();
    let translations = (0..8_u32).map(|token| (token + 3) % 8);
    file.extend(translations.flat_map(u32::to_le_bytes));
    file
}

/// Whisper's sizes: of its vocabulary, mel bands, positions of sound and of text.
const TOKENS: u32 = 3;
const MELS: u32 = 2;
const POSITIONS: u32 = 4;

/// `model.bin` of a Whisper model in `CTranslate2`'s form, of one layer each side; its matrices in 8 bits,
/// or in 16.
#[must_use]
pub(crate) fn whisper(in_bytes: bool) -> Vec<u8> {
    let width = u32::try_from(WIDTH).unwrap_or_default();
    let mut variables: Vec<(String, Vec<u32>)> = vec![
        ("decoder/embeddings/weight".to_owned(), vec![TOKENS, width]),
        ("encoder/conv1/weight".to_owned(), vec![width, MELS, 3]),
        ("encoder/conv1/bias".to_owned(), vec![width]),
        ("encoder/conv2/weight".to_owned(), vec![width, width, 3]),
        ("encoder/conv2/bias".to_owned(), vec![width]),
    ];
    for side in ["decoder", "encoder"] {
        let positions = format!("{side}/position_encodings/encodings");
        variables.push((positions, vec![POSITIONS, width]));
        let mut norms = vec![format!("{side}/layer_norm")];
        let mut linear = Vec::new();
        let mut block = |name: &str, layers: &[(u32, u32)]| {
            norms.push(format!("{side}/layer_0/{name}/layer_norm"));
            let each = layers.iter().zip(0..);
            linear.extend(each.map(|((outputs, inputs), number): (_, i32)| {
                (
                    format!("{side}/layer_0/{name}/linear_{number}"),
                    outputs * width,
                    inputs * width,
                )
            }));
        };
        block("ffn", &[(4, 1), (1, 4)]);
        block("self_attention", &[(3, 1), (1, 1)]);
        if side == "decoder" {
            block("attention", &[(1, 1), (2, 1), (1, 1)]);
        }
        for norm in norms {
            variables.extend(["gamma", "beta"].map(|part| (format!("{norm}/{part}"), vec![width])));
        }
        for (name, outputs, inputs) in linear {
            variables.push((format!("{name}/weight"), vec![outputs, inputs]));
            variables.push((format!("{name}/bias"), vec![outputs]));
        }
    }
    let (mut count, mut file) = (0_u32, Vec::new());
    let mut variable = |name: &str, shape: &[u32], kind: u8, data: &[u8]| {
        count += 1;
        file.extend(zero_ended(name));
        file.push(u8::try_from(shape.len()).unwrap_or_default());
        file.extend(shape.iter().flat_map(|size| size.to_le_bytes()));
        file.push(kind);
        file.extend(u32::try_from(data.len()).unwrap_or_default().to_le_bytes());
        file.extend(data);
    };
    for side in ["decoder", "encoder"] {
        variable(&format!("{side}/num_heads"), &[], 2, &2_i16.to_le_bytes());
    }
    for (name, shape) in &variables {
        let numbers = shape.iter().product::<u32>() as usize;
        if in_bytes && shape.len() == 2 {
            let scale = floats(shape[0] as usize);
            variable(&format!("{name}_scale"), &shape[..1], 0, &scale);
            variable(name, shape, 1, &bytes(numbers));
        } else {
            variable(name, shape, 4, &bytes(numbers * 2));
        }
    }
    let header = [
        6_u32.to_le_bytes().to_vec(),
        zero_ended("WhisperSpec"),
        3_u32.to_le_bytes().to_vec(),
    ];
    [
        header.concat(),
        count.to_le_bytes().to_vec(),
        file,
        vec![0; 4],
    ]
    .concat()
}

fn zero_ended(text: &str) -> Vec<u8> {
    let length = u16::try_from(text.len() + 1).unwrap_or_default();
    [&length.to_le_bytes()[..], text.as_bytes(), &[0]].concat()
}

/// A Whisper file in ggml's form, of which mel filters and tokens are the same: two tensors, a matrix whose
/// rows fit a block of 8-bit weights and a vector.
#[must_use]
pub(crate) fn whisper_template() -> Vec<u8> {
    let words =
        |words: &[u32]| -> Vec<u8> { words.iter().flat_map(|word| word.to_le_bytes()).collect() };
    let mut file = words(&[
        0x6767_6d6c,
        TOKENS,
        POSITIONS,
        4,
        2,
        1,
        POSITIONS,
        4,
        2,
        1,
        MELS,
        1,
    ]);
    file.extend(words(&[MELS, 2]));
    file.extend(floats(4));
    file.extend(words(&[2]));
    for token in ["a", "bc"] {
        file.extend(words(&[u32::try_from(token.len()).unwrap_or_default()]));
        file.extend(token.as_bytes());
    }
    let matrix = "decoder.token_embedding.weight";
    file.extend(words(&[2, 30, 1, 32, 2]));
    file.extend(matrix.as_bytes());
    file.extend(bytes(32 * 2 * 2));
    file.extend(words(&[1, 15, 0, 4]));
    file.extend(b"decoder.ln.bias");
    file.extend(floats(4));
    file
}
