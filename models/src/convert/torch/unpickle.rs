//! A pickle machine that can build tables of tensors and can call nothing.
//!
//! Python's own unpickler runs whatever function a file names. This one knows three names, which
//! stand for values ([`Global`]); any other name or operation is an error.

use std::collections::HashMap;
use std::io::{Read, Seek};

use super::super::{ConvertError, source::Source};
use super::value::{Global, Id, MAX_RANK, Pickle, Storage, Value, View};

/// Bytes that one pickle may take. A table of a thousand tensors takes about 200 kB.
const MAX_PICKLE: u64 = 8 << 20;
/// Bytes of a module or name in a GLOBAL operation.
const MAX_NAME: usize = 256;

/// Reads one pickle, leaving `source` behind its STOP.
pub(super) fn unpickle<R: Read + Seek>(source: &mut Source<R>) -> Result<Pickle, ConvertError> {
    let limit = source.position().saturating_add(MAX_PICKLE);
    let mut machine = Machine {
        source,
        values: Vec::new(),
        stack: Vec::new(),
        marks: Vec::new(),
        memo: HashMap::new(),
        operation: 0,
    };
    loop {
        machine.operation = machine.source.position();
        if machine.operation > limit {
            return Err(machine.error("the pickle goes on for more than 8 MiB"));
        }
        let code = machine.source.u8("a pickle operation")?;
        if code == b'.' {
            let root = machine.pop()?;
            return Ok(Pickle {
                values: machine.values,
                root,
            });
        }
        machine.run(code)?;
    }
}

struct Machine<'a, R> {
    source: &'a mut Source<R>,
    values: Vec<Value>,
    stack: Vec<Id>,
    /// Heights of the stack at open MARKs.
    marks: Vec<usize>,
    memo: HashMap<u32, Id>,
    /// Where the current operation starts in the file.
    operation: u64,
}

