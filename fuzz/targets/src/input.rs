//! An input of the fuzzer, cut into what a target needs. What is missing at its end is 0 or empty, so that
//! every input means something.

/// What is left of an input.
#[derive(Debug, Clone)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    /// All of it.
    #[must_use]
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Whether nothing is left.
    #[must_use]
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> u8 {
        let (first, rest) = self.0.split_first().unwrap_or((&0, &[]));
        self.0 = rest;
        *first
    }

    /// A number: mostly one that a byte holds, now and then any, little-endian.
    pub(crate) fn number(&mut self) -> u64 {
        match self.byte() {
            small @ ..250 => small.into(),
            _ => u64::from_le_bytes([(); 8].map(|()| self.byte())),
        }
    }

    /// One of `all`.
    pub(crate) fn one_of<T: Clone>(&mut self, all: &[T]) -> T {
        all[usize::from(self.byte()) % all.len()].clone()
    }

    /// The next piece: its length in two bytes, little-endian, then itself.
    pub(crate) fn piece(&mut self) -> &'a [u8] {
        let length = usize::from(u16::from_le_bytes([self.byte(), self.byte()]));
        let (piece, rest) = self.0.split_at(length.min(self.0.len()));
        self.0 = rest;
        piece
    }

    /// The next piece as 16-bit samples, full scale +-1.
    pub(crate) fn samples(&mut self) -> Vec<f32> {
        let (pairs, _) = self.piece().as_chunks::<2>();
        let samples = pairs.iter().map(|pair| i16::from_le_bytes(*pair));
        samples.map(|sample| f32::from(sample) / 32_768.0).collect()
    }

    /// All that is left.
    pub(crate) fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.0)
    }
}

/// Pieces as [`Input::piece`] takes them.
///
/// # Panics
/// When one is longer than two bytes can say.
#[must_use]
pub(crate) fn joined(pieces: &[&[u8]]) -> Vec<u8> {
    let each = pieces.iter().flat_map(|piece| {
        let length = u16::try_from(piece.len()).expect("seeds are small");
        [&length.to_le_bytes()[..], piece].concat()
    });
    each.collect()
}
