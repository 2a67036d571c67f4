//! How the bytes of a matrix lie in memory: as the fastest kernel of this processor reads them.

use std::ops::Range;

use bytes::BytesMut;

use super::{CHUNK, plain, shelf::Shelf};

/// Outputs whose weights lie together: as many as a vector of AVX-512 has sums.
pub(super) const GROUP: usize = 16;
/// Inputs whose products one instruction adds up.
const TOGETHER: usize = 4;

/// How bytes lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Layout {
    /// Output by output: [outputs, padded].
    Plain,
    /// The same, for AVX2.
    #[cfg(target_arch = "x86_64")]
    Avx2,
    /// Groups of outputs; in each, four inputs of every output, then the next four: [groups, padded / 4,
    /// GROUP, 4]. 128 is added to each byte, which makes it unsigned (and flips its highest bit).
    #[cfg(target_arch = "x86_64")]
    Groups,
}

impl Layout {
    /// The fastest on this processor.
    pub(super) fn best() -> Self {
        #[cfg(target_arch = "x86_64")]
        if super::avx512::available() {
            return Self::Groups;
        } else if std::arch::is_x86_feature_detected!("avx2") {
            return Self::Avx2;
        }
        Self::Plain
    }

    /// All that this processor can multiply.
    #[cfg(test)]
    pub(super) fn all() -> Vec<Self> {
        let mut all = vec![Self::Plain];
        #[cfg(target_arch = "x86_64")]
        {
            if std::arch::is_x86_feature_detected!("avx2") {
                all.push(Self::Avx2);
            }
            if super::avx512::available() {
                all.push(Self::Groups);
            }
        }
        all
    }

    fn is_grouped(self) -> bool {
        #[cfg(target_arch = "x86_64")]
        if self == Self::Groups {
            return true;
        }
        false
    }

    /// A byte as it lies, or as it was.
    fn kept(self, byte: i8) -> i8 {
        if self.is_grouped() {
            byte ^ i8::MIN
        } else {
            byte
        }
    }
}

/// The bytes of a matrix, its rows filled up with zeros.
pub(super) struct Weights {
    bytes: BytesMut,
    layout: Layout,
    outputs: usize,
    /// Bytes of a row.
    padded: usize,
}

impl Weights {
    /// `rows` are those of each output, so many `inputs`.
    pub(super) fn new<'a>(
        rows: impl ExactSizeIterator<Item = &'a [i8]>,
        inputs: usize,
        layout: Layout,
        shelf: &Shelf,
    ) -> Self {
        let padded = inputs.next_multiple_of(CHUNK);
        let mut weights = Self::zeros(rows.len(), padded, layout, shelf);
        for (output, bytes) in rows.enumerate() {
            for (at, some) in bytes.chunks(TOGETHER).enumerate() {
                let mut four = [0; TOGETHER];
                four[..some.len()].copy_from_slice(some);
                weights.set(output, at, four.map(|byte| layout.kept(byte)));
            }
        }
        weights
    }

    fn zeros(outputs: usize, padded: usize, layout: Layout, shelf: &Shelf) -> Self {
        let rows = if layout.is_grouped() {
            outputs.next_multiple_of(GROUP)
        } else {
            outputs
        };
        Self {
            bytes: shelf.take(rows * padded, layout.kept(0).cast_unsigned()),
            layout,
            outputs,
            padded,
        }
    }

    /// Where the `at`th four inputs of an output lie.
    fn place(&self, output: usize, at: usize) -> usize {
        if self.layout.is_grouped() {
            let (group, member) = (output / GROUP, output % GROUP);
            group * GROUP * self.padded + (at * GROUP + member) * TOGETHER
        } else {
            output * self.padded + at * TOGETHER
        }
    }

    fn set(&mut self, output: usize, at: usize, four: [i8; TOGETHER]) {
        let place = self.place(output, at);
        self.bytes[place..place + TOGETHER].copy_from_slice(&four.map(i8::cast_unsigned));
    }

    fn fours(&self, output: usize) -> impl Iterator<Item = [i8; TOGETHER]> {
        (0..self.padded / TOGETHER).map(move |at| {
            let place = self.place(output, at);
            let four = self.bytes[place..place + TOGETHER].as_array();
            four.copied().unwrap_or_default().map(u8::cast_signed)
        })
    }

    pub(super) fn outputs(&self) -> usize {
        self.outputs
    }

    /// Bytes of a row that it can be multiplied with.
    pub(super) fn padded(&self) -> usize {
        self.padded
    }

    /// Those of some of the outputs, in this order.
    pub(super) fn select(&self, outputs: &[u32]) -> Self {
        let mut selected = Self::zeros(outputs.len(), self.padded, self.layout, &Shelf::default());
        for (to, from) in outputs.iter().enumerate() {
            for (at, four) in self.fours(*from as usize).enumerate() {
                selected.set(to, at, four);
            }
        }
        selected
    }

    /// Those of one output, with the zeros at the end.
    pub(super) fn row(&self, output: usize) -> impl Iterator<Item = i8> {
        let layout = self.layout;
        self.fours(output)
            .flatten()
            .map(move |byte| layout.kept(byte))
    }

    /// Sums of the products of some outputs, from the first of a group on, with `rows` [rows, padded]:
    /// [rows, outputs], these filled up to a multiple of [`GROUP`] with what is of no use.
    pub(super) fn sums(&self, outputs: Range<usize>, rows: &[i8], sums: &mut [i32]) {
        let kernel = match self.layout {
            Layout::Plain => plain::sums_of_products,
            #[cfg(target_arch = "x86_64")]
            Layout::Avx2 => super::avx2::sums_of_products,
            #[cfg(target_arch = "x86_64")]
            Layout::Groups => super::avx512::sums_of_products,
        };
        let end = if self.layout.is_grouped() {
            outputs.end.next_multiple_of(GROUP)
        } else {
            outputs.end
        };
        let weights = &self.bytes[outputs.start * self.padded..end * self.padded];
        kernel(bytemuck::cast_slice(weights), rows, self.padded, sums);
    }
}
