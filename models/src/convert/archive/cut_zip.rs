//! Members out of a part of a zip, without its directory.
//!
//! A zip's directory is at its end. Someone who holds only pieces from its middle still has a
//! header before each member, with name, sizes and checksum.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Seek};
use std::path::{Path, PathBuf};

use crc32fast::Hasher;
use flate2::bufread::DeflateDecoder;
use memchr::memmem;

use super::super::output::{CHUNK, Output, Progress};
use super::super::{ConvertError, source::Source};
use super::entry::{Entry, Method, SIGNATURE, descriptor_crc};
use super::pieces::Pieces;

/// Takes members out of consecutive raw pieces of one larger zip.
///
/// `parts` are the pieces in order; the first may begin and the last may end inside a member that
/// is not wanted. `members` are path suffixes (`opus/en-fr/source.spm`; whole path components) with
/// the file to write each to; the first member that matches counts. Stored and deflated members
/// are read, also those with a data descriptor if deflated; each is checked against its CRC-32.
///
/// `progress` is called with the fraction of the pieces that is searched, 0 to 1.
///
/// # Errors
/// If a file cannot be read or written, a wanted member is damaged, cut off or encrypted, or none
/// matches. Members written before the error stay.
pub fn extract_from_cut_zip(
    parts: &[PathBuf],
    members: &[(&str, PathBuf)],
    progress: &mut dyn FnMut(f32),
) -> Result<(), ConvertError> {
    let first = parts
        .first()
        .map_or(Path::new("(no file)"), PathBuf::as_path);
    let files = parts
        .iter()
        .map(|path| File::open(path).map_err(|e| ConvertError::io("open", path, e)))
        .collect::<Result<Vec<_>, _>>()?;
    let pieces = Pieces::new(files).map_err(|e| ConvertError::io("read", first, e))?;
    let reader = BufReader::with_capacity(CHUNK as usize, pieces);
    let seen = extract(&mut Source::new(reader, first)?, members, progress)?;
    match seen {
        Search::Complete => Ok(()),
        Search::Missing { member, seen } => Err(ConvertError::MissingMember {
            member,
            pieces: parts.len(),
            first: first.to_path_buf(),
            found: if seen.is_empty() {
                "none".to_owned()
            } else {
                seen.join(", ")
            },
        }),
    }
}

enum Search {
    Complete,
    Missing { member: String, seen: Vec<String> },
}

fn extract<R: BufRead + Seek>(
    source: &mut Source<R>,
    members: &[(&str, PathBuf)],
    report: &mut dyn FnMut(f32),
) -> Result<Search, ConvertError> {
    let mut wanted: Vec<_> = members.iter().collect();
    let mut progress = Progress::new(source.length(), report);
    let mut seen = Vec::new();
    while !wanted.is_empty()
        && let Some(found) = next_signature(source, &mut progress)?
    {
        let Some(entry) = Entry::read(source)? else {
            source.seek(found + 1)?;
            continue;
        };
        if let Some(index) = wanted
            .iter()
            .position(|(suffix, _)| matches(&entry.name, suffix))
        {
            let (_, path) = wanted.remove(index);
            let end = write_member(source, &entry, path, &mut progress)?;
            source.seek(end)?;
        } else {
            // What cannot be jumped over, since it is cut off or has no sizes, is searched.
            let end = entry.end(source)?.unwrap_or(entry.start);
            source.seek(end)?;
        }
        seen.push(entry.name);
    }
    if let Some((member, _)) = wanted.first() {
        return Ok(Search::Missing {
            member: (*member).to_owned(),
            seen,
        });
    }
    progress.finish();
    Ok(Search::Complete)
}

/// Whether the last components of the path `name` are `suffix`.
fn matches(name: &str, suffix: &str) -> bool {
    let before = name.strip_suffix(suffix.trim_start_matches('/'));
    before.is_some_and(|before| before.is_empty() || before.ends_with('/'))
}

