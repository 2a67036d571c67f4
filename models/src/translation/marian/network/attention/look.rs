//! What one query finds: vectors of numbers, compiled for the widest that a processor has.

use multiversion::multiversion;

use super::Heads;
use crate::translation::marian::network::exponential::{softmax, softmax_exact};

/// Numbers of a vector.
const LANES: usize = 16;

/// [positions, width] to [width, positions], these filled up to a multiple of [`LANES`] with zeros: the
/// products with a query are whole vectors of positions.
pub(super) fn turned(rows: &[&[f32]]) -> Vec<f32> {
    let positions = rows.len().next_multiple_of(LANES);
    let mut turned = vec![0.0; rows.first().map_or(0, |row| row.len()) * positions];
    for (position, row) in rows.iter().enumerate() {
        for (at, number) in row.iter().enumerate() {
            turned[at * positions + position] = *number;
        }
    }
    turned
}

/// Keys of some positions.
#[derive(Clone, Copy)]
pub(super) enum Keys<'a> {
    /// [positions, width].
    Rows(&'a [f32]),
    /// As [`turned`] makes them.
    Turned(&'a [f32]),
}

/// Adds to `found` what one `query` finds by `keys` in `values` [positions, width], and to `weights`
/// [positions] where it looked.
#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
pub(super) fn look(
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
