//! The network against candle-transformers', on random weights.

use candle_core::{DType, Device, IndexOp as _, Tensor};
use candle_nn::{VarBuilder, VarMap};
use candle_transformers::models::marian::MTModel;

use super::*;
use crate::translation::marian::{Precision, search::Decoder, weights::Weights};

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
    Network::read(
        &config(),
        options,
        in_target,
        &weights.root(&Shelf::default()),
    )
    .unwrap()
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

/// What comes of a source and a target, of which TARGET's first token is the start.
fn decoded(network: &Network) -> Decoded {
    let mut reads = network.encode(&[&SOURCE]).unwrap();
    let (decoded, counts) = network.decode(&mut reads, &[TARGET[1..].to_vec()]).unwrap();
    assert_eq!(counts, [TARGET.len()]);
    decoded
}

/// The greatest.
fn difference(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    let differences = a.iter().zip(b).map(|(a, b)| (a - b).abs());
    differences.fold(0.0, f32::max)
}

/// The middle one of what several random networks come to: rounding carries a single one far off now and then, where a
/// norm divides by nearly nothing; what is computed wrongly shows in all.
fn typical(of_one: impl Fn() -> f32) -> f32 {
    let mut all: Vec<f32> = (0..9).map(|_| of_one()).collect();
    all.sort_by(f32::total_cmp);
    all[4]
}

fn numbers(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

const SOURCE: [u32; 6] = [5, 9, 33, 2, 7, 0];
const TARGET: [u32; 5] = [49, 4, 31, 4, 12];

#[test]
fn all_logits_equal_the_reference() {
    let difference = typical(|| {
        let (map, mut reference) = random();
        let network = own(&map, &full_precision());
        let logits = network.scores(&decoded(&network).hidden).unwrap();
        let expected = reference_logits(&mut reference, &SOURCE, &TARGET);
        let expected = numbers(&expected);
        assert!(expected.iter().any(|logit| logit.abs() > 0.5));
        difference(logits.numbers(), &expected)
    });
    assert!(difference < 1e-4, "{difference}");
}

#[test]
fn token_by_token_and_side_by_side_equal_all_at_once() {
    let difference = typical(side_by_side);
    assert!(difference < 1e-4, "{difference}");
}

/// The greatest difference from all at once.
fn side_by_side() -> f32 {
    let mut greatest = 0.0_f32;
    let (map, mut reference) = random();
    let network = own(&map, &full_precision());
    // Sources of different lengths, and targets that are read in steps of different lengths.
    let sources: [&[u32]; 3] = [&SOURCE, &SOURCE, &[8, 21, 0]];
    let targets: [[u32; 5]; 3] = [[49, 4, 31, 4, 12], [49, 4, 8, 44, 3], [49, 17, 17, 2, 40]];
    let mut reads = network.encode(&sources).unwrap();
    for steps in [[1..2, 1..3, 1..1], [2..3, 3..4, 1..4], [3..5, 4..5, 4..5]] {
        let tokens = [0, 1, 2].map(|which| targets[which][steps[which].clone()].to_vec());
        let (decoded, counts) = network.decode(&mut reads, &tokens).unwrap();
        let logits = network.scores(&decoded.hidden).unwrap();
        let mut end = 0;
        for (which, count) in counts.iter().enumerate() {
            end += count;
            let read = &targets[which][..steps[which].end];
            let expected = reference_logits(&mut reference, sources[which], read);
            let expected = numbers(&expected.i(read.len() - 1).unwrap());
            let logits = logits.iter().nth(end - 1).unwrap();
            greatest = greatest.max(difference(logits, &expected));
        }
        // A clone that reads on leaves the original alone.
        let mut clones = reads.clone();
        network
            .decode(&mut clones, &[vec![1], vec![2], vec![3]])
            .unwrap();
    }
    greatest
}

/// With bytes each row is rounded by itself, so others beside it change nothing at all.
#[test]
fn sentences_side_by_side_are_exactly_as_each_alone() {
    let (map, _) = random();
    let network = own(&map, &MarianOptions::default());
    let sources: [&[u32]; 3] = [&SOURCE, &[8, 21, 0], &[30, 0]];
    let tokens = [vec![4, 31], vec![], vec![17, 17, 2]];
    let mut together = network.encode(&sources).unwrap();
    let rows = Decoder::read(&network, &mut together, &tokens).unwrap();
    for ((source, tokens), row) in sources.iter().zip(&tokens).zip(rows) {
        let mut alone = network.encode(&[source]).unwrap();
        let alone = Decoder::read(&network, &mut alone, std::slice::from_ref(tokens)).unwrap();
        assert_eq!(row.log_probabilities, alone[0].log_probabilities);
        assert_eq!(row.attention, alone[0].attention);
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
        decoded(&network).attention
    };
    let (first, last, both) = (attention(&[0]), attention(&[2]), attention(&[0, 2]));
    assert_eq!(first.len(), TARGET.len());
    for row in &first {
        let sum: f32 = row.iter().sum();
        assert!(
            row.len() == SOURCE.len() && (sum - 1.0).abs() < 1e-5,
            "{row:?}"
        );
    }
    let (first, last, both) = (first.concat(), last.concat(), both.concat());
    let mean: Vec<f32> = first
        .iter()
        .zip(&last)
        .map(|(a, b)| (a + b) / 2.0)
        .collect();
    assert!(difference(&mean, &both) < 1e-6);
    assert!(difference(&first, &last) > 1e-3);
}

#[test]
fn bytes_are_near_full_precision() {
    let size = |numbers: &[f32]| numbers.iter().map(|x| x * x).sum::<f32>().sqrt();
    let part = typical(|| {
        let (map, _) = random();
        let logits = |options: &MarianOptions| {
            let network = own(&map, options);
            network.scores(&decoded(&network).hidden).unwrap()
        };
        let (full, bytes) = (logits(&full_precision()), logits(&MarianOptions::default()));
        let differences = std::iter::zip(full.numbers(), bytes.numbers());
        let differences: Vec<f32> = differences.map(|(full, bytes)| full - bytes).collect();
        let part = size(&differences) / size(full.numbers());
        assert!(part > 0.0, "bytes are not used");
        part
    });
    assert!(part < 0.2, "{part}");
}

#[test]
fn what_no_target_may_hold_is_not_scored_and_the_rest_is_the_same() {
    let (map, _) = random();
    for options in [full_precision(), MarianOptions::default()] {
        let logits = |in_target: &dyn Fn(usize) -> bool| {
            let network = own_for(&map, &options, in_target);
            let scores = network.scores(&decoded(&network).hidden).unwrap();
            (network.targets().to_vec(), scores)
        };
        let (tokens, all) = logits(&|_| true);
        assert!(tokens.iter().copied().eq(0..50));
        let (tokens, some) = logits(&|token| token % 3 == 1);
        assert!(tokens.iter().copied().eq((1..50).step_by(3)));
        for (all, some) in all.iter().zip(some.iter()) {
            for (token, score) in tokens.iter().zip(some) {
                assert!((score - all[*token as usize]).abs() < 1e-5);
            }
        }
    }
}
