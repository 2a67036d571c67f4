//! Text cut at punctuation. espeak-ng forgets punctuation, and Kokoro speaks by it: each piece is
//! phonemised by itself and the punctuation put back between.

/// A piece of text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Words to phonemise.
    Words(String),
    /// Punctuation as Kokoro writes it, spaces included.
    Marks(String),
}

/// Cuts `text`. Marks keep the spaces around them; other spaces belong to words.
pub(super) fn pieces(text: &str) -> Vec<Piece> {
    let characters: Vec<char> = text.chars().collect();
    let mut pieces: Vec<Piece> = Vec::new();
    for (index, &character) in characters.iter().enumerate() {
        let inside_word = index > 0
            && characters[index - 1].is_alphanumeric()
            && characters
                .get(index + 1)
                .is_some_and(|next| next.is_alphanumeric());
        match (mark(character, inside_word), pieces.last_mut()) {
            (Some(mark), Some(Piece::Marks(marks))) => marks.push(mark),
            (Some(mark), _) => pieces.push(Piece::Marks(mark.to_string())),
            (None, Some(Piece::Marks(marks))) if character.is_whitespace() => {
                if !marks.ends_with(' ') {
                    marks.push(' ');
                }
            }
            (None, Some(Piece::Words(words))) => words.push(character),
            (None, _) => pieces.push(Piece::Words(character.to_string())),
        }
    }
    close_up(pieces)
}

/// Punctuation as Kokoro knows it; `None` for what belongs to words.
fn mark(character: char, inside_word: bool) -> Option<char> {
    match character {
        // "a.b" and "3,5" are words of their own kind; espeak-ng reads them.
        '.' | ',' | ':' if inside_word => None,
        ';' | ':' | ',' | '.' | '!' | '?' | '—' | '…' | '"' | '(' | ')' | '“' | '”' => {
            Some(character)
        }
        '«' | '„' => Some('“'),
        '»' => Some('”'),
        '–' => Some('—'),
        '{' => Some('('),
        '}' => Some(')'),
        '。' | '।' => Some('.'),
        _ => None,
    }
}

/// French sets a space before "!" and inside quotation marks that says nothing about speech: a
/// space after words stays only before an opening mark.
fn close_up(pieces: Vec<Piece>) -> Vec<Piece> {
    let mut closed: Vec<Piece> = Vec::with_capacity(pieces.len());
    for piece in pieces {
        match piece {
            Piece::Words(words) if words.trim().is_empty() => {}
            Piece::Words(words) => closed.push(Piece::Words(words)),
            Piece::Marks(marks) => {
                let spaced = matches!(closed.last(), Some(Piece::Words(words)) if words.ends_with(char::is_whitespace));
                let opens = marks.starts_with(['“', '(', '"', '—']);
                let mut tidy = String::new();
                if spaced && opens {
                    tidy.push(' ');
                }
                tidy.push_str(&marks.replace("“ ", "“").replace(" ”", "”"));
                closed.push(Piece::Marks(tidy));
            }
        }
    }
    closed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(text: &str) -> String {
        pieces(text)
            .iter()
            .map(|piece| match piece {
                Piece::Words(words) => format!("<{}>", words.trim()),
                Piece::Marks(marks) => marks.clone(),
            })
            .collect()
    }

    #[test]
    fn punctuation_stands_between_words() {
        assert_eq!(told("Bonjour, le monde !"), "<Bonjour>, <le monde>!");
        assert_eq!(
            told("Il dit : « Oui ! » Bien."),
            "<Il dit>: “<Oui>!” <Bien>."
        );
        assert_eq!(told("fin (début) suite"), "<fin> (<début>) <suite>");
        assert_eq!(told("l'eau d’Arc-et-Senans"), "<l'eau d’Arc-et-Senans>");
    }

    #[test]
    fn marks_within_a_word_belong_to_it() {
        assert_eq!(told("a.b, c"), "<a.b>, <c>");
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(told(""), "");
        assert_eq!(told("   "), "");
        assert_eq!(told("…"), "…");
    }
}
