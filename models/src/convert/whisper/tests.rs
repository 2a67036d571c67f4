//! A Whisper model of one layer, in both formats.

use std::collections::BTreeMap;
use std::fs;
use std::io::Cursor;
use std::path::{Path, PathBuf};

use half::f16;
use proptest::prelude::*;

use super::ggml::{F16, F32, HEADER, Parameters, Q8_0, TensorHeader, skip_vocabulary};
use super::layout::{Dimensions, plan};
use super::*;
use crate::convert::ConvertError;
use crate::convert::source::Source;

const DIMENSIONS: Dimensions = Dimensions {
    vocabulary: 5,
    audio_positions: 6,
    text_positions: 4,
    width: 32,
    audio_layers: 1,
    text_layers: 2,
    mels: 3,
};

#[derive(Clone, Copy)]
enum Store {
    F32,
    F16,
    I8,
}

/// A variable's number `index`: different for each variable, exact in 16 bits and as `n / 64`.
fn number(variable: &str, index: usize) -> f32 {
    let seed: usize = variable.bytes().map(usize::from).sum();
    (((seed + 7 * index) % 255) as f32 - 127.0) / 64.0
}

fn ct2(store: Store) -> Vec<u8> {
    let mut variables: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for planned in plan(&DIMENSIONS) {
        let mut shape = planned.shape;
        shape[0] *= planned.part.1;
        if planned.name.contains("conv") && planned.name.ends_with("bias") {
            shape.pop();
        }
        variables.insert(planned.variable, shape);
    }
    let mut file = Vec::new();
    let name = |file: &mut Vec<u8>, name: &str| {
        file.extend((name.len() as u16 + 1).to_le_bytes());
        file.extend(name.bytes().chain([0]));
    };
    let variable = |file: &mut Vec<u8>, text: &str, shape: &[usize], dtype: u8, data: &[u8]| {
        name(file, text);
        file.push(shape.len() as u8);
        file.extend(shape.iter().flat_map(|&size| (size as u32).to_le_bytes()));
        file.push(dtype);
        file.extend((data.len() as u32).to_le_bytes());
        file.extend(data);
    };
    file.extend(6u32.to_le_bytes());
    name(&mut file, "WhisperSpec");
    file.extend(3u32.to_le_bytes());
    let scales = variables.values().filter(|shape| shape.len() == 2).count();
    let scales = if matches!(store, Store::I8) {
        scales
    } else {
        0
    };
    file.extend((variables.len() as u32 + scales as u32 + 2).to_le_bytes());
    for side in ["decoder", "encoder"] {
        variable(
            &mut file,
            &format!("{side}/num_heads"),
            &[],
            2,
            &2i16.to_le_bytes(),
        );
    }
    for (text, shape) in &variables {
        let numbers = (0..shape.iter().product()).map(|index| number(text, index));
        let (dtype, data): (u8, Vec<u8>) = match store {
            Store::I8 if shape.len() == 2 => {
                let scale = vec![64f32; shape[0]];
                let scale: Vec<u8> = scale.iter().flat_map(|s| s.to_le_bytes()).collect();
                variable(&mut file, &format!("{text}_scale"), &shape[..1], 0, &scale);
                (
                    1,
                    numbers
                        .map(|x| ((x * 64.0) as i8).cast_unsigned())
                        .collect(),
                )
            }
            Store::F32 => (0, numbers.flat_map(f32::to_le_bytes).collect()),
            _ => (
                4,
                numbers
                    .flat_map(|x| f16::from_f32(x).to_le_bytes())
                    .collect(),
            ),
        };
        variable(&mut file, text, shape, dtype, &data);
    }
    file.extend(0u32.to_le_bytes());
    file
}

fn parameters() -> Parameters {
    Parameters {
        n_vocab: 5,
        n_audio_ctx: 6,
        n_audio_state: 32,
        n_audio_head: 2,
        n_audio_layer: 1,
        n_text_ctx: 4,
        n_text_state: 32,
        n_text_head: 2,
        n_text_layer: 2,
        n_mels: 3,
        ftype: 1,
    }
}

