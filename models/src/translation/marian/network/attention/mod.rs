//! Attention with several heads, over rows of one sentence or of several.

mod look;

use self::look::{Keys, look, turned};
use super::{Shape, linear::Linear, rows::Rows};
use crate::translation::marian::weights::At;
use candle_core::Result;

/// Keys and values of a source.
#[derive(Clone, Default)]
pub(in crate::translation::marian) struct Memory {
    /// As [`turned`] makes them.
    keys: Vec<f32>,
    /// [positions, width].
    values: Vec<f32>,
}

impl Memory {
    /// Keys and values of some positions, in order.
    fn new<'a>(
        keys: impl Iterator<Item = &'a [f32]>,
        values: impl Iterator<Item = &'a [f32]>,
    ) -> Self {
        Self {
            keys: turned(&keys.collect::<Vec<_>>()),
            values: values.flatten().copied().collect(),
        }
    }
}

/// Keys and values of what was read of a target, [positions, width] each: it grows.
#[derive(Clone, Default)]
pub(in crate::translation::marian) struct Past {
    keys: Vec<f32>,
    values: Vec<f32>,
}

/// What attention found.
pub(in crate::translation::marian) struct Attended {
    /// [rows, width].
    pub(in crate::translation::marian) output: Rows,
    /// Of each row, how much it looked at each position of its memory, as the heads that tell it have it
    /// on average.
    pub(in crate::translation::marian) weights: Vec<Vec<f32>>,
}

/// How heads look.
#[derive(Debug, Clone, Copy)]
pub(in crate::translation::marian) struct Heads {
    /// How many there are; it divides the width of rows.
    pub(in crate::translation::marian) count: usize,
    /// The first so many tell where rows look.
    pub(in crate::translation::marian) telling: usize,
    /// Whether probabilities are exact to the last bit, by which students tell words that are nearly as
    /// good, or as fast as can be.
    pub(in crate::translation::marian) exact: bool,
}

impl Heads {
    fn of(shape: Shape) -> Self {
        Self {
            count: shape.heads,
            telling: shape.heads,
            exact: false,
        }
    }
}

/// Attention of rows to rows of the same sentence.
pub(in crate::translation::marian) struct OwnAttention {
    inputs: Inputs,
    out: Linear,
    heads: Heads,
}

/// What makes queries, keys and values of rows.
enum Inputs {
    /// A layer each.
    Apart(Box<[Linear; 3]>),
    /// One layer, which makes them one after the other: rows are rounded once, and threads meet once.
    Together(Linear),
}

/// Queries, keys and values of some rows.
enum Projected {
    Apart([Rows; 3]),
    Together(Rows),
}

impl Inputs {
    fn forward(&self, rows: &Rows) -> Result<Projected> {
        Ok(match self {
            Self::Apart(layers) => {
                let [query, key, value] = &**layers;
                Projected::Apart([
                    query.forward(rows)?,
                    key.forward(rows)?,
                    value.forward(rows)?,
                ])
            }
            Self::Together(all) => Projected::Together(all.forward(rows)?),
        })
    }
}

impl Projected {
    /// Rows of the queries (0), the keys (1) or the values (2).
    fn rows(&self, which: usize) -> impl Iterator<Item = &[f32]> {
        let (rows, from, width) = match self {
            Self::Apart(rows) => (&rows[which], 0, rows[which].width()),
            Self::Together(all) => (all, which * all.width() / 3, all.width() / 3),
        };
        rows.iter().map(move |row| &row[from..from + width])
    }

    fn queries(&self) -> impl Iterator<Item = &[f32]> {
        self.rows(0)
    }

    fn keys(&self) -> impl Iterator<Item = &[f32]> {
        self.rows(1)
    }

    fn values(&self) -> impl Iterator<Item = &[f32]> {
        self.rows(2)
    }
}

impl OwnAttention {
    /// `projections` give queries, keys, values, and the output, all of one width.
    pub(in crate::translation::marian) fn new(projections: [Linear; 4], heads: Heads) -> Self {
        let [query, key, value, out] = projections;
        Self {
            inputs: Inputs::Apart(Box::new([query, key, value])),
            out,
            heads,
        }
    }

    pub(super) fn read(shape: Shape, at: &At<'_>) -> Result<Self> {
        let square = (shape.width, shape.width);
        let inputs = Linear::read_stacked(square, &["q_proj", "k_proj", "v_proj"], at)?;
        Ok(Self {
            inputs: Inputs::Together(inputs),
            out: Linear::read(square, &at.at("out_proj"))?,
            heads: Heads::of(shape),
        })
    }

