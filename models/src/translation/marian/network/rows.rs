//! Rows of numbers: what goes through the network.

/// A matrix in memory row by row.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::translation::marian) struct Rows {
    numbers: Vec<f32>,
    width: usize,
}

impl Rows {
    /// `numbers` in rows of `width`, which must not be 0.
    pub(in crate::translation::marian) fn new(numbers: Vec<f32>, width: usize) -> Self {
        debug_assert!(numbers.len().is_multiple_of(width));
        Self { numbers, width }
    }

    /// So many rows of zeros.
    pub(in crate::translation::marian) fn zeros(count: usize, width: usize) -> Self {
        Self::new(vec![0.0; count * width], width)
    }

    /// How many there are.
    pub(in crate::translation::marian) fn count(&self) -> usize {
        self.numbers.len() / self.width
    }

    /// Numbers in each.
    pub(in crate::translation::marian) fn width(&self) -> usize {
        self.width
    }

    /// All numbers, row by row.
    pub(in crate::translation::marian) fn numbers(&self) -> &[f32] {
        &self.numbers
    }

    /// The same, to change them.
    pub(in crate::translation::marian) fn numbers_mut(&mut self) -> &mut [f32] {
        &mut self.numbers
    }

    /// The rows one after the other.
    pub(in crate::translation::marian) fn iter(&self) -> std::slice::ChunksExact<'_, f32> {
        self.numbers.chunks_exact(self.width)
    }

    /// The same, to change them.
    pub(in crate::translation::marian) fn iter_mut(
        &mut self,
    ) -> std::slice::ChunksExactMut<'_, f32> {
        self.numbers.chunks_exact_mut(self.width)
    }

    /// Some of them, by index.
    pub(in crate::translation::marian) fn pick(
        &self,
        indices: impl IntoIterator<Item = usize>,
    ) -> Self {
        let picked = indices
            .into_iter()
            .flat_map(|index| &self.numbers[index * self.width..][..self.width]);
        Self::new(picked.copied().collect(), self.width)
    }

    /// Adds those of `others`, which are as many and as wide.
    pub(in crate::translation::marian) fn add(&mut self, others: &Self) {
        debug_assert_eq!(self.numbers.len(), others.numbers.len());
        for (number, other) in self.numbers.iter_mut().zip(&others.numbers) {
            *number += other;
        }
    }
}
