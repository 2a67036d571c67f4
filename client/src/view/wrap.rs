//! Styled text broken into rows of a given width.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::style::{Role, Style};

/// Breaks `spans` between words (within a word only where it is wider than the row). Rows after
/// the first begin with `indent` blanks, and `used` columns of the first are taken already.
pub(super) fn wrap(
    spans: &[(Role, &str)],
    style: Style,
    width: usize,
    indent: usize,
    used: usize,
) -> Vec<String> {
    let width = width.max(indent + 4);
    let mut rows = vec![String::new()];
    let mut column = used;
    let mut space_due = false;
    for (role, text) in spans {
        for (index, word) in text.split(char::is_whitespace).enumerate() {
            space_due |= index > 0;
            if word.is_empty() {
                continue;
            }
            let line_has_text = column > indent;
            let space = usize::from(space_due && line_has_text);
            if line_has_text && column + space + word.width() > width {
                rows.push(" ".repeat(indent));
                column = indent;
            } else if space == 1
                && let Some(row) = rows.last_mut()
            {
                row.push(' ');
                column += 1;
            }
            space_due = false;
            for piece in pieces(word, width - column, width - indent) {
                if column > indent && column + piece.width() > width {
                    rows.push(" ".repeat(indent));
                    column = indent;
                }
                column += piece.width();
                if let Some(row) = rows.last_mut() {
                    row.push_str(&style.paint(*role, &piece));
                }
            }
        }
    }
    rows
}

/// Cuts a word that fits no row.
fn pieces(word: &str, first: usize, rest: usize) -> Vec<String> {
    if word.width() <= first {
        return vec![word.to_owned()];
    }
    let mut pieces = vec![String::new()];
    let mut room = first;
    for character in word.chars() {
        let wide = character.width().unwrap_or(0);
        if wide > room {
            pieces.push(String::new());
            room = rest;
        }
        room = room.saturating_sub(wide);
        if let Some(piece) = pieces.last_mut() {
            piece.push(character);
        }
    }
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn plain(spans: &[(Role, &str)], width: usize, indent: usize) -> Vec<String> {
        wrap(spans, Style::new(false), width, indent, indent)
    }

    #[test]
    fn words_stay_whole_across_spans() {
        let spans = [
            (Role::Source, "Bonjour à "),
            (Role::TentativeSource, "tous les"),
        ];
        assert_eq!(plain(&spans, 12, 2), ["Bonjour à", "  tous les"]);
        let glued = [(Role::Source, "inter"), (Role::TentativeSource, "prète")];
        assert_eq!(plain(&glued, 40, 0), ["interprète"]);
    }

    proptest! {
        #[test]
        fn no_row_is_too_wide_and_nothing_is_lost(
            text in "([a-zéß]{1,50}|[\u{4e00}-\u{4e20}]{1,30})( [a-z\u{4e2d}]{1,50}){0,9}",
            width in 6_usize..60,
        ) {
            let rows = plain(&[(Role::Source, &text)], width, 2);
            for (index, row) in rows.iter().enumerate() {
                let used = if index == 0 { 2 } else { 0 };
                prop_assert!(row.width() + used <= width, "{row:?} in {width}");
            }
            let letters = |text: &str| text.split_whitespace().collect::<String>();
            prop_assert_eq!(letters(&rows.join(" ")), letters(&text));
        }
    }
}
