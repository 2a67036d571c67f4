//! Marian's binary model file, as Firefox and Bergamot ship it (`model.*.intgemm*.bin`).
//!
//! Little-endian (marian `common/binary.cpp`): version 1 and the number of items as u64; of each item the
//! lengths of its name, shape and data and its type; all names (zero-terminated); all shapes (i32); a
//! number of bytes to skip; all data. An 8-bit matrix holds its bytes, then what they were multiplied
//! with, as f32. Whatever does not add up is an error, never a panic.

use std::{collections::HashMap, ops::Range};

const VERSION: u64 = 1;
/// More items than any model has.
const MOST_ITEMS: u64 = 100_000;
const FLOAT: u64 = 0x404;
const BYTES: u64 = 0x4101;

/// A parsed file; the numbers stay in its bytes until they are asked for.
pub(super) struct ModelFile {
    bytes: Vec<u8>,
    items: HashMap<String, Item>,
}

struct Item {
    kind: u64,
    shape: Vec<usize>,
    data: Range<usize>,
}

/// An 8-bit matrix.
#[derive(Debug, PartialEq)]
pub(super) struct ByteItem<'a> {
    /// Row by row.
    pub(super) bytes: &'a [i8],
    /// What the weights were multiplied with before they were rounded.
    pub(super) steps: f32,
}

impl ModelFile {
    pub(super) fn parse(bytes: Vec<u8>) -> Result<Self, String> {
        let items = items(&bytes)?;
        Ok(Self { bytes, items })
    }

    /// The numbers of an f32 item of so many.
    pub(super) fn floats(&self, name: &str, count: usize) -> Result<Vec<f32>, String> {
        let data = self.data(name, FLOAT)?;
        let (numbers, _) = data.as_chunks::<4>();
        let numbers = numbers
            .get(..count)
            .ok_or_else(|| format!("'{name}' has {} numbers instead of {count}", numbers.len()))?;
        Ok(numbers.iter().map(|n| f32::from_le_bytes(*n)).collect())
    }

    /// An 8-bit matrix of this shape. In memory it is [outputs, inputs], though the file calls all but
    /// the embeddings [inputs, outputs].
    pub(super) fn matrix(&self, name: &str, shape: [usize; 2]) -> Result<ByteItem<'_>, String> {
        let data = self.data(name, BYTES)?;
        let given = &self.item(name)?.shape;
        if given[..] != shape {
            return Err(format!("'{name}' is {given:?} instead of {shape:?}"));
        }
        let count = shape[0] * shape[1];
        let (Some(bytes), Some(steps)) = (data.get(..count), data.get(count..count + 4)) else {
            return Err(format!("'{name}' is too short for {shape:?}"));
        };
        let steps = f32::from_le_bytes([steps[0], steps[1], steps[2], steps[3]]);
        if !steps.is_finite() || steps <= 0.0 {
            return Err(format!("the bytes of '{name}' have the scale {steps}"));
        }
        // Vector instructions cannot turn its sign, and no trained weight is rounded to it.
        if bytes.contains(&0x80) {
            return Err(format!("'{name}' holds -128"));
        }
        Ok(ByteItem {
            bytes: bytemuck::cast_slice(bytes),
            steps,
        })
    }

    /// The shape of an item.
    pub(super) fn shape(&self, name: &str) -> Result<&[usize], String> {
        Ok(&self.item(name)?.shape)
    }

    /// The bytes of an item of any type, as text up to its end or first zero.
    pub(super) fn text(&self, name: &str) -> Result<String, String> {
        let data = &self.bytes[self.item(name)?.data.clone()];
        let end = data.iter().position(|byte| *byte == 0);
        Ok(String::from_utf8_lossy(&data[..end.unwrap_or(data.len())]).into_owned())
    }

    fn item(&self, name: &str) -> Result<&Item, String> {
        self.items
            .get(name)
            .ok_or_else(|| format!("there is no '{name}'"))
    }

    fn data(&self, name: &str, kind: u64) -> Result<&[u8], String> {
        let item = self.item(name)?;
        if item.kind != kind {
            return Err(format!(
                "'{name}' is of type {:#x} instead of {kind:#x}",
                item.kind
            ));
        }
        Ok(&self.bytes[item.data.clone()])
    }
}