/// A template of another size: only its filters and tokens may reach the result.
fn template() -> Vec<u8> {
    let mut file = Parameters {
        n_audio_state: 384,
        n_audio_layer: 4,
        ..parameters()
    }
    .to_bytes();
    file.extend(vocabulary());
    let header = TensorHeader {
        name: "decoder.ln.bias".to_owned(),
        dimensions: vec![1],
        kind: F32,
    };
    file.extend(header.to_bytes());
    file.extend([9; 4]);
    file
}

fn vocabulary() -> Vec<u8> {
    let mut bytes = [3u32, 2]
        .iter()
        .flat_map(|n| n.to_le_bytes())
        .collect::<Vec<_>>();
    bytes.extend((0..6).flat_map(|i| (i as f32).to_le_bytes()));
    bytes.extend(2u32.to_le_bytes());
    for token in ["a", "bcd"] {
        bytes.extend((token.len() as u32).to_le_bytes());
        bytes.extend(token.bytes());
    }
    bytes
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    fn convert(&self, model: &[u8], template: &[u8]) -> Result<Vec<u8>, ConvertError> {
        let (model, template) = (self.put("model.bin", model), self.put("tiny.bin", template));
        let dst = self.0.path().join("ggml.bin");
        whisper_ct2_to_ggml(&model, &template, &dst, &mut |_| ())?;
        Ok(fs::read(dst).unwrap())
    }

    fn quantize(&self, model: &[u8]) -> Result<Vec<u8>, ConvertError> {
        let (src, dst) = (self.put("ggml.bin", model), self.0.path().join("q8.bin"));
        quantize_ggml_q8_0(&src, &dst, &mut |_| ())?;
        Ok(fs::read(dst).unwrap())
    }
}

type Tensors = Vec<(TensorHeader, Vec<u8>)>;

/// Header, filters and vocabulary, and all tensors with their bytes.
fn parse(file: &[u8]) -> (Parameters, Vec<u8>, Tensors) {
    let mut source = Source::new(Cursor::new(file.to_vec()), Path::new("ggml.bin")).unwrap();
    let parameters = Parameters::read(&mut source).unwrap();
    let start = skip_vocabulary(&mut source).unwrap();
    let vocabulary = file[HEADER as usize..start as usize].to_vec();
    let mut tensors = Vec::new();
    while source.remaining() > 0 {
        let header = TensorHeader::read(&mut source).unwrap();
        let elements = header.elements().unwrap();
        let bytes = match header.kind {
            F32 => elements * 4,
            F16 => elements * 2,
            _ => elements / 32 * 34,
        };
        let bytes = source.bytes(bytes, "numbers").unwrap();
        tensors.push((header, bytes));
    }
    (parameters, vocabulary, tensors)
}

