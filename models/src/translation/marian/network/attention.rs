//! Attention with several heads, over rows of one sentence.

use candle_core::Result;

use super::{Shape, exponential::softmax, linear::Linear, rows::Rows};
use crate::translation::marian::weights::At;

/// Keys and values of some positions, each position's one after the other.
#[derive(Clone, Default)]
pub(in crate::translation::marian) struct Memory {
    keys: Vec<f32>,
    values: Vec<f32>,
}

impl Memory {
    /// Appends positions.
    fn extend(&mut self, keys: &[f32], values: &[f32]) {
        self.keys.extend(keys);
        self.values.extend(values);
    }
}

/// What attention found.
pub(in crate::translation::marian) struct Attended {
    /// [rows, width].
    pub(in crate::translation::marian) output: Rows,
    /// How much each row looked at each position, as the heads that tell it have it on average:
    /// [rows, positions].
    pub(in crate::translation::marian) weights: Rows,
}

/// Projections to queries, keys and values, and of what was found.
pub(in crate::translation::marian) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: usize,
    /// The first so many heads tell where rows look.
    telling: usize,
    scale: f32,
}

impl Attention {
    /// `projections` give queries, keys, values, and the output, all of one width, which `heads`
    /// divides; the first `telling` heads tell where rows look.
    pub(in crate::translation::marian) fn new(
        projections: [Linear; 4],
        width: usize,
        heads: usize,
        telling: usize,
    ) -> Self {
        let [query, key, value, out] = projections;
        Self {
            query,
            key,
            value,
            out,
            heads,
            telling,
            scale: ((width / heads) as f32).sqrt().recip(),
        }
    }

    pub(super) fn read(shape: Shape, at: &At<'_>) -> Result<Self> {
        let square = (shape.width, shape.width);
        let linear = |name| Linear::read(square, &at.at(name));
        let projections = [
            linear("q_proj")?,
            linear("k_proj")?,
            linear("v_proj")?,
            linear("out_proj")?,
        ];
        Ok(Self::new(
            projections,
            shape.width,
            shape.heads,
            shape.heads,
        ))
    }

    /// Keys and values of rows [positions, width].
    pub(in crate::translation::marian) fn memory(&self, rows: &Rows) -> Result<Memory> {
        let mut memory = Memory::default();
        memory.extend(
            self.key.forward(rows)?.numbers(),
            self.value.forward(rows)?.numbers(),
        );
        Ok(memory)
    }

    /// Rows [rows, width] look at `memory`.
    pub(in crate::translation::marian) fn attend(
        &self,
        rows: &Rows,
        memory: &Memory,
    ) -> Result<Attended> {
        let queries = self.query.forward(rows)?;
        let positions = memory.keys.len() / rows.width();
        let mut found = Rows::zeros(rows.count(), rows.width());
        let mut weights = Rows::zeros(rows.count(), positions);
        for ((query, found), weights) in
            queries.iter().zip(found.iter_mut()).zip(weights.iter_mut())
        {
            self.look(query, memory, found, weights);
        }
        Ok(Attended {
            output: self.out.forward(&found)?,
            weights,
        })
    }

    /// Rows look at themselves, all at all: [rows, width].
    pub(super) fn attend_all(&self, rows: &Rows) -> Result<Rows> {
        Ok(self.attend(rows, &self.memory(rows)?)?.output)
    }

    /// Rows look at what came before them and at themselves, and are remembered: the first
    /// `rows / pasts.len()` rows follow what the first of `pasts` remembers, and so on.
    pub(super) fn attend_past(&self, rows: &Rows, pasts: &mut [&mut Memory]) -> Result<Rows> {
        let each = rows.count() / pasts.len().max(1);
        let queries = self.query.forward(rows)?;
        let (keys, values) = (self.key.forward(rows)?, self.value.forward(rows)?);
        let mut found = Rows::zeros(rows.count(), rows.width());
        let news = keys.iter().zip(values.iter());
        let looks = queries.iter().zip(found.iter_mut());
        let mut weights = Vec::new();
        for (index, ((key, value), (query, found))) in news.zip(looks).enumerate() {
            let past = &mut pasts[index / each];
            past.extend(key, value);
            weights.clear();
            weights.resize(past.keys.len() / rows.width(), 0.0);
            self.look(query, past, found, &mut weights);
        }
        self.out.forward(&found)
    }

    /// Adds to `found` what one `query` finds in `memory`, and to `weights` where it looked.
    fn look(&self, query: &[f32], memory: &Memory, found: &mut [f32], weights: &mut [f32]) {
        let width = query.len();
        let head = width / self.heads;
        let mut scores = vec![0.0; weights.len()];
        let part = 1.0 / self.telling as f32;
        for (at, (query, found)) in query
            .chunks_exact(head)
            .zip(found.chunks_exact_mut(head))
            .enumerate()
        {
            let of_head = at * head..(at + 1) * head;
            dots(query, &memory.keys, width, of_head.start, &mut scores);
            scores.iter_mut().for_each(|score| *score *= self.scale);
            softmax(&mut scores);
            for ((score, value), weight) in scores
                .iter()
                .zip(memory.values.chunks_exact(width))
                .zip(weights.iter_mut())
            {
                for (found, value) in found.iter_mut().zip(&value[of_head.clone()]) {
                    *found += score * value;
                }
                if at < self.telling {
                    *weight += score * part;
                }
            }
        }
    }
}

/// Dot products of a query with the part from `from` on of each key, which are rows of `width`. Each is
/// summed in order, as students expect, but several side by side, so that none waits for the other.
fn dots(query: &[f32], keys: &[f32], width: usize, from: usize, scores: &mut [f32]) {
    const ABREAST: usize = 8;
    let some = keys.chunks(ABREAST * width);
    for (keys, scores) in some.zip(scores.chunks_mut(ABREAST)) {
        let mut sums = [0.0_f32; ABREAST];
        let part = |key: usize| keys.get(key * width + from..).unwrap_or_default();
        let parts: [&[f32]; ABREAST] = std::array::from_fn(|key| part(key.min(scores.len() - 1)));
        for (at, number) in query.iter().enumerate() {
            for (sum, key) in sums.iter_mut().zip(&parts) {
                *sum += number * key[at];
            }
        }
        scores.copy_from_slice(&sums[..scores.len()]);
    }
}
