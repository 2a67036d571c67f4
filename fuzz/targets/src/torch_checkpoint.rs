//! A PyTorch checkpoint (legacy or zip) or a safetensors file: refused without a trace, or a safetensors
//! file that others read, too.

use std::{fs, io::Write as _};

use interpret_models::convert::{marian_to_bytes, torch_legacy_to_safetensors};
use zip::write::SimpleFileOptions;

use crate::{Scratch, models};

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let folder = Scratch::new();
    let from = folder.put("pytorch_model.bin", data);
    let to = folder.path().join("model.safetensors");
    let mut done = Vec::new();
    match torch_legacy_to_safetensors(&from, &to, &mut |fraction| done.push(fraction)) {
        Ok(()) => {
            assert!(done.is_sorted() && done.last() == Some(&1.0), "{done:?}");
            assert!(
                fs::metadata(&to).expect("it was written").len()
                    <= data.len() as u64 * 8 + (1 << 16)
            );
            let bytes = folder.path().join("model.q8.safetensors");
            // Other numbers than 32-bit ones are refused; nothing else is.
            if let Err(error) = marian_to_bytes(&to, &bytes, &mut |_| ()) {
                let told = error.to_string();
                assert!(told.contains("not 32-bit numbers"), "{told}");
            }
        }
        Err(_) => assert_eq!(
            folder.names(),
            ["pytorch_model.bin"],
            "an error leaves no file"
        ),
    }
}

fn text(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap_or_default();
    [b"X", &length.to_le_bytes()[..], text.as_bytes()].concat()
}

fn tuple(items: &[Vec<u8>]) -> Vec<u8> {
    [b"(", &items.concat()[..], b"t"].concat()
}

/// A table of one tensor, a view of storage "0", which has six numbers.
fn table(shape: [u8; 2], strides: [u8; 2]) -> Vec<u8> {
    const DICTIONARY: &[u8] = b"ccollections\nOrderedDict\n)R";
    let number = |number: u8| vec![b'K', number];
    let storage = tuple(&[
        text("storage"),
        b"ctorch\nFloatStorage\n".to_vec(),
        text("0"),
        text("cpu"),
        number(6),
        b"N".to_vec(),
    ]);
    let view = tuple(&[
        [&storage[..], b"Q"].concat(),
        number(0),
        tuple(&shape.map(number)),
        tuple(&strides.map(number)),
        b"\x89".to_vec(),
        DICTIONARY.to_vec(),
    ]);
    let view = [b"ctorch._utils\n_rebuild_tensor_v2\n", &view[..], b"R"].concat();
    let name = text("model.shared.weight");
    [b"\x80\x02", DICTIONARY, b"q\x00(", &name, &view, b"u."].concat()
}

fn numbers() -> Vec<u8> {
    (0..6_u8)
        .flat_map(|number| f32::from(number).to_le_bytes())
        .collect()
}

fn legacy(table: &[u8]) -> Vec<u8> {
    let mut file = b"\x80\x02\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.".to_vec();
    file.extend(b"\x80\x02M\xe9\x03.");
    file.extend([b"\x80\x02}(", &text("little_endian")[..], b"\x88u."].concat());
    file.extend(table);
    file.extend([b"\x80\x02](", &text("0")[..], b"e."].concat());
    file.extend(6_i64.to_le_bytes());
    file.extend(numbers());
    file
}

fn zipped(table: &[u8]) -> Vec<u8> {
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let members: [(&str, &[u8]); 3] = [
        ("archive/data.pkl", table),
        ("archive/byteorder", b"little"),
        ("archive/data/0", &numbers()),
    ];
    for (name, bytes) in members {
        file.start_file(name, stored).expect("a member");
        file.write_all(bytes).expect("memory");
    }
    file.finish().expect("an archive").into_inner()
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let (rows, columns) = (table([2, 3], [3, 1]), table([3, 2], [1, 3]));
    vec![
        legacy(&rows),
        legacy(&columns),
        zipped(&rows),
        zipped(&columns),
        models::opus_mt(false),
    ]
}
