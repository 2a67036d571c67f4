//! The two containers of `PyTorch`: the tensor table, and where in the file each storage lies.

use std::collections::{BTreeMap, HashMap};
use std::io::{Read, Seek};

use safetensors::Dtype;
use zip::{CompressionMethod, ZipArchive, result::ZipError};

use super::super::{ConvertError, source::Source};
use super::unpickle::unpickle;
use super::value::{Id, Pickle, Value, View};

/// 0x1950a86a20f9469cfc6c, the first pickle of a legacy file.
const MAGIC: [u8; 10] = [0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
const PROTOCOL: i64 = 1001;

/// A state dictionary and the places of its numbers.
#[derive(Debug)]
pub(super) struct Checkpoint {
    /// By name, in order.
    pub tensors: BTreeMap<String, View>,
    /// Byte offset in the file of each storage; all of it lies within the file.
    pub storages: HashMap<Id, u64>,
}

/// What the pickle says of one storage.
struct Declared {
    /// The first text with this key; views are made to refer to it.
    id: Id,
    dtype: Dtype,
    elements: u64,
}

/// Reads a legacy file (before `PyTorch` 1.6): five pickles, then the storages in the order of the
/// fifth, each after its element count.
pub(super) fn legacy<R: Read + Seek>(source: &mut Source<R>) -> Result<Checkpoint, ConvertError> {
    let magic = unpickle(source)?;
    if !matches!(magic.root(), Value::BigInt(bytes) if bytes.starts_with(&MAGIC)) {
        return Err(source.malformed_at(0, "the magic number of a PyTorch file is missing"));
    }
    if *unpickle(source)?.root() != Value::Int(PROTOCOL) {
        return Err(source.malformed("the PyTorch protocol version is not 1001"));
    }
    if unpickle(source)?.entry("little_endian") == Some(&Value::Bool(false)) {
        return Err(big_endian(source));
    }
    let pickle = unpickle(source)?;
    let declared = declared(source, &pickle)?;
    let keys = unpickle(source)?;
    let Value::List(order) = keys.root() else {
        return Err(source.malformed("the list of storage keys is missing"));
    };
    let mut storages = HashMap::new();
    for &key in order {
        let known = keys.text(key).and_then(|key| declared.get(key));
        let known = known.ok_or_else(|| source.malformed("a storage that no tensor uses"))?;
        let elements = source.i64("the length of a storage")?;
        if u64::try_from(elements) != Ok(known.elements) {
            return Err(source.malformed(format!(
                "a storage has {elements} elements where its tensors expect {}",
                known.elements
            )));
        }
        let length = storage_bytes(source, known)?;
        source.need(length, "a storage")?;
        storages.insert(known.id, source.position());
        source.seek(source.position() + length)?;
    }
    checkpoint(source, &pickle, &declared, storages)
}

/// Reads a file of `PyTorch` 1.6 and later: an uncompressed zip of one pickle and one member for each
/// storage.
pub(super) fn zipped<R: Read + Seek>(source: &mut Source<R>) -> Result<Checkpoint, ConvertError> {
    let members = members(source)?;
    let table = members.iter().find(|(name, _)| name.ends_with("/data.pkl"));
    let (name, &(start, _)) = table.ok_or_else(|| {
        source.malformed_at(
            0,
            "the archive has no data.pkl, so it is no PyTorch checkpoint",
        )
    })?;
    let folder = name.trim_end_matches("data.pkl");
    if let Some(&(start, length)) = members.get(&format!("{folder}byteorder")) {
        source.seek(start)?;
        if source.bytes(length.min(16), "the byte order")? == b"big" {
            return Err(big_endian(source));
        }
    }
    source.seek(start)?;
    let pickle = unpickle(source)?;
    let declared = declared(source, &pickle)?;
    let mut storages = HashMap::new();
    for (key, known) in &declared {
        let member = members.get(&format!("{folder}data/{key}"));
        let &(start, length) = member.ok_or_else(|| {
            source.malformed_at(0, format!("the archive has no storage data/{key}"))
        })?;
        source.seek(start)?;
        source.need(length, "a storage")?;
        if length < storage_bytes(source, known)? {
            return Err(source.malformed(format!(
                "storage data/{key} has {length} bytes, too few for {} numbers",
                known.elements
            )));
        }
        storages.insert(known.id, start);
    }
    checkpoint(source, &pickle, &declared, storages)
}

/// Start and length of each member.
fn members<R: Read + Seek>(
    source: &mut Source<R>,
) -> Result<BTreeMap<String, (u64, u64)>, ConvertError> {
    let mut read = || -> Result<Result<BTreeMap<_, _>, String>, ZipError> {
        let mut archive = ZipArchive::new(source.reader())?;
        let mut members = BTreeMap::new();
        for index in 0..archive.len() {
            let member = archive.by_index_raw(index)?;
            let name = member.name()?.into_owned();
            if member.encrypted() || member.compression() != CompressionMethod::Stored {
                return Ok(Err(name));
            }
            if let Some(start) = member.data_start() {
                members.insert(name, (start, member.size()));
            }
        }
        Ok(Ok(members))
    };
    match read() {
        Ok(Ok(members)) => Ok(members),
        Ok(Err(member)) => Err(ConvertError::unsupported(
            source.path(),
            format!("its member {member} is compressed or encrypted"),
            "A PyTorch checkpoint is stored plainly: unpack the archive first",
        )),
        Err(error) => Err(source.malformed_at(0, format!("the archive cannot be read: {error}"))),
    }
}

fn big_endian<R: Read + Seek>(source: &Source<R>) -> ConvertError {
    ConvertError::unsupported(
        source.path(),
        "it was written on a big-endian machine",
        "Load and save it again with PyTorch on a usual machine",
    )
}

fn storage_bytes<R: Read + Seek>(
    source: &Source<R>,
    storage: &Declared,
) -> Result<u64, ConvertError> {
    storage
        .elements
        .checked_mul(super::element_bytes(storage.dtype))
        .ok_or_else(|| source.malformed(format!("a storage of {} elements", storage.elements)))
}

/// All storages that the pickle refers to, by key.
fn declared<R: Read + Seek>(
    source: &Source<R>,
    pickle: &Pickle,
) -> Result<BTreeMap<String, Declared>, ConvertError> {
    let mut declared: BTreeMap<String, Declared> = BTreeMap::new();
    for value in &pickle.values {
        let Value::Storage(storage) = value else {
            continue;
        };
        let Some(key) = pickle.text(storage.key) else {
            continue;
        };
        if let Some(known) = declared.get(key) {
            if (known.dtype, known.elements) != (storage.dtype, storage.elements) {
                return Err(source.malformed(format!(
                    "the pickle before it gives storage {} two types or lengths",
                    key.escape_debug()
                )));
            }
        } else {
            let (id, dtype, elements) = (storage.key, storage.dtype, storage.elements);
            declared.insert(
                key.to_owned(),
                Declared {
                    id,
                    dtype,
                    elements,
                },
            );
        }
    }
    Ok(declared)
}

fn checkpoint<R: Read + Seek>(
    source: &Source<R>,
    pickle: &Pickle,
    declared: &BTreeMap<String, Declared>,
    storages: HashMap<Id, u64>,
) -> Result<Checkpoint, ConvertError> {
    let Value::Dict(entries) = pickle.root() else {
        return Err(ConvertError::unsupported(
            source.path(),
            "it holds no dictionary of tensors",
            "Save the model's state_dict() alone",
        ));
    };
    let mut tensors = BTreeMap::new();
    for &(key, value) in entries {
        let name = pickle.text(key).unwrap_or("(no text)");
        let Value::Tensor(view) = pickle.get(value) else {
            return Err(ConvertError::unsupported(
                source.path(),
                format!("its entry `{}` is not a tensor", name.escape_debug()),
                "If this is a training checkpoint, save the model's state_dict() alone",
            ));
        };
        let mut view = View::clone(view);
        if let Some(known) = pickle
            .text(view.storage.key)
            .and_then(|key| declared.get(key))
        {
            view.storage.key = known.id;
        }
        tensors.insert(name.to_owned(), view);
    }
    Ok(Checkpoint { tensors, storages })
}
