//! Checkpoints written byte by byte, as `PyTorch` writes them, and as an attacker would.

use std::fs;
use std::io::{Cursor, Write};
use std::path::Path;

use proptest::prelude::*;
use safetensors::SafeTensors;
use zip::write::SimpleFileOptions;

use super::*;

/// Key, elements and bytes of a storage.
type Stored = (&'static str, i64, Vec<u8>);

const REBUILD: &[u8] = b"ctorch._utils\n_rebuild_tensor_v2\n";
const DICTIONARY: &[u8] = b"ccollections\nOrderedDict\n)R";

fn text(text: &str) -> Vec<u8> {
    [
        b"X",
        &(text.len() as u32).to_le_bytes()[..],
        text.as_bytes(),
    ]
    .concat()
}

fn int(value: i32) -> Vec<u8> {
    [b"J", &value.to_le_bytes()[..]].concat()
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

fn ints(values: &[i32]) -> Vec<u8> {
    tuple(&values.iter().copied().map(int).collect::<Vec<_>>())
}

fn storage(kind: &str, key: &str, elements: i32) -> Vec<u8> {
    let kind = format!("ctorch\n{kind}\n").into_bytes();
    let id = tuple(&[
        text("storage"),
        kind,
        text(key),
        text("cpu"),
        int(elements),
        b"N".to_vec(),
    ]);
    [id, b"Q".to_vec()].concat()
}

fn tensor(storage: Vec<u8>, offset: i32, shape: &[i32], strides: &[i32]) -> Vec<u8> {
    let hooks = DICTIONARY.to_vec();
    let arguments = tuple(&[
        storage,
        int(offset),
        ints(shape),
        ints(strides),
        b"\x89".to_vec(),
        hooks,
    ]);
    [REBUILD, &arguments, b"R"].concat()
}

/// A state dictionary, with a memo operation and the attributes that `PyTorch` adds.
fn table(entries: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let items: Vec<u8> = entries
        .iter()
        .flat_map(|(name, value)| [text(name), value.clone()].concat())
        .collect();
    let attributes = [b"}", &text("_metadata")[..], b"}s"].concat();
    [
        b"\x80\x02",
        DICTIONARY,
        b"q\x00(",
        &items,
        b"u",
        &attributes,
        b"b.",
    ]
    .concat()
}

/// A legacy file: the table, then the storages (key, elements, bytes).
fn legacy(table: &[u8], storages: &[(&str, i64, Vec<u8>)]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    file.extend(b"\x80\x02M\xe9\x03.");
    file.extend([b"\x80\x02}(", &text("little_endian")[..], b"\x88u."].concat());
    file.extend(table);
    let keys: Vec<u8> = storages.iter().flat_map(|(key, ..)| text(key)).collect();
    file.extend([b"\x80\x02](", &keys[..], b"e."].concat());
    for (_, elements, bytes) in storages {
        file.extend(elements.to_le_bytes());
        file.extend(bytes);
    }
    file
}

fn floats(values: &[f32]) -> Vec<u8> {
    values
        .iter()
        .flat_map(|value| value.to_le_bytes())
        .collect()
}

fn run(file: Vec<u8>) -> Result<Vec<u8>, ConvertError> {
    let folder = tempfile::tempdir().unwrap();
    let dst = folder.path().join("model.safetensors");
    let mut source = Source::new(Cursor::new(file), Path::new("pytorch_model.bin"))?;
    let result = convert(&mut source, &dst, &mut |_| ());
    if result.is_err() {
        assert_eq!(
            fs::read_dir(folder.path()).unwrap().count(),
            0,
            "an error leaves no file"
        );
    }
    result.map(|()| fs::read(dst).unwrap())
}

fn values(file: &[u8], name: &str) -> (Vec<usize>, Vec<f32>) {
    let tensors = SafeTensors::deserialize(file).unwrap();
    let tensor = tensors.tensor(name).unwrap();
    assert_eq!(tensor.dtype(), Dtype::F32);
    let numbers = tensor.data().as_chunks().0;
    (
        tensor.shape().to_vec(),
        numbers.iter().map(|&b| f32::from_le_bytes(b)).collect(),
    )
}

const SIX: [f32; 6] = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0];

fn small_model() -> (Vec<u8>, Vec<Stored>) {
    let six = || storage("FloatStorage", "six", 6);
    let parameter = [
        b"ctorch._utils\n_rebuild_parameter\n",
        &tuple(&[
            tensor(six(), 0, &[2, 3], &[3, 1]),
            b"\x88".to_vec(),
            DICTIONARY.to_vec(),
        ])[..],
        b"R",
    ]
    .concat();
    let table = table(&[
        ("model.shared.weight", tensor(six(), 0, &[3, 2], &[2, 1])),
        (
            "model.encoder.embed_tokens.weight",
            tensor(six(), 0, &[3, 2], &[2, 1]),
        ),
        ("lm_head.weight", tensor(six(), 0, &[2, 3], &[3, 1])),
        ("transposed", tensor(six(), 0, &[2, 3], &[1, 2])),
        ("tail", tensor(six(), 4, &[2], &[1])),
        ("every other", tensor(six(), 1, &[3], &[2])),
        ("one", tensor(six(), 5, &[], &[])),
        ("parameter", parameter),
        (
            "counts",
            tensor(storage("LongStorage", "two", 2), 0, &[2], &[1]),
        ),
    ]);
    let two = [7i64, -8].iter().flat_map(|v| v.to_le_bytes()).collect();
    (table, vec![("two", 2, two), ("six", 6, floats(&SIX))])
}

fn check_small_model(file: &[u8]) {
    assert_eq!(
        values(file, "model.shared.weight"),
        (vec![3, 2], SIX.to_vec())
    );
    assert_eq!(
        values(file, "transposed"),
        (vec![2, 3], vec![0.0, 2.0, 4.0, 1.0, 3.0, 5.0])
    );
    assert_eq!(values(file, "tail"), (vec![2], vec![4.0, 5.0]));
    assert_eq!(values(file, "every other"), (vec![3], vec![1.0, 3.0, 5.0]));
    assert_eq!(values(file, "one"), (vec![], vec![5.0]));
    assert_eq!(values(file, "parameter"), (vec![2, 3], SIX.to_vec()));
    // Not the shared matrix but another view of its numbers: not tied.
    assert_eq!(values(file, "lm_head.weight"), (vec![2, 3], SIX.to_vec()));
    let tensors = SafeTensors::deserialize(file).unwrap();
    let counts = tensors.tensor("counts").unwrap();
    assert_eq!((counts.dtype(), counts.data()[8]), (Dtype::I64, 0xf8));
    assert!(
        tensors.tensor("model.encoder.embed_tokens.weight").is_err(),
        "tied: left out"
    );
    assert_eq!(tensors.len(), 8);
}

#[test]
fn a_legacy_checkpoint_becomes_safetensors() {
    let (table, storages) = small_model();
    let file = run(legacy(&table, &storages)).unwrap();
    check_small_model(&file);
    assert_eq!(
        file,
        run(legacy(&table, &storages)).unwrap(),
        "the same bytes every time"
    );
    assert_eq!(
        run(file.clone()).unwrap(),
        file,
        "safetensors stay as they are"
    );
    assert!(
        run(file[..file.len() - 1].to_vec()).is_err(),
        "but not if they are cut off"
    );
}

#[test]
fn the_order_of_the_entries_does_not_matter() {
    let (a, b) = (
        storage("FloatStorage", "a", 1),
        storage("FloatStorage", "b", 1),
    );
    let (a, b) = (
        ("a", tensor(a, 0, &[1], &[1])),
        ("b", tensor(b, 0, &[1], &[1])),
    );
    let one = [("a", 1, floats(&[1.0])), ("b", 1, floats(&[2.0]))];
    let two = [one[1].clone(), one[0].clone()];
    let first = run(legacy(&table(&[a.clone(), b.clone()]), &one)).unwrap();
    assert_eq!(first, run(legacy(&table(&[b, a]), &two)).unwrap());
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    for (name, bytes) in members {
        zip.start_file(*name, stored).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn a_zip_checkpoint_gives_the_same_bytes_as_a_legacy_one() {
    let (table, storages) = small_model();
    let members: [(&str, &[u8]); 4] = [
        ("archive/data.pkl", &table),
        ("archive/byteorder", b"little"),
        ("archive/data/two", &storages[0].2),
        ("archive/data/six", &storages[1].2),
    ];
    let file = run(zip(&members)).unwrap();
    check_small_model(&file);
    assert_eq!(file, run(legacy(&table, &storages)).unwrap());
    assert!(
        run(zip(&members[..3]))
            .unwrap_err()
            .to_string()
            .contains("data/six")
    );
    let big: [(&str, &[u8]); 2] = [("archive/data.pkl", &table), ("archive/byteorder", b"big")];
    assert!(
        run(zip(&big))
            .unwrap_err()
            .to_string()
            .contains("big-endian")
    );
}

#[track_caller]
fn refused(table: &[u8], words: &str) {
    let error = run(legacy(table, &[("k", 4, vec![0; 16])]))
        .unwrap_err()
        .to_string();
    assert!(
        error.contains(words) && error.contains("pytorch_model.bin"),
        "{error}"
    );
}

#[test]
fn code_is_refused_by_name() {
    let system = [b"\x80\x02cos\nsystem\n", &text("rm -rf /")[..], b"\x85R."].concat();
    let error = run(legacy(&system, &[])).unwrap_err();
    assert!(
        matches!(&error, ConvertError::RefusedGlobal { global, .. } if global == "os.system"),
        "{error}"
    );
    refused(b"\x80\x02cbuiltins\neval\n.", "builtins.eval");
    refused(
        b"\x80\x02ctorch._utils\n_rebuild_anything\n.",
        "_rebuild_anything",
    );
    // STACK_GLOBAL, INST, OBJ, NEWOBJ and extension codes name code in other ways.
    for operation in *b"\x93io\x81\x82\x83\x84\x92P" {
        refused(
            &[b"\x80\x02(", &[operation][..], b"."].concat(),
            "pickle operation",
        );
    }
}

#[test]
fn calls_of_anything_but_tensors_are_refused() {
    refused(
        &[b"\x80\x02", &text("f")[..], b")R."].concat(),
        "calls something else",
    );
    refused(b"\x80\x02ctorch\nFloatStorage\n)R.", "calls something else");
    refused(
        &[b"\x80\x02", REBUILD, b")R."].concat(),
        "calls something else",
    );
    refused(
        &[b"\x80\x02", &text("x")[..], b"}b."].concat(),
        "attributes",
    );
    let error = run(legacy(&table(&[("epoch", int(3))]), &[]))
        .unwrap_err()
        .to_string();
    assert!(error.contains("`epoch` is not a tensor"), "{error}");
    let error = run(legacy(b"\x80\x02K\x01.", &[])).unwrap_err().to_string();
    assert!(error.contains("no dictionary of tensors"), "{error}");
}

#[test]
fn lying_lengths_are_refused() {
    refused(b"\x80\x02X\xff\xff\xff\xff.", "a text of 4294967295 bytes");
    refused(b"\x80\x02X\xff\xff\x0f\x00.", "the file ends after");
    let k = || storage("FloatStorage", "k", 4);
    for (offset, shape, strides) in [
        (0, &[5][..], &[1][..]),
        (1, &[4], &[1]),
        (0, &[2], &[4]),
        (0, &[1000, 1000], &[0, 0]),
        (i32::MAX, &[1], &[1]),
        (0, &[i32::MAX, i32::MAX, i32::MAX], &[1, 1, 1]),
        (5, &[0], &[1]),
    ] {
        refused(
            &table(&[("x", tensor(k(), offset, shape, strides))]),
            "tensor `x`",
        );
    }
    refused(
        &table(&[("x", tensor(k(), -1, &[1], &[1]))]),
        "calls something else",
    );
    refused(
        &table(&[("x", tensor(k(), 0, &[1; 9], &[1; 9]))]),
        "calls something else",
    );
    let all = || tensor(storage("FloatStorage", "k", 10_000), 0, &[10_000], &[1]);
    let names: Vec<String> = (0..100).map(|i| i.to_string()).collect();
    let many: Vec<_> = names.iter().map(|name| (name.as_str(), all())).collect();
    let error = run(legacy(&table(&many), &[("k", 10_000, vec![0; 40_000])])).unwrap_err();
    assert!(
        error.to_string().contains("far larger than the file"),
        "{error}"
    );
    let file = legacy(
        &table(&[("x", tensor(k(), 0, &[4], &[1]))]),
        &[("k", i64::MAX, vec![0; 16])],
    );
    assert!(
        run(file)
            .unwrap_err()
            .to_string()
            .contains("its tensors expect 4")
    );
    let huge = tensor(storage("FloatStorage", "k", i32::MAX), 0, &[1], &[1]);
    let file = legacy(
        &table(&[("x", huge)]),
        &[("k", i64::from(i32::MAX), vec![0; 16])],
    );
    assert!(
        run(file)
            .unwrap_err()
            .to_string()
            .contains("the file ends after 16")
    );
}

#[test]
fn every_truncation_is_an_error() {
    let (table, storages) = small_model();
    let file = legacy(&table, &storages);
    for length in 0..file.len() {
        assert!(
            run(file[..length].to_vec()).is_err(),
            "cut to {length} bytes"
        );
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = run(bytes.clone());
        let _ = run(legacy(&bytes, &[]));
        let _ = run([&b"PK\x03\x04"[..], &bytes].concat());
    }

    #[test]
    fn a_flipped_byte_never_panics(at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let (table, storages) = small_model();
        let mut file = legacy(&table, &storages);
        let at = at.index(file.len());
        file[at] = byte;
        let _ = run(file);
        let mut file = zip(&[("a/data.pkl", &table), ("a/data/two", &storages[0].2)]);
        let at = at % file.len();
        file[at] = byte;
        let _ = run(file);
    }
}
