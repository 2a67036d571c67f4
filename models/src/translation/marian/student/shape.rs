//! The shape of a student, from `special:model.yml` in its file.

use super::file::ModelFile;

/// More layers than any student has.
const MOST_LAYERS: usize = 64;
/// More numbers in a row than any student has; sums of so many products fit 32 bits.
const MOST_WIDTH: usize = 1 << 15;

/// Sizes of a student.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Shape {
    /// Numbers in a row.
    pub(super) width: usize,
    /// Numbers in a row inside the feed-forward parts.
    pub(super) inner: usize,
    pub(super) heads: usize,
    pub(super) encoder: usize,
    pub(super) decoder: usize,
    /// Tokens, which source and target share.
    pub(super) vocabulary: usize,
}

impl Shape {
    pub(super) fn read(file: &ModelFile) -> Result<Self, String> {
        let text = file.text("special:model.yml")?;
        let shape = Self::parse(&text)?;
        let table = file.shape("Wemb")?;
        let &[vocabulary, width] = table else {
            return Err(format!(
                "'Wemb' is {table:?}: separate vocabularies are not supported"
            ));
        };
        if width != shape.width || vocabulary == 0 {
            return Err(format!(
                "'Wemb' is {table:?}, but dim-emb is {}",
                shape.width
            ));
        }
        Ok(Self {
            vocabulary,
            ..shape
        })
    }

    /// Of YAML, which Marian writes a key a line.
    fn parse(text: &str) -> Result<Self, String> {
        let value = |key: &str| {
            let lines = text.lines().filter_map(|line| line.split_once(": "));
            let mut values = lines.filter(|(name, _)| *name == key);
            values
                .next()
                .map(|(_, value)| value.trim().trim_matches('"'))
        };
        // What is not said is as in Marian's defaults, which these are not.
        for (key, supported) in [
            ("type", "transformer"),
            ("dec-cell", "ssru"),
            ("transformer-decoder-autoreg", "rnn"),
            ("transformer-ffn-activation", "relu"),
            ("transformer-ffn-depth", "2"),
            ("transformer-postprocess", "dan"),
            ("transformer-preprocess", ""),
            ("tied-embeddings-all", "true"),
        ] {
            let given = value(key).unwrap_or_default();
            if given != supported {
                return Err(format!(
                    "its {key} is '{given}', only '{supported}' is supported"
                ));
            }
        }
        let number = |key: &str| {
            let number = value(key).and_then(|value| value.parse().ok());
            number
                .filter(|number| *number > 0)
                .ok_or_else(|| format!("its {key} is missing or no number"))
        };
        let shape = Self {
            width: number("dim-emb")?,
            inner: number("transformer-dim-ffn")?,
            heads: number("transformer-heads")?,
            encoder: number("enc-depth")?,
            decoder: number("dec-depth")?,
            vocabulary: 0,
        };
        if !shape.width.is_multiple_of(shape.heads) || !shape.width.is_multiple_of(2) {
            return Err(format!(
                "{} heads do not divide its width of {}",
                shape.heads, shape.width
            ));
        }
        if shape.encoder.max(shape.decoder) > MOST_LAYERS {
            return Err(format!("it claims more than {MOST_LAYERS} layers"));
        }
        if shape.width.max(shape.inner) > MOST_WIDTH {
            return Err(format!("it claims rows of more than {MOST_WIDTH} numbers"));
        }
        Ok(shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TINY: &str = "dec-cell: ssru\ndec-depth: 2\ndim-emb: 256\ndim-vocabs:\n  - 32000\n  - 32000\n\
        enc-depth: 6\ntied-embeddings-all: true\ntransformer-decoder-autoreg: rnn\n\
        transformer-dim-ffn: 1536\ntransformer-ffn-activation: relu\ntransformer-ffn-depth: 2\n\
        transformer-heads: 8\ntransformer-postprocess: dan\ntransformer-preprocess: \"\"\n\
        type: transformer\n";

    #[test]
    fn reads_what_marian_writes() {
        let shape = Shape {
            width: 256,
            inner: 1536,
            heads: 8,
            encoder: 6,
            decoder: 2,
            vocabulary: 0,
        };
        assert_eq!(Shape::parse(TINY), Ok(shape));
    }

    #[test]
    fn refuses_what_would_run_wrongly_and_says_why() {
        for (from, to, expected) in [
            ("ssru", "gru", "dec-cell is 'gru'"),
            ("dim-emb: 256", "dim-emb: 250", "do not divide"),
            ("enc-depth: 6\n", "", "enc-depth is missing"),
            ("enc-depth: 6", "enc-depth: 600", "more than 64"),
            ("ffn: 1536", "ffn: 99999", "more than 32768"),
            ("heads: 8", "heads: 0", "transformer-heads is missing"),
        ] {
            let message = Shape::parse(&TINY.replace(from, to)).unwrap_err();
            assert!(message.contains(expected), "{message}");
        }
    }
}
