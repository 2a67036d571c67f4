//! Attention with several heads, over rows of one sentence or of several.

use candle_core::Result;
use multiversion::multiversion;

use super::{
    Shape,
    exponential::{softmax, softmax_exact},
    linear::Linear,
    rows::Rows,
};
use crate::translation::marian::weights::At;

/// Keys and values of a source.
#[derive(Clone, Default)]
pub(in crate::translation::marian) struct Memory {
    /// As [`turned`] makes them.
    keys: Vec<f32>,
    /// [positions, width].
    values: Vec<f32>,
}

impl Memory {
    /// `keys` and `values` are [positions, width].
    fn new(keys: &[f32], values: &[f32], width: usize) -> Self {
        Self {
            keys: turned(keys, width),
            values: values.to_vec(),
        }
    }
}

/// Numbers of a vector.
const LANES: usize = 16;

/// [positions, width] to [width, positions], these filled up to a multiple of [`LANES`] with zeros: the
/// products with a query are whole vectors of positions.
fn turned(rows: &[f32], width: usize) -> Vec<f32> {
    let positions = (rows.len() / width).next_multiple_of(LANES);
    let mut turned = vec![0.0; width * positions];
    for (position, row) in rows.chunks_exact(width).enumerate() {
        for (at, number) in row.iter().enumerate() {
            turned[at * positions + position] = *number;
        }
    }
    turned
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

/// Projections to queries, keys and values, and of what was found.
pub(in crate::translation::marian) struct Attention {
    query: Linear,
    key: Linear,
    value: Linear,
    out: Linear,
    heads: usize,
    /// The first so many heads tell where rows look.
    telling: usize,
    /// Whether probabilities are exact to the last bit, by which students tell words that are nearly as
    /// good.
    exact: bool,
}

impl Attention {
    /// `projections` give queries, keys, values, and the output, all of one width, which `heads`
    /// divides; the first `telling` heads tell where rows look. Probabilities are `exact` to the last bit
    /// or as fast as can be.
    pub(in crate::translation::marian) fn new(
        projections: [Linear; 4],
        heads: usize,
        telling: usize,
        exact: bool,
    ) -> Self {
        let [query, key, value, out] = projections;
        Self {
            query,
            key,
            value,
            out,
            heads,
            telling,
            exact,
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
        Ok(Self::new(projections, shape.heads, shape.heads, false))
    }

    /// Keys and values of the rows of several sentences, `lengths` of them: a memory each.
    pub(in crate::translation::marian) fn memories(
        &self,
        rows: &Rows,
        lengths: &[usize],
    ) -> Result<Vec<Memory>> {
        let width = rows.width();
        let (keys, values) = (self.key.forward(rows)?, self.value.forward(rows)?);
        let mut from = 0;
        let memories = lengths.iter().map(|length| {
            let of_sentence = from..from + length * width;
            from = of_sentence.end;
            let keys = &keys.numbers()[of_sentence.clone()];
            Memory::new(keys, &values.numbers()[of_sentence], width)
        });
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
            self.look(query, keys, &memory.values, found, &mut looked);
            weights.push(looked);
        }
        Ok(Attended {
            output: self.out.forward(&found)?,
            weights,
        })
    }

    /// The rows of several sentences, the first `lengths[0]` of the first and so on, look at all those of
    /// their own sentence.
    pub(super) fn attend_within(&self, rows: &Rows, lengths: &[usize]) -> Result<Rows> {
        let width = rows.width();
        let queries = self.query.forward(rows)?;
        let (keys, values) = (self.key.forward(rows)?, self.value.forward(rows)?);
        let mut found = Rows::zeros(rows.count(), width);
        let mut weights = Vec::new();
        let mut looks = queries.iter().zip(found.iter_mut());
        let mut from = 0;
        for length in lengths {
            let to = from + length * width;
            let keys = turned(&keys.numbers()[from..to], width);
            let values = &values.numbers()[from..to];
            for (query, found) in looks.by_ref().take(*length) {
                weights.clear();
                weights.resize(*length, 0.0);
                self.look(query, Keys::Turned(&keys), values, found, &mut weights);
            }
            from = to;
        }
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
        let queries = self.query.forward(rows)?;
        let (keys, values) = (self.key.forward(rows)?, self.value.forward(rows)?);
        let mut found = Rows::zeros(rows.count(), rows.width());
        let news = keys.iter().zip(values.iter());
        let mut looks = news.zip(queries.iter().zip(found.iter_mut()));
        let mut weights = Vec::new();
        for (past, count) in pasts.iter_mut().zip(counts) {
            for ((key, value), (query, found)) in looks.by_ref().take(*count) {
                past.keys.extend(key);
                past.values.extend(value);
                weights.clear();
                weights.resize(past.keys.len() / rows.width(), 0.0);
                let keys = Keys::Rows(&past.keys);
                self.look(query, keys, &past.values, found, &mut weights);
            }
        }
        self.out.forward(&found)
    }

    /// Adds to `found` what one `query` finds by `keys` in `values` [positions, width], and to `weights`
    /// [positions] where it looked.
    fn look(
        &self,
        query: &[f32],
        keys: Keys<'_>,
        values: &[f32],
        found: &mut [f32],
        weights: &mut [f32],
    ) {
        let heads = Heads {
            count: self.heads,
            telling: self.telling,
            exact: self.exact,
        };
        look(heads, query, keys, values, found, weights);
    }
}

/// Keys of some positions.
#[derive(Clone, Copy)]
enum Keys<'a> {
    /// [positions, width].
    Rows(&'a [f32]),
    /// As [`turned`] makes them.
    Turned(&'a [f32]),
}

#[derive(Clone, Copy)]
struct Heads {
    count: usize,
    telling: usize,
    exact: bool,
}

/// As [`Attention::look`].
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn look(
    heads: Heads,
    query: &[f32],
    keys: Keys<'_>,
    values: &[f32],
    found: &mut [f32],
    weights: &mut [f32],
) {
    let width = query.len();
    let head = width / heads.count;
    let scale = (head as f32).sqrt().recip();
    let part = 1.0 / heads.telling as f32;
    let positions = weights.len();
    let filled = positions.next_multiple_of(LANES);
    let mut all_scores = vec![0.0; filled];
    for (at, (query, found)) in query
        .chunks_exact(head)
        .zip(found.chunks_exact_mut(head))
        .enumerate()
    {
        let of_head = at * head..(at + 1) * head;
        match keys {
            Keys::Turned(keys) => {
                let keys = &keys[of_head.start * filled..of_head.end * filled];
                dots_turned(query, keys, &mut all_scores);
            }
            Keys::Rows(keys) => {
                for (key, score) in keys.chunks_exact(width).zip(all_scores.iter_mut()) {
                    *score = dot(query, &key[of_head.clone()]);
                }
            }
        }
        let scores = &mut all_scores[..positions];
        scores.iter_mut().for_each(|score| *score *= scale);
        if heads.exact {
            softmax_exact(scores);
        } else {
            softmax(scores);
        }
        mix(scores, values, width, of_head.start, found);
        if at < heads.telling {
            for (weight, score) in weights.iter_mut().zip(scores.iter()) {
                *weight += score * part;
            }
        }
    }
}

/// Dot products of a query with keys [width, scores]. Each is summed in order, as students expect.
#[inline(always)]
fn dots_turned(query: &[f32], keys: &[f32], scores: &mut [f32]) {
    let positions = scores.len();
    let (scores, _) = scores.as_chunks_mut::<LANES>();
    for (at, scores) in scores.iter_mut().enumerate() {
        let mut sums = [0.0_f32; LANES];
        for (number, keys) in query.iter().zip(keys.chunks_exact(positions)) {
            let keys = &keys[at * LANES..(at + 1) * LANES];
            for (sum, key) in sums.iter_mut().zip(keys) {
                *sum += number * key;
            }
        }
        *scores = sums;
    }
}

/// Adds to `found` the values [positions, width], of each its numbers from `from` on, by their scores.
#[inline(always)]
fn mix(scores: &[f32], values: &[f32], width: usize, from: usize, found: &mut [f32]) {
    let (wide, rest) = found.as_chunks_mut::<LANES>();
    let done = wide.len() * LANES;
    for (at, found) in wide.iter_mut().enumerate() {
        let from = from + at * LANES;
        let mut sums = *found;
        for (score, value) in scores.iter().zip(values.chunks_exact(width)) {
            for (sum, value) in sums.iter_mut().zip(&value[from..from + LANES]) {
                *sum += score * value;
            }
        }
        *found = sums;
    }
    for (score, value) in scores.iter().zip(values.chunks_exact(width)) {
        for (found, value) in rest.iter_mut().zip(&value[from + done..]) {
            *found += score * value;
        }
    }
}

/// A dot product, in several sums side by side.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0_f32; LANES];
    let ((a, rest_a), (b, rest_b)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            sums[lane] += a[lane] * b[lane];
        }
    }
    let rest: f32 = rest_a.iter().zip(rest_b).map(|(a, b)| a * b).sum();
    sums.iter().sum::<f32>() + rest
}