impl<R: Read + Seek> Machine<'_, R> {
    fn error(&self, problem: impl Into<String>) -> ConvertError {
        self.source.malformed_at(self.operation, problem)
    }

    fn push(&mut self, value: Value) {
        self.stack.push(self.values.len());
        self.values.push(value);
    }

    fn pop(&mut self) -> Result<Id, ConvertError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        if self.stack.len() <= floor {
            return Err(self.error("a pickle operation lacks its operand"));
        }
        self.stack
            .pop()
            .ok_or_else(|| self.error("a pickle operation lacks its operand"))
    }

    fn pop_to_mark(&mut self) -> Result<Vec<Id>, ConvertError> {
        let mark = self
            .marks
            .pop()
            .ok_or_else(|| self.error("a pickle mark is missing"))?;
        Ok(self.stack.split_off(mark))
    }

    fn tuple(&mut self, length: usize) -> Result<(), ConvertError> {
        let mut items = (0..length)
            .map(|_| self.pop())
            .collect::<Result<Vec<_>, _>>()?;
        items.reverse();
        self.push(Value::Tuple(items));
        Ok(())
    }

    /// The value on top of the stack, to be filled.
    fn top(&mut self) -> Option<&mut Value> {
        self.stack.last().and_then(|&id| self.values.get_mut(id))
    }

    fn insert(&mut self, items: &[Id]) -> Result<(), ConvertError> {
        if let (Some(Value::Dict(entries)), (pairs, [])) = (self.top(), items.as_chunks()) {
            entries.extend(pairs.iter().map(|&[key, value]| (key, value)));
            return Ok(());
        }
        Err(self.error("a pickle puts items into what is no dictionary, or an odd number of them"))
    }

    fn append(&mut self, items: &[Id]) -> Result<(), ConvertError> {
        if let Some(Value::List(list)) = self.top() {
            list.extend_from_slice(items);
            return Ok(());
        }
        Err(self.error("a pickle appends to what is no list"))
    }

    fn memo_put(&mut self, key: u32) -> Result<(), ConvertError> {
        let id = self.stack.last().copied();
        self.memo.insert(
            key,
            id.ok_or_else(|| self.error("a pickle remembers nothing"))?,
        );
        Ok(())
    }

    fn memo_get(&mut self, key: u32) -> Result<(), ConvertError> {
        let id = self.memo.get(&key).copied();
        self.stack
            .push(id.ok_or_else(|| self.error(format!("pickle memo {key} is empty")))?);
        Ok(())
    }

    fn run(&mut self, code: u8) -> Result<(), ConvertError> {
        match code {
            0x80 => {
                let version = self.source.u8("the pickle version")?;
                if version > 3 {
                    return Err(self.error(format!("pickle version {version} is not 2 or 3")));
                }
            }
            b'N' => self.push(Value::None),
            0x88 => self.push(Value::Bool(true)),
            0x89 => self.push(Value::Bool(false)),
            b'J' => self.integer(4)?,
            b'K' => self.integer(1)?,
            b'M' => self.integer(2)?,
            0x8a => self.long()?,
            b'G' => {
                self.source.bytes(8, "a number")?;
                self.push(Value::Float);
            }
            b'X' => {
                let length = self.source.u32("the length of a text")?;
                if u64::from(length) > MAX_PICKLE {
                    return Err(self.error(format!("a text of {length} bytes in a pickle")));
                }
                let text = self.source.text(length.into(), "a text")?;
                self.push(Value::Text(text));
            }
            b'c' => self.global()?,
            b'(' => self.marks.push(self.stack.len()),
            b')' => self.push(Value::Tuple(Vec::new())),
            b']' => self.push(Value::List(Vec::new())),
            b'}' => self.push(Value::Dict(Vec::new())),
            b't' => {
                let items = self.pop_to_mark()?;
                self.push(Value::Tuple(items));
            }
            0x85..=0x87 => self.tuple(usize::from(code - 0x84))?,
            b's' => {
                let (value, key) = (self.pop()?, self.pop()?);
                self.insert(&[key, value])?;
            }
            b'u' => {
                let items = self.pop_to_mark()?;
                self.insert(&items)?;
            }
            b'a' => {
                let item = self.pop()?;
                self.append(&[item])?;
            }
            b'e' => {
                let items = self.pop_to_mark()?;
                self.append(&items)?;
            }
            b'q' => {
                let key = self.source.u8("a memo number")?;
                self.memo_put(key.into())?;
            }
            b'r' => {
                let key = self.source.u32("a memo number")?;
                self.memo_put(key)?;
            }
            b'h' => {
                let key = self.source.u8("a memo number")?;
                self.memo_get(key.into())?;
            }
            b'j' => {
                let key = self.source.u32("a memo number")?;
                self.memo_get(key)?;
            }
            b'Q' => self.storage()?,
            b'R' => self.reduce()?,
            b'b' => {
                // Python attributes of the OrderedDict (`_metadata`): they say nothing of tensors.
                self.pop()?;
                if !matches!(self.top(), Some(Value::Dict(_))) {
                    return Err(self.error("a pickle sets attributes of what is no dictionary"));
                }
            }
            other => {
                return Err(self.error(format!(
                    "pickle operation {other:#04x} ({}) is none that a tensor table needs",
                    char::from(other).escape_default()
                )));
            }
        }
        Ok(())
    }

    fn integer(&mut self, width: u64) -> Result<(), ConvertError> {
        let value = match width {
            1 => self.source.u8("an integer")?.into(),
            2 => self.source.u16("an integer")?.into(),
            _ => self.source.i32("an integer")?.into(),
        };
        self.push(Value::Int(value));
        Ok(())
    }

    fn long(&mut self) -> Result<(), ConvertError> {
        let length = self.source.u8("the length of an integer")?;
        let bytes = self.source.bytes(length.into(), "an integer")?;
        self.push(if bytes.len() <= 8 {
            let sign = if bytes.last().is_some_and(|top| top & 0x80 != 0) {
                0xff
            } else {
                0
            };
            let mut wide = [sign; 8];
            wide[..bytes.len()].copy_from_slice(&bytes);
            Value::Int(i64::from_le_bytes(wide))
        } else {
            Value::BigInt(bytes)
        });
        Ok(())
    }

    fn line(&mut self) -> Result<String, ConvertError> {
        let mut line = Vec::new();
        loop {
            match self.source.u8("a Python name")? {
                b'\n' => return Ok(String::from_utf8_lossy(&line).into_owned()),
                _ if line.len() >= MAX_NAME => {
                    return Err(self.error("a Python name of more than 256 bytes"));
                }
                byte => line.push(byte),
            }
        }
    }

    fn global(&mut self) -> Result<(), ConvertError> {
        let (module, name) = (self.line()?, self.line()?);
        let global = Global::named(&module, &name).ok_or_else(|| ConvertError::RefusedGlobal {
            path: self.source.path().to_path_buf(),
            offset: self.operation,
            global: format!("{module}.{name}"),
        })?;
        self.push(Value::Global(global));
        Ok(())
    }

    fn get(&self, id: Id) -> &Value {
        self.values.get(id).unwrap_or(&Value::None)
    }

    fn items(&self, id: Id) -> &[Id] {
        match self.get(id) {
            Value::Tuple(items) => items,
            _ => &[],
        }
    }

    fn count(&self, id: Id) -> Option<u64> {
        match self.get(id) {
            Value::Int(count) => u64::try_from(*count).ok(),
            _ => None,
        }
    }

    fn counts(&self, id: Id) -> Option<Vec<u64>> {
        match self.get(id) {
            Value::Tuple(items) if items.len() <= MAX_RANK => {
                items.iter().map(|&item| self.count(item)).collect()
            }
            _ => None,
        }
    }

    /// BINPERSID: `("storage", type, key, device, elements[, view])`.
    fn storage(&mut self) -> Result<(), ConvertError> {
        let id = self.pop()?;
        let storage = match *self.items(id) {
            [kind, dtype, key, _device, elements, ref view @ ..] => {
                let storage = matches!(self.get(kind), Value::Text(kind) if kind == "storage");
                let whole = view.iter().all(|&view| *self.get(view) == Value::None);
                match (self.get(dtype), self.get(key), self.count(elements)) {
                    (Value::Global(Global::StorageType(dtype)), Value::Text(_), Some(elements))
                        if storage && whole =>
                    {
                        Some(Storage {
                            key,
                            dtype: *dtype,
                            elements,
                        })
                    }
                    _ => None,
                }
            }
            _ => None,
        };
        let storage = storage.ok_or_else(|| self.error("a reference to no plain storage"))?;
        self.push(Value::Storage(storage));
        Ok(())
    }

    /// REDUCE: in Python a call of any function, here the building of one of three values.
    fn reduce(&mut self) -> Result<(), ConvertError> {
        let (arguments, callee) = (self.pop()?, self.pop()?);
        let value = match (self.get(callee), self.items(arguments)) {
            (Value::Global(Global::OrderedDict), []) => Some(Value::Dict(Vec::new())),
            (Value::Global(Global::RebuildTensor), &[storage, offset, shape, strides, ..]) => self
                .view(storage, offset, shape, strides)
                .map(|view| Value::Tensor(Box::new(view))),
            (Value::Global(Global::RebuildParameter), &[tensor, ..]) => match self.get(tensor) {
                Value::Tensor(view) => Some(Value::Tensor(view.clone())),
                _ => None,
            },
            _ => None,
        };
        let value = value.ok_or_else(|| {
            self.error("a pickle calls something else than the building of a tensor")
        })?;
        self.push(value);
        Ok(())
    }

    fn view(&self, storage: Id, offset: Id, shape: Id, strides: Id) -> Option<View> {
        let Value::Storage(storage) = *self.get(storage) else {
            return None;
        };
        let (offset, shape) = (self.count(offset)?, self.counts(shape)?);
        let strides = self.counts(strides)?;
        (shape.len() == strides.len()).then_some(View {
            storage,
            offset,
            shape,
            strides,
        })
    }
}
