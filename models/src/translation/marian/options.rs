//! How a Marian model is loaded.

/// In what precision a model's matrices are kept and multiplied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Precision {
    /// 32-bit floating point, as they are in the file.
    F32,
    /// 8-bit integers with a scale for each output, multiplied with inputs rounded to 8 bits too.
    #[default]
    Q8,
}

/// How a Marian model is loaded.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MarianOptions {
    /// In what precision matrices are kept and multiplied.
    pub precision: Precision,
    /// Decoder layers, from 0, whose attention is averaged to tell which source tokens a target
    /// token depends on. Empty for the last, which found 67 of 70 names and numbers of 25 sentences
    /// where the one before found 63 (`models/examples/translation_alignment.rs`, fr-en).
    pub alignment_layers: Vec<usize>,
    /// Has a student choose among all tokens, not only among those of the shortlist that its sentence may
    /// need: much slower, to tell what the shortlist costs. Other models have none.
    pub whole_vocabulary: bool,
}

impl MarianOptions {
    /// The aligning ones of `layers` layers: at least one.
    pub(super) fn aligning(&self, layers: usize) -> Vec<usize> {
        let chosen: Vec<usize> = (0..layers)
            .filter(|layer| self.alignment_layers.contains(layer))
            .collect();
        if chosen.is_empty() {
            vec![layers.saturating_sub(1)]
        } else {
            chosen
        }
    }
}