#[test]
fn a_ct2_model_becomes_ggml() {
    let folder = Folder::new();
    let file = folder.convert(&ct2(Store::F16), &template()).unwrap();
    let (header, vocabulary_found, tensors) = parse(&file);
    assert_eq!((header, vocabulary_found), (parameters(), vocabulary()));

    let names: Vec<_> = tensors
        .iter()
        .map(|(header, _)| header.name.as_str())
        .collect();
    assert_eq!(names.len(), 3 + 2 * 24 + 2 + 4 + 15 + 2);
    assert_eq!(
        names[..4],
        [
            "decoder.positional_embedding",
            "encoder.positional_embedding",
            "decoder.token_embedding.weight",
            "decoder.blocks.0.mlp_ln.weight",
        ]
    );
    let find = |name: &str| {
        tensors
            .iter()
            .find(|(header, _)| header.name == name)
            .unwrap()
    };
    let halves = |variable: &str, range: std::ops::Range<usize>| -> Vec<u8> {
        range
            .flat_map(|i| f16::from_f32(number(variable, i)).to_le_bytes())
            .collect()
    };
    let floats = |variable: &str, range: std::ops::Range<usize>| -> Vec<u8> {
        range
            .flat_map(|i| number(variable, i).to_le_bytes())
            .collect()
    };
    // The value projection is the third of three stacked; keys have no bias.
    let value = find("decoder.blocks.1.attn.value.weight");
    assert_eq!(
        (&value.0.dimensions[..], value.0.kind),
        (&[32, 32][..], F16)
    );
    let stacked = "decoder/layer_1/self_attention/linear_0";
    assert_eq!(value.1, halves(&format!("{stacked}/weight"), 2048..3072));
    let bias = find("decoder.blocks.1.attn.value.bias");
    assert_eq!(
        (bias.0.kind, &bias.1),
        (F32, &floats(&format!("{stacked}/bias"), 64..96))
    );
    assert!(!names.contains(&"decoder.blocks.1.attn.key.bias"));
    // Across, query has its own matrix, key and value share one.
    let key = find("decoder.blocks.0.cross_attn.key.weight");
    assert_eq!(
        key.1,
        halves("decoder/layer_0/attention/linear_1/weight", 0..1024)
    );
    let out = find("decoder.blocks.0.cross_attn.out.weight");
    assert_eq!(
        out.1,
        halves("decoder/layer_0/attention/linear_2/weight", 0..1024)
    );
    let up = find("encoder.blocks.0.mlp.0.weight");
    assert_eq!(up.0.dimensions, [32, 128]);
    let convolution = find("encoder.conv1.weight");
    assert_eq!(
        (&convolution.0.dimensions[..], convolution.0.kind),
        (&[3, 3, 32][..], F16)
    );
    assert_eq!(find("encoder.conv1.bias").0.dimensions, [1, 32]);
    let positions = find("encoder.positional_embedding");
    assert_eq!(
        (&positions.0.dimensions[..], positions.0.kind),
        (&[32, 6][..], F32)
    );
    assert_eq!(
        positions.1,
        floats("encoder/position_encodings/encodings", 0..192)
    );
}

#[test]
fn other_number_types_give_the_same_weights() {
    let folder = Folder::new();
    let half = folder.convert(&ct2(Store::F16), &template()).unwrap();
    assert_eq!(folder.convert(&ct2(Store::F32), &template()).unwrap(), half);
    assert_eq!(folder.convert(&ct2(Store::I8), &template()).unwrap(), half);
}

#[test]
fn a_template_of_another_kind_is_refused() {
    let folder = Folder::new();
    let mut other = template();
    other[4] = 6;
    let error = folder
        .convert(&ct2(Store::F16), &other)
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("6 tokens") && error.contains("has 5 and 3"),
        "{error}"
    );
    let error = folder
        .convert(&template(), &template())
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("model.bin") && error.contains("starts with version"),
        "{error}"
    );
}

#[test]
fn every_truncation_is_an_error() {
    let folder = Folder::new();
    let (model, template) = (ct2(Store::F16), template());
    let variables_end = model.len() - 4;
    for length in (0..variables_end).step_by(97) {
        assert!(
            folder.convert(&model[..length], &template).is_err(),
            "model cut to {length}"
        );
    }
    let vocabulary_end = HEADER as usize + vocabulary().len();
    for length in 0..vocabulary_end {
        assert!(
            folder.convert(&model, &template[..length]).is_err(),
            "template cut to {length}"
        );
    }
    let ggml = folder.convert(&model, &template).unwrap();
    let tensors = parse(&ggml).2;
    let last = tensors
        .last()
        .map(|(header, bytes)| header.to_bytes().len() + bytes.len())
        .unwrap();
    for length in ggml.len() - last + 1..ggml.len() {
        assert!(
            folder.quantize(&ggml[..length]).is_err(),
            "ggml cut to {length}"
        );
    }
}

