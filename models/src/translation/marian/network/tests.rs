//! The network against candle-transformers', on random weights.

use candle_core::{DType, Device, IndexOp as _, Tensor};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::marian::MTModel;

use super::*;
use crate::translation::marian::{Precision, weights::Weights};

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
    own_for(map, options, &|_| true)
}

fn own_for(map: &VarMap, options: &MarianOptions, in_target: &dyn Fn(usize) -> bool) -> Network {
    let variables = map.data().lock().unwrap();
    let tensors = variables
        .iter()
        .map(|(name, variable)| (name.clone(), variable.as_tensor().clone()));
    let weights = Weights::Full(tensors.collect(), options.precision);
    Network::read(&config(), options, in_target, &weights.root()).unwrap()
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

/// The greatest.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
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
    let expected = numbers(&expected);
    assert!(difference(logits.numbers(), &expected) < 1e-4);
    assert!(expected.iter().any(|logit| logit.abs() > 0.5));
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
            let row_of_logits = logits.iter().nth(row).unwrap();
            let difference = difference(row_of_logits, &numbers(&expected.i(step).unwrap()));
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
    let (first, last, both) = (attention(&[0]), attention(&[2]), attention(&[0, 2]));
    assert_eq!((first.count(), first.width()), (TARGET.len(), SOURCE.len()));
    for row in first.iter() {
        let sum: f32 = row.iter().sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }
    let mut mean = first.clone();
    mean.add(&last);
    mean.scale(0.5);
    assert!(difference(mean.numbers(), both.numbers()) < 1e-6);
    assert!(difference(first.numbers(), last.numbers()) > 1e-3);
}

#[test]
fn bytes_are_near_full_precision() {
    let size = |numbers: &[f32]| numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    let mut parts: Vec<f32> = (0..9)
        .map(|_| {
            let (map, _) = random();
            let logits = |options: &MarianOptions| {
                let network = own(&map, options);
                let source = network.encode(&SOURCE).unwrap();
                let (_, decoded) = network.begin(&source, &TARGET).unwrap();
                network.logits(&decoded.hidden).unwrap()
            };
            let (full, bytes) = (logits(&full_precision()), logits(&MarianOptions::default()));
            let differences = std::iter::zip(full.numbers(), bytes.numbers());
            let differences: Vec<f32> = differences.map(|(full, bytes)| full - bytes).collect();
            size(&differences) / size(full.numbers())
        })
        .collect();
    parts.sort_by(f32::total_cmp);
    // The middle one: random weights may carry a single network far off.
    assert!(parts[0] > 0.0 && parts[4] < 0.2, "{parts:?}");
}

#[test]
fn what_no_target_may_hold_is_not_scored_and_the_rest_is_the_same() {
    let (map, _) = random();
    for options in [full_precision(), MarianOptions::default()] {
        let logits = |in_target: &dyn Fn(usize) -> bool| {
            let network = own_for(&map, &options, in_target);
            let source = network.encode(&SOURCE).unwrap();
            let (_, decoded) = network.begin(&source, &TARGET).unwrap();
            network.logits(&decoded.hidden).unwrap()
        };
        let (all, some) = (logits(&|_| true), logits(&|token| token % 3 == 1));
        for (all, some) in all.iter().zip(some.iter()) {
            for (token, (all, some)) in all.iter().zip(some).enumerate() {
                let expected = if token % 3 == 1 {
                    *all
                } else {
                    f32::NEG_INFINITY
                };
                assert!(*some == expected || (some - expected).abs() < 1e-5);
            }
        }
    }
}