fn items(bytes: &[u8]) -> Result<HashMap<String, Item>, String> {
    let mut cursor = Cursor { bytes, at: 0 };
    let version = cursor.word()?;
    if version != VERSION {
        return Err(format!(
            "it begins with {version}, not with version {VERSION} of Marian's binary form"
        ));
    }
    let count = cursor.word()?;
    if count > MOST_ITEMS {
        return Err(format!("it claims to hold {count} items"));
    }
    let mut headers = Vec::new();
    for _ in 0..count {
        headers.push([
            cursor.word()?,
            cursor.word()?,
            cursor.word()?,
            cursor.word()?,
        ]);
    }
    let mut names = Vec::new();
    for [name, ..] in &headers {
        let name = &bytes[cursor.take(*name)?];
        let end = name.iter().position(|byte| *byte == 0);
        let name = &name[..end.unwrap_or(name.len())];
        names.push(String::from_utf8_lossy(name).into_owned());
    }
    let mut shapes = Vec::new();
    for [_, _, dimensions, _] in &headers {
        let data = cursor.take(dimensions.checked_mul(4).ok_or("a shape is too long")?)?;
        let (dimensions, _) = bytes[data].as_chunks::<4>();
        let shape = dimensions.iter().map(|d| u32::from_le_bytes(*d) as usize);
        shapes.push(shape.collect::<Vec<usize>>());
    }
    let gap = cursor.word()?;
    cursor.take(gap)?;
    let mut items = HashMap::new();
    for (([_, kind, _, length], name), shape) in headers.into_iter().zip(names).zip(shapes) {
        let data = cursor.take(length)?;
        items.insert(name, Item { kind, shape, data });
    }
    Ok(items)
}

struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Cursor<'_> {
    fn take(&mut self, length: u64) -> Result<Range<usize>, String> {
        let end = usize::try_from(length)
            .ok()
            .and_then(|length| self.at.checked_add(length))
            .filter(|end| *end <= self.bytes.len());
        let end = end.ok_or("it ends too early: it is damaged, or not wholly downloaded")?;
        let range = self.at..end;
        self.at = end;
        Ok(range)
    }

    fn word(&mut self) -> Result<u64, String> {
        let range = self.take(8)?;
        let word = self.bytes[range].as_array().copied().unwrap_or_default();
        Ok(u64::from_le_bytes(word))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A bias [1, 2] and a matrix [2, 3].
    fn small() -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut words = |words: &[u64]| words.iter().for_each(|w| bytes.extend(w.to_le_bytes()));
        words(&[1, 2, 5, FLOAT, 2, 8, 2, BYTES, 2, 12]);
        bytes.extend(b"bias\0W\0");
        for dimension in [1_u32, 2, 2, 3] {
            bytes.extend(dimension.to_le_bytes());
        }
        bytes.extend(3_u64.to_le_bytes());
        bytes.extend([9; 3]);
        bytes.extend([1.5_f32, -2.0].iter().flat_map(|n| n.to_le_bytes()));
        bytes.extend([1, 2, 3, 255, 0, 129]);
        bytes.extend(0.5_f32.to_le_bytes());
        bytes.extend([0; 2]);
        bytes
    }

    #[test]
    fn reads_numbers_and_bytes() {
        let file = ModelFile::parse(small()).unwrap();
        assert_eq!(file.floats("bias", 2), Ok(vec![1.5, -2.0]));
        let matrix = ByteItem {
            bytes: &[1, 2, 3, -1, 0, -127],
            steps: 0.5,
        };
        assert_eq!(file.matrix("W", [2, 3]), Ok(matrix));
        assert!(file.matrix("W", [3, 2]).unwrap_err().contains("instead of"));
        assert!(file.matrix("bias", [1, 2]).unwrap_err().contains("type"));
        assert!(file.floats("bias", 3).unwrap_err().contains("2 numbers"));
        assert!(file.floats("none", 1).unwrap_err().contains("no 'none'"));
    }

    #[test]
    fn says_what_is_wrong() {
        let whole = small();
        let wrong = |bytes: &[u8]| ModelFile::parse(bytes.to_vec()).err().unwrap();
        assert!(wrong(&whole[..40]).contains("too early"));
        let mut version = whole.clone();
        version[0] = 7;
        assert!(wrong(&version).contains("begins with 7"));
    }

    proptest! {
        #[test]
        fn damage_is_an_error_and_no_panic(at in 0_usize..150, to in any::<u8>(), cut in 0_usize..150) {
            let mut bytes = small();
            let length = bytes.len();
            bytes[at % length] = to;
            bytes.truncate(length.saturating_sub(cut % 20));
            if let Ok(file) = ModelFile::parse(bytes) {
                for name in ["bias", "W"] {
                    let _ = (file.floats(name, 2), file.matrix(name, [2, 3]), file.text(name));
                }
            }
        }
    }
}
