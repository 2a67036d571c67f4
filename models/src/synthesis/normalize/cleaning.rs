//! Characters that only differ in print.

/// `text` in one line, with plain spaces and figures, without what has no sound.
pub(super) fn clean(text: &str) -> String {
    let plain: String = text
        .chars()
        .filter(|c| !is_silent(*c))
        .map(|c| match c {
            c if c.is_whitespace() || c.is_control() => ' ',
            '‐' | '‑' | '−' => '-',
            '’' | 'ʼ' => '\'',
            '₀'..='₉' => figure(c, '₀'),
            '０'..='９' => figure(c, '０'),
            '⁴'..='⁹' => figure(c, '⁰'),
            '⁰' => '0',
            '¹' => '1',
            'º' => '°',
            other => other,
        })
        .collect();
    tidy(&plain)
}

/// `text` with single spaces, none before a full stop or comma, none at the ends.
pub(super) fn tidy(text: &str) -> String {
    let mut tidy = String::with_capacity(text.len());
    for word in text.split_whitespace() {
        if !tidy.is_empty() && !word.starts_with(['.', ',']) {
            tidy.push(' ');
        }
        tidy.push_str(word);
    }
    tidy
}

/// Zero-width characters, soft hyphens, variation selectors and emoji.
fn is_silent(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2064}'
        | '\u{feff}' | '\u{fe00}'..='\u{fe0f}' | '\u{2600}'..='\u{27bf}'
        | '\u{1f000}'..='\u{1faff}' | '™' | '®' | '©')
}

/// The ASCII figure for `c` in a run of figures that starts at `zero`.
fn figure(c: char, zero: char) -> char {
    char::from_digit(u32::from(c) - u32::from(zero), 10).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn print_only_differences_go() {
        assert_eq!(clean("a\u{a0}b\n\tc\u{ad}d 😀"), "a b cd");
        assert_eq!(clean("CO₂ ３ x⁴ l’eau"), "CO2 3 x4 l'eau");
        assert_eq!(clean("fin . et , oui"), "fin. et, oui");
    }
}