#[test]
fn weights_are_quantised_and_nothing_else() {
    let folder = Folder::new();
    let ggml = folder.convert(&ct2(Store::F16), &template()).unwrap();
    let q8 = folder.quantize(&ggml).unwrap();
    let (before, after) = (parse(&ggml), parse(&q8));
    assert_eq!(
        after.0,
        Parameters {
            ftype: 2007,
            ..parameters()
        }
    );
    assert_eq!(after.1, before.1);
    assert_eq!(after.2.len(), before.2.len());
    let mut quantised = 0;
    for ((was, old), (is, new)) in before.2.iter().zip(&after.2) {
        assert_eq!((&was.name, &was.dimensions), (&is.name, &is.dimensions));
        let weight = was.kind == F16 && !was.name.contains("conv");
        assert_eq!(
            is.kind,
            if weight { Q8_0 } else { was.kind },
            "{}",
            was.name
        );
        if !weight {
            assert_eq!(old, new, "{}", was.name);
            continue;
        }
        quantised += 1;
        for (values, block) in old.as_chunks::<64>().0.iter().zip(new.as_chunks::<34>().0) {
            let scale = f16::from_le_bytes([block[0], block[1]]).to_f32();
            for (value, quant) in values.as_chunks().0.iter().zip(&block[2..]) {
                let (value, back) = (
                    f16::from_le_bytes(*value).to_f32(),
                    f32::from(quant.cast_signed()) * scale,
                );
                assert!(
                    (value - back).abs() <= scale * 0.51 + 1e-6,
                    "{value} became {back}"
                );
            }
        }
    }
    assert_eq!(quantised, 1 + 2 * 10 + 6);
    let error = folder.quantize(&q8).unwrap_err().to_string();
    assert!(error.contains("quantised already (ftype 2007)"), "{error}");
}

/// ggml's loop, as written in C, in double precision where C rounds once.
fn reference(values: &[f32; 32]) -> (f32, [i32; 32]) {
    let mut peak = 0f32;
    for value in values {
        if value.abs() > peak {
            peak = value.abs();
        }
    }
    let scale = peak / 127.0;
    let inverse = if scale != 0.0 { 1.0 / scale } else { 0.0 };
    (
        scale,
        values.map(|value| {
            let scaled = f64::from(value * inverse);
            // roundf: halves away from zero.
            (scaled.abs() + 0.5).floor() as i32 * if scaled < 0.0 { -1 } else { 1 }
        }),
    )
}

proptest! {
    #[test]
    fn a_block_is_what_ggml_makes_of_it(
        values in prop::array::uniform32(-1000f32..1000.0),
        magnitude in -6i32..4,
    ) {
        let values = values.map(|value| value * 10f32.powi(magnitude));
        let bytes = quantize::block(&values);
        let (scale, quants) = reference(&values);
        prop_assert_eq!(&bytes[..2], &f16::from_f32(scale).to_le_bytes());
        for (byte, quant) in bytes[2..].iter().zip(quants) {
            prop_assert_eq!(i32::from(byte.cast_signed()), quant);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = Folder::new();
        let start = ct2(Store::F16)[..28].to_vec();
        prop_assert!(folder.convert(&[start, bytes.clone()].concat(), &template()).is_err());
        let _ = folder.convert(&ct2(Store::F16), &[parameters().to_bytes(), bytes.clone()].concat());
        let start = [parameters().to_bytes(), vocabulary()].concat();
        prop_assert!(bytes.is_empty() || folder.quantize(&[start, bytes].concat()).is_err());
    }

    #[test]
    fn a_flipped_byte_never_panics(at in 0usize..3000, byte in any::<u8>()) {
        let folder = Folder::new();
        let mut model = ct2(Store::I8);
        model[at] = byte;
        let _ = folder.convert(&model, &template());
        let mut ggml = folder.convert(&ct2(Store::F16), &template()).unwrap();
        ggml[at] = byte;
        let _ = folder.quantize(&ggml);
    }
}

#[test]
fn zeros_quantise_to_zeros() {
    assert_eq!(quantize::block(&[0.0; 32]), [0; 34]);
    assert_eq!(quantize::block(&[-2.0; 32])[2..], [0x81; 32]);
}
