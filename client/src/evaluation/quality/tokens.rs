//! The tokeniser "13a" of sacrebleu: that of mteval-v13a, which the WMT shared tasks use.

/// Tokens of one line, case kept. Punctuation stands alone, but a full stop or comma between digits
/// ("1,000.5") stays in the number.
///
/// ```
/// use interpret::evaluation::quality::tokens_13a;
/// assert_eq!(tokens_13a("It's 1,000 (or so)."), ["It's", "1,000", "(", "or", "so", ")", "."]);
/// ```
#[must_use]
pub fn tokens_13a(line: &str) -> Vec<String> {
    let mut text = line.trim_end().replace("<skipped>", "");
    text = text.replace("-\n", "").replace('\n', " ");
    if text.contains('&') {
        // In this order: "&amp;lt;" becomes "<", as there.
        for (entity, character) in [
            ("&quot;", "\""),
            ("&amp;", "&"),
            ("&lt;", "<"),
            ("&gt;", ">"),
        ] {
            text = text.replace(entity, character);
        }
    }
    let mut characters: Vec<char> = [' '].into_iter().chain(text.chars()).chain([' ']).collect();
    characters = symbols_apart(&characters);
    let mark = |c: char| matches!(c, '.' | ',');
    let digit = |c: char| c.is_ascii_digit();
    characters = pairs(&characters, |a, b| {
        (!digit(a) && mark(b)).then_some([a, ' ', b, ' '])
    });
    characters = pairs(&characters, |a, b| {
        (mark(a) && !digit(b)).then_some([' ', a, ' ', b])
    });
    characters = pairs(&characters, |a, b| {
        (digit(a) && b == '-').then_some([a, ' ', b, ' '])
    });
    let text: String = characters.into_iter().collect();
    text.split_whitespace().map(str::to_owned).collect()
}

/// ASCII punctuation other than `'`, `,`, `-` and `.`, each between spaces.
fn symbols_apart(text: &[char]) -> Vec<char> {
    let mut apart = Vec::with_capacity(text.len() * 2);
    for &c in text {
        match c {
            ' '..='&' | '('..='+' | '/' | ':'..='@' | '['..='`' | '{'..='~' => {
                apart.extend([' ', c, ' ']);
            }
            _ => apart.push(c),
        }
    }
    apart
}

/// Replaces pairs of neighbours from left to right; a pair that was replaced is not looked at again,
/// as in a regular expression's global replacement.
fn pairs(text: &[char], replace: impl Fn(char, char) -> Option<[char; 4]>) -> Vec<char> {
    let mut replaced = Vec::with_capacity(text.len() * 2);
    let mut at = 0;
    while let Some(&c) = text.get(at) {
        match text.get(at + 1).and_then(|&next| replace(c, next)) {
            Some(with) => {
                replaced.extend(with);
                at += 2;
            }
            None => {
                replaced.push(c);
                at += 1;
            }
        }
    }
    replaced
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_stand_alone_but_not_within_numbers() {
        for (line, expected) in [
            ("Hello, world!", "Hello , world !"),
            ("1,000.5 and 3.", "1,000.5 and 3 ."),
            ("a 4-month-old", "a 4 - month-old"),
            ("l'été, \"ici\"...", "l'été , \" ici \" . . ."),
            ("x &lt; y &amp;&amp; z", "x < y & & z"),
            ("http://a.b/c", "http : / / a . b / c"),
            ("  ", ""),
        ] {
            assert_eq!(tokens_13a(line).join(" "), expected, "{line}");
        }
    }
}
