//! The local header of a zip member, which stands before its bytes.

use std::io::{Read, Seek};

use super::super::{ConvertError, source::Source};

pub(super) const SIGNATURE: [u8; 4] = *b"PK\x03\x04";
const CENTRAL_SIGNATURE: [u8; 4] = *b"PK\x01\x02";
const DESCRIPTOR_SIGNATURE: [u8; 4] = *b"PK\x07\x08";
/// Bytes of a local header before the name.
const FIXED: u64 = 30;
const ZIP64_EXTRA: u16 = 1;

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Method {
    Stored,
    Deflated,
    /// One that is not read here, by its number in the zip specification.
    Other(u16),
}

/// A member of an archive, as its local header tells.
#[derive(Debug)]
pub(super) struct Entry {
    pub name: String,
    pub method: Method,
    pub encrypted: bool,
    /// Where the compressed bytes start.
    pub start: u64,
    /// Checksum and sizes; none if they follow the member, in a data descriptor.
    pub sizes: Option<Sizes>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub crc: u32,
    pub compressed: u64,
    pub whole: u64,
}

impl Entry {
    /// Reads the header at the position of `source`; none if what looks like a header is chance.
    pub(super) fn read<R: Read + Seek>(
        source: &mut Source<R>,
    ) -> Result<Option<Self>, ConvertError> {
        if source.remaining() < FIXED || source.array(HEADER)? != SIGNATURE {
            return Ok(None);
        }
        let version = source.u16(HEADER)?;
        let flags = source.u16(HEADER)?;
        let method = match source.u16(HEADER)? {
            0 => Method::Stored,
            8 => Method::Deflated,
            other => Method::Other(other),
        };
        source.u32(HEADER)?; // date and time
        let crc = source.u32(HEADER)?;
        let compressed = source.u32(HEADER)?;
        let whole = source.u32(HEADER)?;
        let name_length = u64::from(source.u16(HEADER)?);
        let extra_length = u64::from(source.u16(HEADER)?);
        // 63 is the newest version of the format (version 6.3).
        let plausible = version & 0xff <= 63 && name_length > 0;
        if !plausible || source.remaining() < name_length + extra_length {
            return Ok(None);
        }
        let name = String::from_utf8(source.bytes(name_length, HEADER)?);
        let extra = source.bytes(extra_length, HEADER)?;
        let Ok(name) = name else { return Ok(None) };
        if name.chars().any(char::is_control) {
            return Ok(None);
        }
        let mut sizes = Sizes {
            crc,
            compressed: compressed.into(),
            whole: whole.into(),
        };
        if compressed == u32::MAX || whole == u32::MAX {
            let Some(wide) = zip64(&extra, whole == u32::MAX, sizes) else {
                return Ok(None);
            };
            sizes = wide;
        }
        Ok(Some(Self {
            name,
            method,
            encrypted: flags & 1 != 0,
            start: source.position(),
            sizes: (flags & 8 == 0).then_some(sizes),
        }))
    }

    /// Where the member ends, if its header says so and another header follows there.
    pub(super) fn end<R: Read + Seek>(
        &self,
        source: &mut Source<R>,
    ) -> Result<Option<u64>, ConvertError> {
        let end = self
            .sizes
            .and_then(|sizes| self.start.checked_add(sizes.compressed));
        let Some(end) = end.filter(|&end| end.saturating_add(4) <= source.length()) else {
            return Ok(None);
        };
        source.seek(end)?;
        let next = source.array(HEADER)?;
        Ok([SIGNATURE, CENTRAL_SIGNATURE]
            .contains(&next)
            .then_some(end))
    }
}

const HEADER: &str = "the header of an archive member";

/// The true sizes, from the extra field, of a member of 4 GiB and more.
fn zip64(mut extra: &[u8], whole_is_wide: bool, narrow: Sizes) -> Option<Sizes> {
    while let Some((head, rest)) = extra.split_first_chunk::<4>() {
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let (field, rest) =
            rest.split_at_checked(usize::from(u16::from_le_bytes([head[2], head[3]])))?;
        if kind == ZIP64_EXTRA {
            let mut numbers = field
                .as_chunks::<8>()
                .0
                .iter()
                .map(|&n| u64::from_le_bytes(n));
            let whole = if whole_is_wide {
                numbers.next()?
            } else {
                narrow.whole
            };
            let wide = narrow.compressed == u64::from(u32::MAX);
            let compressed = if wide {
                numbers.next()?
            } else {
                narrow.compressed
            };
            return Some(Sizes {
                whole,
                compressed,
                ..narrow
            });
        }
        extra = rest;
    }
    None
}

/// The checksum in the data descriptor at the position of `source`.
pub(super) fn descriptor_crc<R: Read + Seek>(source: &mut Source<R>) -> Result<u32, ConvertError> {
    const WHAT: &str = "the data descriptor behind an archive member";
    let first = source.array(WHAT)?;
    if first == DESCRIPTOR_SIGNATURE {
        source.u32(WHAT)
    } else {
        Ok(u32::from_le_bytes(first))
    }
}