    /// The rows of several sentences, the first `lengths[0]` of the first and so on, look at all those of
    /// their own sentence.
    pub(super) fn attend_within(&self, rows: &Rows, lengths: &[usize]) -> Result<Rows> {
        let projected = self.inputs.forward(rows)?;
        let mut found = Rows::zeros(rows.count(), rows.width());
        let (mut keys, mut values) = (projected.keys(), projected.values());
        let mut looks = projected.queries().zip(found.iter_mut());
        let mut weights = Vec::new();
        for length in lengths {
            let memory = Memory::new(keys.by_ref().take(*length), values.by_ref().take(*length));
            for (query, found) in looks.by_ref().take(*length) {
                weights.clear();
                weights.resize(*length, 0.0);
                let keys = Keys::Turned(&memory.keys);
                look(self.heads, query, keys, &memory.values, found, &mut weights);
            }
        }
        drop(looks);
        self.out.forward(&found)
    }

    /// Rows look at what came before them and at themselves, and are remembered: the first `counts[0]`
    /// rows follow what the first of `pasts` remembers, and so on.
    pub(super) fn attend_past(
        &self,
        rows: &Rows,
        counts: &[usize],
        pasts: &mut [&mut Past],
    ) -> Result<Rows> {
        let projected = self.inputs.forward(rows)?;
        let mut found = Rows::zeros(rows.count(), rows.width());
        let news = projected.keys().zip(projected.values());
        let mut looks = news.zip(projected.queries().zip(found.iter_mut()));
        let mut weights = Vec::new();
        for (past, count) in pasts.iter_mut().zip(counts) {
            for ((key, value), (query, found)) in looks.by_ref().take(*count) {
                past.keys.extend(key);
                past.values.extend(value);
                weights.clear();
                weights.resize(past.keys.len() / rows.width(), 0.0);
                let keys = Keys::Rows(&past.keys);
                look(self.heads, query, keys, &past.values, found, &mut weights);
            }
        }
        drop(looks);
        self.out.forward(&found)
    }
}

/// Attention of rows to a source.
pub(in crate::translation::marian) struct CrossAttention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: Heads,
}

impl CrossAttention {
    /// As [`OwnAttention::new`].
    pub(in crate::translation::marian) fn new(projections: [Linear; 4], heads: Heads) -> Self {
        let [query, key, value, out] = projections;
        Self {
            query,
            key,
            value,
            out,
            heads,
        }
    }

    pub(super) fn read(shape: Shape, at: &At<'_>) -> Result<Self> {
        let linear = |name| Linear::read((shape.width, shape.width), &at.at(name));
        let projections = [
            linear("q_proj")?,
            linear("k_proj")?,
            linear("v_proj")?,
            linear("out_proj")?,
        ];
        Ok(Self::new(projections, Heads::of(shape)))
    }

    /// Keys and values of the rows of several sentences, `lengths` of them: a memory each.
    pub(in crate::translation::marian) fn memories(
        &self,
        rows: &Rows,
        lengths: &[usize],
    ) -> Result<Vec<Memory>> {
        let (keys, values) = (self.key.forward(rows)?, self.value.forward(rows)?);
        let (mut keys, mut values) = (keys.iter(), values.iter());
        let memories = lengths
            .iter()
            .map(|length| Memory::new(keys.by_ref().take(*length), values.by_ref().take(*length)));
        Ok(memories.collect())
    }

    /// Each of `rows` looks at the memory that `memories` has for it.
    pub(in crate::translation::marian) fn attend(
        &self,
        rows: &Rows,
        memories: &[&Memory],
    ) -> Result<Attended> {
        debug_assert_eq!(rows.count(), memories.len());
        let queries = self.query.forward(rows)?;
        let mut found = Rows::zeros(rows.count(), rows.width());
        let mut weights = Vec::with_capacity(rows.count());
        for ((query, found), memory) in queries.iter().zip(found.iter_mut()).zip(memories) {
            let mut looked = vec![0.0; memory.values.len() / rows.width()];
            let keys = Keys::Turned(&memory.keys);
            look(self.heads, query, keys, &memory.values, found, &mut looked);
            weights.push(looked);
        }
        Ok(Attended {
            output: self.out.forward(&found)?,
            weights,
        })
    }
}
