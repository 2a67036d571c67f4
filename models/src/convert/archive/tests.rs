//! Zips cut anywhere.

use std::fs;
use std::io::{Cursor, Write};
use std::path::PathBuf;

use proptest::prelude::*;
use zip::CompressionMethod::{Deflated, Stored};
use zip::write::{SimpleFileOptions, ZipWriter};

use super::*;

const NAMES: [&str; 3] = [
    "top/en/model.bin",
    "top/en/other-vocab.json",
    "top/en/vocab.json",
];

/// Numbers that deflate to about half.
fn noise(seed: u32, length: usize) -> Vec<u8> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 28) as u8
    };
    (0..length).map(|_| next()).collect()
}

fn contents() -> Vec<(&'static str, Vec<u8>)> {
    NAMES
        .iter()
        .zip([(1, 70_000), (2, 900), (3, 3000)])
        .map(|(n, (s, l))| (*n, noise(s, l)))
        .collect()
}

fn zip(method: zip::CompressionMethod, streamed: bool) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    fn fill<W: Write + std::io::Seek>(mut zip: ZipWriter<W>, options: SimpleFileOptions) -> W {
        for (name, bytes) in contents() {
            zip.start_file(name, options).unwrap();
            zip.write_all(&bytes).unwrap();
        }
        zip.finish().unwrap()
    }
    if streamed {
        // Without seeking back, sizes follow the members in data descriptors.
        fill(ZipWriter::new_stream(Vec::new()), options).into_inner()
    } else {
        fill(ZipWriter::new(Cursor::new(Vec::new())), options).into_inner()
    }
}

fn cut(folder: &Path, bytes: &[u8], cuts: &[usize]) -> Vec<PathBuf> {
    let mut cuts: Vec<_> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
    cuts.sort_unstable();
    let starts = std::iter::once(0).chain(cuts.clone());
    let ends = cuts.iter().copied().chain(std::iter::once(bytes.len()));
    let ranges: Vec<_> = starts.zip(ends).collect();
    ranges
        .iter()
        .enumerate()
        .map(|(index, &(start, end))| {
            let path = folder.join(format!("x.zip.{index:03}"));
            fs::write(&path, &bytes[start..end]).unwrap();
            path
        })
        .collect()
}

fn extract(folder: &Path, parts: &[PathBuf], names: &[&str]) -> Result<Vec<Vec<u8>>, ConvertError> {
    let members: Vec<_> = names
        .iter()
        .enumerate()
        .map(|(i, &name)| (name, folder.join(format!("out{i}"))))
        .collect();
    let mut last = 0.0;
    extract_from_cut_zip(parts, &members, &mut |fraction| {
        assert!((last..=1.0).contains(&fraction), "{fraction} after {last}");
        last = fraction;
    })?;
    assert!(last >= 1.0);
    Ok(members
        .iter()
        .map(|(_, path)| fs::read(path).unwrap())
        .collect())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]
    #[test]
    fn a_zip_in_random_pieces_gives_its_members(
        cuts in prop::collection::vec(any::<usize>(), 0..6),
        kind in 0..3,
    ) {
        let (method, streamed) =
            [(Deflated, false), (Stored, false), (Deflated, true)][kind as usize];
        let folder = tempfile::tempdir().unwrap();
        let parts = cut(folder.path(), &zip(method, streamed), &cuts);
        let wanted = ["en/vocab.json", "model.bin"];
        let got = extract(folder.path(), &parts, &wanted).unwrap();
        prop_assert_eq!(&got[0], &contents()[2].1);
        prop_assert_eq!(&got[1], &contents()[0].1);
        let whole = folder.path().join("whole");
        join_parts(&parts, &whole).unwrap();
        prop_assert_eq!(fs::read(whole).unwrap(), zip(method, streamed));
    }

    #[test]
    fn a_beginning_or_end_inside_other_members_does_no_harm(lost in 1usize..20_000) {
        let folder = tempfile::tempdir().unwrap();
        let bytes = zip(Deflated, false);
        let parts = cut(folder.path(), &bytes[lost..], &[30_000]);
        let got = extract(folder.path(), &parts, &["vocab.json"]).unwrap();
        prop_assert_eq!(&got[0], &contents()[2].1);
        let error = extract(folder.path(), &parts, &["model.bin"]).unwrap_err().to_string();
        prop_assert!(error.contains("model.bin") && error.contains(NAMES[1]), "{}", error);
        let parts = cut(folder.path(), &bytes[..lost], &[lost / 2]);
        let error = extract(folder.path(), &parts, &["model.bin"]).unwrap_err().to_string();
        prop_assert!(error.contains("model.bin"), "{}", error);
    }

    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let folder = tempfile::tempdir().unwrap();
        let header = [&b"PK\x03\x04\x14\0"[..], &bytes].concat();
        let parts = cut(folder.path(), &header, &[7]);
        prop_assert!(extract(folder.path(), &parts, &["model.bin"]).is_err());
    }

    #[test]
    fn a_damaged_member_is_never_taken_for_whole(at in 0usize..20_000, flip in 1u8..) {
        let folder = tempfile::tempdir().unwrap();
        let mut bytes = zip(Deflated, false);
        bytes[at] ^= flip;
        let parts = cut(folder.path(), &bytes, &[]);
        if let Ok(got) = extract(folder.path(), &parts, &["model.bin"]) {
            prop_assert_eq!(&got[0], &contents()[0].1);
        }
    }
}

#[test]
fn a_member_of_a_stored_inner_archive_is_not_taken() {
    let mut outer = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(Stored);
    outer.start_file("inner.zip", stored).unwrap();
    outer.write_all(&zip(Stored, false)).unwrap();
    outer.start_file("model.bin", stored).unwrap();
    outer.write_all(b"the outer one").unwrap();
    let bytes = outer.finish().unwrap().into_inner();
    let folder = tempfile::tempdir().unwrap();
    let parts = cut(folder.path(), &bytes, &[100]);
    assert_eq!(
        extract(folder.path(), &parts, &["model.bin"]).unwrap()[0],
        b"the outer one"
    );
}

#[test]
fn joining_fails_whole() {
    let folder = tempfile::tempdir().unwrap();
    let (one, two) = (folder.path().join("one"), folder.path().join("two"));
    fs::write(&one, b"1").unwrap();
    let dst = folder.path().join("dst");
    let error = join_parts(&[one, two.clone()], &dst)
        .unwrap_err()
        .to_string();
    assert!(error.contains(&two.display().to_string()), "{error}");
    assert!(!dst.exists());
}
