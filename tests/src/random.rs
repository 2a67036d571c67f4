//! Chance that is the same at every run.

/// Numerical Recipes' linear congruential generator.
#[derive(Debug)]
pub(crate) struct Random(u32);

impl Random {
    /// Numbers that `seed` leads to.
    pub(crate) fn new(seed: u32) -> Self {
        Self(seed)
    }

    /// The next one, whose high bits are the good ones.
    pub(crate) fn draw(&mut self) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.0
    }
}
