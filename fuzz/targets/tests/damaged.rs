//! Every target on damaged input, without a fuzzer's guidance (docs/fuzzing.md): its first inputs, with bits flipped,
//! numbers overwritten, pieces cut out, said twice or taken from another. What fails is left in `fuzz/artifacts`, with as
//! few damages as still fail.

#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{fs, panic::catch_unwind, path::Path};

use interpret_fuzz_targets as targets;
use proptest::{
    collection::vec,
    prelude::*,
    sample::{Index, select},
    test_runner::{Config, TestError, TestRunner},
};

/// Most damages to one input.
const MOST: usize = 6;
/// Longest piece that is put in.
const LONGEST: usize = 64;
/// Longest input of nothing but chance.
const LONGEST_INPUT: usize = 1_000;
/// Most attempts to do with less damage.
const MOST_SHRINKING: u32 = 2_000;

/// One damage. Places are parts of what is there then.
#[derive(Debug, Clone)]
enum Damage {
    Flip(Index, u8),
    Write(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    CutOut(Index, Index),
    Repeat(Index, Index),
    EndAt(Index),
    /// From there on, another first input's end.
    Splice(Index, Index, Index),
    Replace(Vec<u8>),
}

impl Damage {
    fn apply(self, input: &mut Vec<u8>, seeds: &[Vec<u8>]) {
        let at = |index: Index, bytes: &[u8]| index.index(bytes.len() + 1);
        let between = |one: Index, other: Index, bytes: &[u8]| {
            let (one, other) = (at(one, bytes), at(other, bytes));
            one.min(other)..one.max(other)
        };
        match self {
            Self::Flip(place, bit) if !input.is_empty() => {
                let place = place.index(input.len());
                input[place] ^= 1 << (bit % 8);
            }
            Self::Flip(..) => {}
            Self::Write(place, bytes) => {
                let place = at(place, input);
                let end = input.len().min(place + bytes.len());
                input[place..end].copy_from_slice(&bytes[..end - place]);
            }
            Self::Insert(place, bytes) => {
                let place = at(place, input);
                input.splice(place..place, bytes);
            }
            Self::CutOut(one, other) => {
                input.drain(between(one, other, input));
            }
            Self::Repeat(one, other) => {
                let range = between(one, other, input);
                let again = input[range.clone()].to_vec();
                input.splice(range.end..range.end, again);
            }
            Self::EndAt(place) => input.truncate(at(place, input)),
            Self::Splice(place, seed, from) => {
                input.truncate(at(place, input));
                let seed = seed.get(seeds);
                input.extend(&seed[at(from, seed)..]);
            }
            Self::Replace(bytes) => *input = bytes,
        }
    }
}

/// Numbers at which programs go wrong, in one to eight bytes, in both orders.
fn number() -> impl Strategy<Value = Vec<u8>> {
    let numbers = select(vec![
        0_u64,
        1,
        2,
        15,
        16,
        127,
        128,
        255,
        256,
        1 << 15,
        1 << 16,
        1 << 24,
        1 << 31,
        1 << 32,
        1 << 63,
    ]);
    let near = (numbers, -1_i64..=1).prop_map(|(number, more)| number.wrapping_add_signed(more));
    (near, select(vec![1, 2, 4, 8]), any::<bool>()).prop_map(|(number, length, little)| {
        let mut bytes = number.to_le_bytes()[..length].to_vec();
        if !little {
            bytes.reverse();
        }
        bytes
    })
}

fn damage() -> impl Strategy<Value = Damage> {
    let place = any::<Index>;
    prop_oneof![
        4 => (place(), any::<u8>()).prop_map(|(place, bit)| Damage::Flip(place, bit)),
        4 => (place(), number()).prop_map(|(place, bytes)| Damage::Write(place, bytes)),
        2 => (place(), vec(any::<u8>(), 1..9)).prop_map(|(place, bytes)| Damage::Write(place, bytes)),
        2 => (place(), number()).prop_map(|(place, bytes)| Damage::Insert(place, bytes)),
        2 => (place(), vec(any::<u8>(), 1..=LONGEST)).prop_map(|(place, bytes)| Damage::Insert(place, bytes)),
        2 => (place(), place()).prop_map(|(one, other)| Damage::CutOut(one, other)),
        2 => (place(), place()).prop_map(|(one, other)| Damage::Repeat(one, other)),
        1 => place().prop_map(Damage::EndAt),
        1 => (place(), place(), place()).prop_map(|(place, seed, from)| Damage::Splice(place, seed, from)),
        1 => vec(any::<u8>(), 0..=LONGEST_INPUT).prop_map(Damage::Replace),
    ]
}

/// Checks the first inputs as they are, then so many that are damaged.
fn hold(target: &str, check: fn(&[u8]), seeds: &[Vec<u8>], cases: u32) {
    for seed in seeds {
        check(seed);
    }
    let config = Config {
        failure_persistence: None,
        max_shrink_iters: MOST_SHRINKING,
        ..Config::with_cases(cases)
    };
    let inputs = (any::<Index>(), vec(damage(), 1..=MOST)).prop_map(|(seed, damages)| {
        let mut input = seed.get(seeds).clone();
        for damage in damages {
            damage.apply(&mut input, seeds);
        }
        input
    });
    let outcome = TestRunner::new(config).run(&inputs, |input| {
        check(&input);
        Ok(())
    });
    match outcome {
        Ok(()) => {}
        Err(TestError::Fail(reason, input)) => {
            let file = leave(target, &input);
            panic!("{target}: {reason}; again: cargo fuzz run --sanitizer none {target} {file}");
        }
        Err(TestError::Abort(reason)) => panic!("{target}: {reason}"),
    }
}

/// Leaves an input where the fuzzer leaves those that fail; its place there.
fn leave(target: &str, input: &[u8]) -> String {
    let name = format!("artifacts/{target}/damaged");
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(&name);
    fs::create_dir_all(file.parent().expect("a folder of artifacts")).expect("room for a folder");
    fs::write(file, input).expect("room for a file");
    name
}

macro_rules! targets {
    ($($target:ident: $cases:literal,)*) => {
        $(
            #[test]
            fn $target() {
                hold(stringify!($target), targets::$target::check, &targets::$target::seeds(), $cases);
            }
        )*

        /// What is tested here.
        const TARGETS: &[&str] = &[$(stringify!($target)),*];
    };
}

// As many as take about ten seconds each on two cores.
targets! {
    audio_chunks: 30_000,
    call_requests: 30_000,
    evaluation_files: 60_000,
    glossary_terms: 300_000,
    model_packages: 50_000,
    opus_mt_model: 25_000,
    sentence_splitter: 150_000,
    session_link: 100_000,
    session_requests: 40_000,
    settings_files: 50_000,
    sound_files: 35_000,
    spoken_form: 17_000,
    student_model: 60_000,
    telephone: 40_000,
    torch_checkpoint: 80_000,
    voice_network: 300_000,
    whisper_files: 40_000,
}

/// What the fuzzer's programs run is tested here, too.
#[test]
fn no_target_is_left_out() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz_targets");
    let entries = fs::read_dir(folder).expect("the fuzzer's programs");
    let names = entries.map(|entry| entry.expect("an entry").file_name());
    let mut names: Vec<String> = names
        .filter_map(|name| Some(name.to_str()?.strip_suffix(".rs")?.to_owned()))
        .collect();
    names.sort();
    assert_eq!(names, TARGETS);
}

/// A number that stands in no first input is found, and left as small as it can be.
#[test]
fn a_broken_promise_is_found() {
    let check = |input: &[u8]| assert!(!input.ends_with(&[0x7f, 0xff]), "a number at the end");
    let found = catch_unwind(|| hold("none", check, &[vec![0; 40]], 100_000));
    let told = *found
        .expect_err("nothing")
        .downcast::<String>()
        .expect("text");
    assert!(
        told.starts_with("none: ") && told.contains("a number at the end"),
        "{told}"
    );
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../artifacts/none/damaged");
    let left = fs::read(&file).expect("the input");
    assert!(left.ends_with(&[0x7f, 0xff]), "{left:?}");
    fs::remove_dir_all(file.parent().expect("a folder")).expect("it is there");
}
