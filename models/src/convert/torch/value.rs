//! What a checkpoint's pickle may hold, and nothing else.

use safetensors::Dtype;

/// Index of a value in its [`Pickle`]. Values refer to each other by index: a hostile pickle
/// cannot make a copy explode, nor the destructor recurse.
pub(super) type Id = usize;

/// Dimensions that a tensor may have.
pub(super) const MAX_RANK: usize = 8;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    None,
    Bool(bool),
    Int(i64),
    /// An integer beyond 64 bits, little-endian two's complement.
    BigInt(Vec<u8>),
    Float,
    Text(String),
    Global(Global),
    Tuple(Vec<Id>),
    List(Vec<Id>),
    Dict(Vec<(Id, Id)>),
    Storage(Storage),
    Tensor(Box<View>),
}

/// The Python names that a tensor table needs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Global {
    OrderedDict,
    RebuildTensor,
    RebuildParameter,
    StorageType(Dtype),
}

impl Global {
    pub(super) fn named(module: &str, name: &str) -> Option<Self> {
        Some(match (module, name) {
            ("collections", "OrderedDict") => Self::OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2") => Self::RebuildTensor,
            ("torch._utils", "_rebuild_parameter") => Self::RebuildParameter,
            ("torch", "DoubleStorage") => Self::StorageType(Dtype::F64),
            ("torch", "FloatStorage") => Self::StorageType(Dtype::F32),
            ("torch", "HalfStorage") => Self::StorageType(Dtype::F16),
            ("torch", "BFloat16Storage") => Self::StorageType(Dtype::BF16),
            ("torch", "LongStorage") => Self::StorageType(Dtype::I64),
            ("torch", "IntStorage") => Self::StorageType(Dtype::I32),
            ("torch", "ShortStorage") => Self::StorageType(Dtype::I16),
            ("torch", "CharStorage") => Self::StorageType(Dtype::I8),
            ("torch", "ByteStorage") => Self::StorageType(Dtype::U8),
            ("torch", "BoolStorage") => Self::StorageType(Dtype::BOOL),
            _ => return None,
        })
    }
}

/// A block of numbers, kept outside the pickle under a key.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Storage {
    /// A [`Value::Text`].
    pub key: Id,
    pub dtype: Dtype,
    pub elements: u64,
}

/// A tensor: a strided view of a storage. Offset and strides count elements.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct View {
    pub storage: Storage,
    pub offset: u64,
    pub shape: Vec<u64>,
    pub strides: Vec<u64>,
}

/// All values of one pickle.
#[derive(Debug)]
pub(super) struct Pickle {
    pub values: Vec<Value>,
    pub root: Id,
}

impl Pickle {
    /// The value at `id`; [`Value::None`] for an index of another pickle.
    pub(super) fn get(&self, id: Id) -> &Value {
        self.values.get(id).unwrap_or(&Value::None)
    }

    pub(super) fn root(&self) -> &Value {
        self.get(self.root)
    }

    pub(super) fn text(&self, id: Id) -> Option<&str> {
        match self.get(id) {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The value under a text key of the root, if the root is a dictionary.
    pub(super) fn entry(&self, name: &str) -> Option<&Value> {
        match self.root() {
            Value::Dict(entries) => entries
                .iter()
                .find(|(key, _)| self.text(*key) == Some(name))
                .map(|e| self.get(e.1)),
            _ => None,
        }
    }
}
