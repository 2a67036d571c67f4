//! Cues as SubRip (`.srt`).

use super::{Cue, webvtt::timestamp};

/// Cue number `number` (from 1), with the empty line that ends it.
#[must_use]
pub fn subrip_cue(number: u64, cue: &Cue) -> String {
    // SubRip knows no escapes; an arrow in the text would look like a time line.
    let text = cue.lines.join("\n").replace("-->", "->");
    format!(
        "{number}\n{} --> {}\n{text}\n\n",
        timestamp(cue.start_ms, ','),
        timestamp(cue.end_ms, ',')
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cue_is_number_times_text_and_an_empty_line() {
        let cue = Cue {
            start_ms: 61_500,
            end_ms: 63_000,
            lines: vec!["A --> B".to_owned(), "then C".to_owned()],
        };
        let expected = "7\n00:01:01,500 --> 00:01:03,000\nA -> B\nthen C\n\n";
        assert_eq!(subrip_cue(7, &cue), expected);
    }
}