/// Moves to the next four bytes that could begin a member, and tells where that is.
fn next_signature<R: Read + Seek>(
    source: &mut Source<R>,
    progress: &mut Progress<'_>,
) -> Result<Option<u64>, ConvertError> {
    loop {
        let start = source.position();
        progress.reach(start);
        let block = source.bytes(source.remaining().min(CHUNK), "the archive")?;
        if let Some(at) = memmem::find(&block, &SIGNATURE) {
            let found = start + at as u64;
            source.seek(found)?;
            return Ok(Some(found));
        }
        if source.remaining() == 0 {
            return Ok(None);
        }
        // The signature may lie across the end of the block.
        source.seek(start + block.len() as u64 - (SIGNATURE.len() as u64 - 1))?;
    }
}

/// Writes a member to `path` and returns where its compressed bytes end.
fn write_member<R: BufRead + Seek>(
    source: &mut Source<R>,
    entry: &Entry,
    path: &Path,
    progress: &mut Progress<'_>,
) -> Result<u64, ConvertError> {
    let name = &entry.name;
    let unsupported = |problem: String, source: &Source<R>| {
        ConvertError::unsupported(
            source.path(),
            format!("the member {name} {problem}"),
            "Unpack the whole archive with another program",
        )
    };
    if entry.encrypted {
        return Err(unsupported("is encrypted".to_owned(), source));
    }
    let mut output = Output::create(path)?;
    let mut crc = Hasher::new();
    source.seek(entry.start)?;
    let (end, whole) = match (entry.method, entry.sizes) {
        (Method::Deflated, _) => inflate(source, entry, &mut output, &mut crc, progress)?,
        (Method::Stored, Some(sizes)) => {
            source.need(sizes.compressed, &format!("the member {name}"))?;
            let end = entry.start + sizes.compressed;
            while source.position() < end {
                let block = source.bytes((end - source.position()).min(CHUNK), name)?;
                crc.update(&block);
                output.write(&block)?;
                progress.reach(source.position());
            }
            (end, sizes.compressed)
        }
        (Method::Stored, None) => {
            return Err(unsupported(
                "is stored without its length".to_owned(),
                source,
            ));
        }
        (Method::Other(method), _) => {
            return Err(unsupported(
                format!("is compressed by method {method}"),
                source,
            ));
        }
    };
    let (expected, length) = match entry.sizes {
        Some(sizes) => (sizes.crc, sizes.whole),
        None => {
            source.seek(end)?;
            (descriptor_crc(source)?, whole)
        }
    };
    if (crc.finalize(), whole) != (expected, length) {
        return Err(source.malformed_at(
            entry.start,
            format!("the member {name} does not have the checksum and length of its header"),
        ));
    }
    output.finish()?;
    Ok(end)
}

/// Inflates from the position of `source`; returns where the stream ends and its inflated length.
fn inflate<R: BufRead + Seek>(
    source: &mut Source<R>,
    entry: &Entry,
    output: &mut Output,
    crc: &mut Hasher,
    progress: &mut Progress<'_>,
) -> Result<(u64, u64), ConvertError> {
    let limit = entry.sizes.map_or(u64::MAX, |sizes| sizes.whole);
    let mut decoder = DeflateDecoder::new(source.reader());
    let mut block = vec![0; 1 << 16];
    let mut whole = 0;
    loop {
        let read = decoder.read(&mut block);
        let position = entry.start + decoder.total_in();
        let count = match read {
            Ok(0) => return Ok((position, whole)),
            Ok(count) => count,
            Err(e) => {
                let (name, left) = (&entry.name, source.length().saturating_sub(position));
                return Err(source.malformed_at(
                    position,
                    if left == 0 {
                        format!("the member {name} goes on after the last piece; add the next one")
                    } else {
                        format!("the member {name} cannot be inflated: {e}")
                    },
                ));
            }
        };
        whole += count as u64;
        if whole > limit {
            return Err(source.malformed_at(
                position,
                format!("the member {} is longer than its header says", entry.name),
            ));
        }
        crc.update(&block[..count]);
        output.write(&block[..count])?;
        progress.reach(position);
    }
}
