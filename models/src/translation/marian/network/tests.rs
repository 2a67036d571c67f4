//! The network against candle-transformers', on random weights.

use candle_core::{DType, Device, IndexOp as _};
use candle_nn::VarMap;
use candle_transformers::models::marian::MTModel;

use super::*;

/// As many heads in the encoder as in the decoder: the reference takes the decoder's for both.
fn config() -> MarianConfig {
    serde_json::from_value(serde_json::json!({
        "model_type": "marian", "vocab_size": 50, "d_model": 32,
        "encoder_layers": 2, "encoder_attention_heads": 2, "encoder_ffn_dim": 64,
        "decoder_layers": 3, "decoder_attention_heads": 2, "decoder_ffn_dim": 96,
        "activation_function": "swish", "max_position_embeddings": 40, "scale_embedding": true,
        "decoder_start_token_id": 49, "pad_token_id": 49, "eos_token_id": 0
    }))
    .unwrap()
}

/// Random weights, and the reference that made them.
fn random() -> (VarMap, MTModel) {
    let map = VarMap::new();
    let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    let reference = MTModel::new(&config().for_candle(), builder).unwrap();
    // The initial values of biases and norms are all alike: these are not.
    for variable in map.all_vars() {
        let noise = variable.randn_like(0.0, 0.3).unwrap();
        variable
            .set(&(variable.as_tensor() + noise).unwrap())
            .unwrap();
    }
    let builder = VarBuilder::from_varmap(&map, DType::F32, &Device::Cpu);
    let reference_again = MTModel::new(&config().for_candle(), builder).unwrap();
    drop(reference);
    (map, reference_again)
}

fn full_precision() -> MarianOptions {
    MarianOptions {
        precision: Precision::F32,
        ..MarianOptions::default()
    }
}

fn own(map: &VarMap, options: &MarianOptions) -> Network {
    let builder = VarBuilder::from_varmap(map, DType::F32, &Device::Cpu);
    Network::read(&config(), options, &builder).unwrap()
}

fn reference_logits(model: &mut MTModel, source: &[u32], target: &[u32]) -> Tensor {
    model.reset_kv_cache();
    let tokens = |ids: &[u32]| {
        Tensor::new(ids, &Device::Cpu)
            .unwrap()
            .unsqueeze(0)
            .unwrap()
    };
    let encoded = model.encoder().forward(&tokens(source), 0).unwrap();
    let logits = model.decode(&tokens(target), &encoded, 0).unwrap();
    logits.i(0).unwrap()
}

fn difference(a: &Tensor, b: &Tensor) -> f32 {
    let difference = (a - b).unwrap().abs().unwrap();
    difference.max_all().unwrap().to_scalar().unwrap()
}

const SOURCE: [u32; 6] = [5, 9, 33, 2, 7, 0];
const TARGET: [u32; 5] = [49, 4, 31, 4, 12];

#[test]
fn all_logits_equal_the_reference() {
    let (map, mut reference) = random();
    let network = own(&map, &full_precision());
    let source = network.encode(&SOURCE).unwrap();
    let (_, decoded) = network.begin(&source, &TARGET).unwrap();
    let logits = network.logits(&decoded.hidden).unwrap();
    let expected = reference_logits(&mut reference, &SOURCE, &TARGET);
    assert!(difference(&logits, &expected) < 1e-4);
    assert!(
        expected
            .abs()
            .unwrap()
            .max_all()
            .unwrap()
            .to_scalar::<f32>()
            .unwrap()
            > 0.5
    );
}

#[test]
fn token_by_token_and_side_by_side_equal_all_at_once() {
    let (map, mut reference) = random();
    let network = own(&map, &full_precision());
    let source = network.encode(&SOURCE).unwrap();
    let (read, _) = network.begin(&source, &TARGET[..2]).unwrap();
    let mut reads = vec![read.clone(), read];
    let targets = [[49, 4, 31, 4, 12], [49, 4, 8, 44, 3]];
    for step in 2..5 {
        let tokens = targets.map(|target| target[step]);
        let decoded = network.advance(&source, &mut reads, &tokens).unwrap();
        let logits = network.logits(&decoded.hidden).unwrap();
        for (row, target) in targets.iter().enumerate() {
            let expected = reference_logits(&mut reference, &SOURCE, &target[..=step]);
            let difference = difference(&logits.i(row).unwrap(), &expected.i(step).unwrap());
            assert!(difference < 1e-4, "row {row} at step {step}: {difference}");
        }
        // A clone that reads on leaves the original alone.
        let mut clones = reads.clone();
        network.advance(&source, &mut clones, &[1, 2]).unwrap();
    }
}

#[test]
fn attention_sums_to_one_and_is_that_of_the_chosen_layers() {
    let (map, _) = random();
    let attention = |layers: &[usize]| {
        let options = MarianOptions {
            alignment_layers: layers.to_vec(),
            ..full_precision()
        };
        let network = own(&map, &options);
        let source = network.encode(&SOURCE).unwrap();
        network.begin(&source, &TARGET).unwrap().1.attention
    };
    let (first, last) = (attention(&[0]), attention(&[2]));
    assert_eq!(first.dims(), [TARGET.len(), SOURCE.len()]);
    for sum in first.sum(1).unwrap().to_vec1::<f32>().unwrap() {
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }
    let mean = ((&first + &last).unwrap() / 2.0).unwrap();
    assert!(difference(&mean, &attention(&[0, 2])) < 1e-6);
    assert!(difference(&first, &last) > 1e-3);
}
