//! Attention with several heads, over rows of one sentence.

use candle_core::{D, Module, Result, Tensor};
use candle_nn::{VarBuilder, ops::softmax_last_dim};

use super::{Shape, linear::Linear};

/// Keys and values of some positions: [heads, positions, width of a head] each.
#[derive(Clone)]
pub(super) struct Memory {
    keys: Tensor,
    values: Tensor,
}

impl Memory {
    /// Both, one after the other. Makes new tensors: clones of the old stay as they are.
    fn extended(&self, with: &Self) -> Result<Self> {
        Ok(Self {
            keys: Tensor::cat(&[&self.keys, &with.keys], 1)?,
            values: Tensor::cat(&[&self.values, &with.values], 1)?,
        })
    }
}

/// What attention found.
pub(super) struct Attended {
    /// [rows, width].
    pub(super) output: Tensor,
    /// How much each row looked at each position, a head at a time: [heads, rows, positions].
    pub(super) weights: Tensor,
}

/// Projections to queries, keys and values, and of what was found.
pub(super) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: usize,
    scale: f64,
}

impl Attention {
    pub(super) fn read(shape: Shape, builder: &VarBuilder<'_>) -> Result<Self> {
        let square = (shape.width, shape.width);
        let linear = |name| Linear::read(square, shape.precision, &builder.pp(name));
        // A head is at most some thousand numbers wide.
        let head = u16::try_from(shape.width / shape.heads).unwrap_or(u16::MAX);
        Ok(Self {
            query: linear("q_proj")?,
            key: linear("k_proj")?,
            value: linear("v_proj")?,
            out: linear("out_proj")?,
            heads: shape.heads,
            scale: f64::from(head).powf(-0.5),
        })
    }

    /// Keys and values of rows [positions, width].
    pub(super) fn memory(&self, rows: &Tensor) -> Result<Memory> {
        Ok(Memory {
            keys: self.split(&self.key.forward(rows)?)?,
            values: self.split(&self.value.forward(rows)?)?,
        })
    }

    /// Rows [rows, width] look at `memory`.
    pub(super) fn attend(&self, rows: &Tensor, memory: &Memory) -> Result<Attended> {
        let found = self.look(&self.queries(rows)?, memory, None)?;
        Ok(Attended {
            output: self.out.forward(&found.output)?,
            weights: found.weights,
        })
    }

    /// Rows look at themselves, all at all: [rows, width].
    pub(super) fn attend_all(&self, rows: &Tensor) -> Result<Tensor> {
        Ok(self.attend(rows, &self.memory(rows)?)?.output)
    }

    /// Rows look at what came before them and at themselves, and are remembered: the first
    /// `rows / pasts.len()` rows follow what the first of `pasts` remembers, and so on.
    pub(super) fn attend_past(
        &self,
        rows: &Tensor,
        pasts: &mut [&mut Option<Memory>],
    ) -> Result<Tensor> {
        let each = rows.dim(0)? / pasts.len().max(1);
        let queries = self.queries(rows)?;
        let new = self.memory(rows)?;
        let mask = causal_mask(each, rows)?;
        let mut outputs = Vec::with_capacity(pasts.len());
        for (index, past) in pasts.iter_mut().enumerate() {
            let part = |tensor: &Tensor| tensor.narrow(1, index * each, each);
            let new = Memory {
                keys: part(&new.keys)?,
                values: part(&new.values)?,
            };
            let known = match past.take() {
                Some(past) => past.extended(&new)?,
                None => new,
            };
            outputs.push(self.look(&part(&queries)?, &known, mask.as_ref())?.output);
            **past = Some(known);
        }
        self.out.forward(&Tensor::cat(&outputs, 0)?)
    }

    fn queries(&self, rows: &Tensor) -> Result<Tensor> {
        self.split(&(self.query.forward(rows)? * self.scale)?)
    }

    /// [rows, width] to [heads, rows, width of a head].
    fn split(&self, rows: &Tensor) -> Result<Tensor> {
        let (count, width) = rows.dims2()?;
        rows.reshape((count, self.heads, width / self.heads))?
            .transpose(0, 1)?
            .contiguous()
    }

    fn look(&self, queries: &Tensor, memory: &Memory, mask: Option<&Tensor>) -> Result<Attended> {
        let scores = queries.matmul(&memory.keys.transpose(1, 2)?)?;
        let scores = match mask {
            Some(mask) => scores.broadcast_add(mask)?,
            None => scores,
        };
        let weights = softmax_last_dim(&scores)?;
        let output = weights
            .matmul(&memory.values.contiguous()?)?
            .transpose(0, 1)?
            .flatten_from(D::Minus2)?;
        Ok(Attended { output, weights })
    }
}

/// Each of several new rows sees itself and what came before: [rows, rows], nothing for one row.
/// Several rows only come first, where nothing is remembered yet.
fn causal_mask(rows: usize, like: &Tensor) -> Result<Option<Tensor>> {
    if rows < 2 {
        return Ok(None);
    }
    let mask: Vec<f32> = (0..rows)
        .flat_map(|row| {
            (0..rows).map(move |column| if column > row { f32::NEG_INFINITY } else { 0.0 })
        })
        .collect();
    Tensor::from_vec(mask, (rows, rows), like.device()).map(Some)
}
