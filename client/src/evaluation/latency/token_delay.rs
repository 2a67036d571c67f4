//! Average token delay (Kano and others 2022, arXiv 2211.13173), as `SimulEval` computes it.

/// Length of a token of speech, in ms: about a word.
const TOKEN_MS: f64 = 300.0;

/// A piece of output: a word of text, or a piece of audio.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Output {
    /// When it arrived, in ms since the first source sample.
    pub at_ms: f64,
    /// How long it sounds, in ms; 0 for a word of text.
    pub lasts_ms: f64,
}

/// Average token delay in ms of `outputs`, in the order of arrival; `None` where there are none.
///
/// What comes when the same source has been read (no more than `source_ms`) is one chunk. The source
/// read since the chunk before is cut into tokens of 300 ms, the last one shorter; so is each piece
/// of speech; a word of text is a token that takes no time. Token t of chunk c ends at
/// `T_t = max(at, T_(t-1)) + length`, which is when a listener has heard it, and is compared with source
/// token `s = t - max(0, Y - X)`, X and Y being the source and target tokens before chunk c, or with
/// the last source token read, if that is less. The delay is the mean of `T_t` minus the end of s.
///
/// `SimulEval` adds computing time to the ideal time; here times of arrival hold it already.
#[must_use]
pub fn average_token_delay(outputs: &[Output], source_ms: f64) -> Option<f64> {
    let read = |output: &Output| output.at_ms.clamp(0.0, source_ms);
    let mut source_ends = vec![0.0];
    let mut ends_at = 0.0;
    let mut delays = Vec::new();
    for chunk in outputs.chunk_by(|a, b| read(a) == read(b)) {
        let (targets_before, sources_before) = (delays.len(), source_ends.len() - 1);
        let read_before = source_ends[sources_before];
        let mut read_now = read_before;
        for length in tokens(chunk.iter().map(read).fold(0.0, f64::max) - read_before) {
            read_now += length;
            source_ends.push(read_now);
        }
        let ahead = targets_before.saturating_sub(sources_before);
        for output in chunk {
            let lengths = match output.lasts_ms > 0.0 {
                true => tokens(output.lasts_ms),
                false => vec![0.0],
            };
            for length in lengths {
                ends_at = output.at_ms.max(ends_at) + length;
                let source = (delays.len() + 1 - ahead).min(source_ends.len() - 1);
                delays.push(ends_at - source_ends[source]);
            }
        }
    }
    (!delays.is_empty()).then(|| delays.iter().sum::<f64>() / delays.len() as f64)
}

/// Lengths of the tokens that this much speech is cut into.
fn tokens(mut ms: f64) -> Vec<f64> {
    let mut lengths = Vec::new();
    while ms > 0.0 {
        lengths.push(ms.min(TOKEN_MS));
        ms -= TOKEN_MS;
    }
    lengths
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is(outputs: &[(f64, f64)], source_ms: f64, expected: f64) {
        let outputs: Vec<_> = outputs
            .iter()
            .map(|&(at_ms, lasts_ms)| Output { at_ms, lasts_ms })
            .collect();
        let found = average_token_delay(&outputs, source_ms).unwrap();
        assert!((found - expected).abs() < 1e-9, "{found} is not {expected}");
    }

    #[test]
    fn words_are_compared_with_what_was_said_every_third_of_a_second() {
        // 900 ms read: tokens end at 300, 600, 900. Words 1 and 2 are shown at 900.
        is(&[(900.0, 0.0), (900.0, 0.0)], 900.0, (600.0 + 300.0) / 2.0);
        // A fifth word at the end has only the last source token to be compared with.
        is(
            &[(300.0, 0.0), (300.0, 0.0), (700.0, 0.0)],
            600.0,
            (0.0 + 0.0 + 100.0) / 3.0,
        );
    }

    #[test]
    fn speech_waits_until_the_speech_before_is_over() {
        // Heard from 600 to 1200 in two tokens, against source tokens that end at 300 and 600; the
        // last piece is there at 900 but heard from 1200 to 1300, against the token that ends at 900.
        let outputs = [(600.0, 600.0), (900.0, 100.0)];
        is(&outputs, 2000.0, (600.0 + 600.0 + 400.0) / 3.0);
    }

    #[test]
    fn where_the_output_is_ahead_its_tokens_shift_back() {
        // Four words after one source token; then one after two: s = 5 - (4 - 1) = 2.
        let outputs = [
            (300.0, 0.0),
            (300.0, 0.0),
            (300.0, 0.0),
            (300.0, 0.0),
            (600.0, 0.0),
        ];
        is(&outputs, 600.0, 0.0);
    }

    #[test]
    fn nothing_has_no_delay() {
        assert_eq!(average_token_delay(&[], 1000.0), None);
    }
}
