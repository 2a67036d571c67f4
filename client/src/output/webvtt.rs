//! Cues as WebVTT (<https://www.w3.org/TR/webvtt1/>).

use super::Cue;

/// What a WebVTT file begins with.
pub const WEBVTT_HEADER: &str = "WEBVTT\n\n";

/// One cue, with the empty line that ends it.
#[must_use]
pub fn webvtt_cue(cue: &Cue) -> String {
    let lines: Vec<String> = cue.lines.iter().map(|line| escape(line)).collect();
    format!(
        "{} --> {}\n{}\n\n",
        timestamp(cue.start_ms, '.'),
        timestamp(cue.end_ms, '.'),
        lines.join("\n")
    )
}

/// `&`, `<` and `>` mean something in cue text.
fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

/// `01:02:03.456`, with `mark` before the milliseconds.
pub(super) fn timestamp(ms: u64, mark: char) -> String {
    let (seconds, millis) = (ms / 1000, ms % 1000);
    format!(
        "{:02}:{:02}:{:02}{mark}{millis:03}",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::output::cue::tests::{cues, message};

    fn parse_time(text: &str) -> u64 {
        let (clock, millis) = text.split_once('.').expect("a dot before the milliseconds");
        assert_eq!(millis.len(), 3, "{text}");
        let seconds = clock.split(':').fold(0, |sum, part| {
            assert!(part.len() >= 2, "{text}");
            sum * 60 + part.parse::<u64>().unwrap()
        });
        seconds * 1000 + millis.parse::<u64>().unwrap()
    }

    /// A strict reader of what the specification allows.
    fn parse(file: &str) -> Vec<Cue> {
        let body = file.strip_prefix("WEBVTT\n\n").expect("header");
        let mut cues = Vec::new();
        for block in body.split_terminator("\n\n") {
            let mut lines = block.lines();
            let (start, end) = lines.next().unwrap().split_once(" --> ").expect("times");
            let text: Vec<String> = lines
                .map(|line| {
                    assert!(
                        !line.contains("-->") && !line.contains('<'),
                        "unescaped: {line}"
                    );
                    line.replace("&lt;", "<")
                        .replace("&gt;", ">")
                        .replace("&amp;", "&")
                })
                .collect();
            assert!(!text.is_empty());
            cues.push(Cue {
                start_ms: parse_time(start),
                end_ms: parse_time(end),
                lines: text,
            });
        }
        cues
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back_the_same(
            sentences in prop::collection::vec(("\\PC{0,200}", 0_u64..9_000_000, 0_u64..90_000), 0..9),
        ) {
            let messages: Vec<_> = sentences
                .iter()
                .enumerate()
                .map(|(id, (text, start, length))| message(id as u64, text, *start, start + length))
                .collect();
            let cues = cues(&messages);
            let file = cues.iter().fold(WEBVTT_HEADER.to_owned(), |file, cue| file + &webvtt_cue(cue));
            prop_assert_eq!(parse(&file), cues);
        }
    }

    #[test]
    fn hours_do_not_wrap() {
        assert_eq!(timestamp(360_000_001, '.'), "100:00:00.001");
    }
}
