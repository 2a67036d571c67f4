//! Tokens into words with times.
//!
//! Whisper's tokens are pieces of words, sometimes pieces of letters. Where the script has spaces a
//! word begins at a token with a leading space; elsewhere each token that completes a letter ends
//! one. Punctuation goes with its word, also where French sets a space before it.

use super::RecognizedWord;

/// Languages written without spaces between words.
const UNSPACED: [&str; 7] = ["bo", "ja", "km", "lo", "my", "th", "zh"];
/// Marks that belong to the word after them.
const OPENING: &[char] = &['«', '“', '‘', '(', '[', '{', '¿', '¡', '「', '『', '（'];

/// What follows a full stop within a name, of a place on the web or of a file. None that often begins a
/// word: "co" and "de" do.
const NAME_ENDS: [&str; 14] = [
    "com", "csv", "edu", "exe", "gov", "html", "io", "js", "json", "org", "pdf", "py", "txt", "zip",
];

/// A text token as the model gave it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub(super) id: i32,
    pub(super) bytes: Vec<u8>,
    pub(super) probability: f32,
    /// When it had been said, in milliseconds since the window's first sample.
    pub(super) end_ms: u32,
}

/// Puts tokens together to words. The first word begins at `begin_ms`, no word ends after `window_ms`.
pub(super) fn words(
    tokens: &[Token],
    language: &str,
    begin_ms: u32,
    window_ms: u32,
) -> Vec<RecognizedWord> {
    let spaced = !UNSPACED.contains(&language);
    let mut pieces: Vec<Piece> = Vec::new();
    for token in tokens {
        match pieces.last_mut() {
            Some(last) if !last.is_complete() => last.add(token),
            Some(last) if spaced && last.ends_sentence() && begins_sentence(token) => {
                let mut piece = Piece::of(token);
                piece.bytes.insert(0, b' ');
                pieces.push(piece);
            }
            Some(last) if spaced && token.bytes.first() != Some(&b' ') => last.add(token),
            _ => pieces.push(Piece::of(token)),
        }
    }
    let mut last_end = begin_ms.min(window_ms);
    let mut opening: Option<Piece> = None;
    let mut words: Vec<RecognizedWord> = Vec::new();
    for mut piece in pieces {
        if let Some(before) = opening.take() {
            piece = before.followed_by(piece);
        }
        let text = String::from_utf8_lossy(&piece.bytes).into_owned();
        let marks_only = !text.chars().any(char::is_alphanumeric);
        if marks_only && text.trim().chars().all(|c| OPENING.contains(&c)) {
            opening = Some(piece);
            continue;
        }
        match words.last_mut() {
            Some(word) if marks_only => {
                word.text.push_str(&text);
                word.tokens.extend(piece.ids);
            }
            _ => {
                let end_ms = piece.end_ms.clamp(last_end, window_ms);
                words.push(RecognizedWord {
                    text,
                    start_ms: last_end,
                    end_ms,
                    probability: piece.probability,
                    tokens: piece.ids,
                });
                last_end = end_ms;
            }
        }
    }
    if let (Some(piece), Some(word)) = (opening, words.last_mut()) {
        word.text.push_str(&String::from_utf8_lossy(&piece.bytes));
        word.tokens.extend(piece.ids);
    }
    words
}

/// Whether a token without a leading space may all the same begin a word: after forced text Whisper
/// sometimes leaves out the space after a full stop ("States.To", "correspondante.on", "Unis.1"). Left
/// together they would take back what was committed of the first word alone. The ends of names
/// ("Node.js") stay where they are.
fn begins_sentence(token: &Token) -> bool {
    let text = String::from_utf8_lossy(&token.bytes);
    text.starts_with(char::is_alphanumeric) && !NAME_ENDS.contains(&text.to_lowercase().as_str())
}

/// The text of `words`.
pub(super) fn text(words: &[RecognizedWord]) -> String {
    let joined: String = words.iter().map(|word| word.text.as_str()).collect();
    joined.trim().to_owned()
}

/// Tokens put together so far.
#[derive(Debug)]
struct Piece {
    ids: Vec<i32>,
    bytes: Vec<u8>,
    probability: f32,
    end_ms: u32,
}

impl Piece {
    fn of(token: &Token) -> Self {
        Self {
            ids: vec![token.id],
            bytes: token.bytes.clone(),
            probability: token.probability,
            end_ms: token.end_ms,
        }
    }

    fn add(&mut self, token: &Token) {
        self.ids.push(token.id);
        self.bytes.extend(&token.bytes);
        self.probability = self.probability.min(token.probability);
        // The mark after a word takes the time of the pause.
        if token
            .bytes
            .iter()
            .any(|byte| byte.is_ascii_alphanumeric() || *byte >= 0x80)
        {
            self.end_ms = self.end_ms.max(token.end_ms);
        }
    }

    /// Whether it is a word of several letters with a full stop or the like after it ("U." is not).
    fn ends_sentence(&self) -> bool {
        let text = String::from_utf8_lossy(&self.bytes);
        let word = text.trim_start().trim_end_matches(['.', '!', '?']);
        word.len() < text.trim_start().len()
            && word.chars().count() > 1
            && word.chars().all(|c| c.is_alphabetic() || "-'’".contains(c))
    }

    fn followed_by(mut self, other: Self) -> Self {
        self.ids.extend(other.ids);
        self.bytes.extend(other.bytes);
        self.probability = self.probability.min(other.probability);
        self.end_ms = other.end_ms;
        self
    }

    /// Whether no letter is cut in two at the end.
    fn is_complete(&self) -> bool {
        match std::str::from_utf8(&self.bytes) {
            Ok(_) => true,
            Err(error) => error.error_len().is_some(),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tokens(pieces: &[&[u8]]) -> Vec<Token> {
        let token = |(i, bytes): (usize, &&[u8])| Token {
            id: i as i32,
            bytes: bytes.to_vec(),
            probability: 0.9 - i as f32 / 100.0,
            end_ms: (i as u32 + 1) * 100,
        };
        pieces.iter().enumerate().map(token).collect()
    }

    fn split(pieces: &[&[u8]], language: &str) -> Vec<String> {
        let words = words(&tokens(pieces), language, 0, 60_000);
        words.into_iter().map(|word| word.text).collect()
    }

    #[test]
    fn pieces_of_a_word_and_its_punctuation_stay_together() {
        assert_eq!(
            split(&[b" And", b" so", b",", b" fel", b"low"], "en"),
            [" And", " so,", " fellow"]
        );
    }

    #[test]
    fn a_space_left_out_between_sentences_is_put_in() {
        assert_eq!(
            split(&[b" the", b" States", b".", b"To", b" go"], "en"),
            [" the", " States.", " To", " go"]
        );
        let unis: [&[u8]; 5] = ["\u{20}États".as_bytes(), b"-Unis", b".", b"1", b" pour"];
        assert_eq!(split(&unis, "fr"), [" États-Unis.", " 1", " pour"]);
        assert_eq!(split(&[b" ante", b".", b"on"], "fr"), [" ante.", " on"]);
        assert_eq!(
            split(&[b" tail", b".", b"co", b"r"], "fr"),
            [" tail.", " cor"]
        );
        for whole in [
            &[b" U" as &[u8], b".", b"S", b"."],
            &[b" 3", b".", b"5", b"B"],
            &[b" Mc", b"D", b"o", b"g"],
            &[b" Node", b".", b"js", b","],
        ] {
            assert_eq!(split(whole, "en").len(), 1);
        }
    }

    #[test]
    fn french_marks_with_spaces_go_with_their_words() {
        let pieces: [&[u8]; 6] = [
            " «".as_bytes(),
            b" Oui",
            " »".as_bytes(),
            b" dit",
            b"-il",
            b" ?",
        ];
        assert_eq!(split(&pieces, "fr"), [" « Oui »", " dit-il ?"]);
    }

    #[test]
    fn letters_cut_in_two_are_joined() {
        let e = "é".as_bytes();
        assert_eq!(
            split(&[b" c", &e[..1], &e[1..], b" a"], "fr"),
            [" cé", " a"]
        );
        let kan = "漢".as_bytes();
        assert_eq!(
            split(&["字".as_bytes(), &kan[..2], &kan[2..]], "zh"),
            ["字", "漢"]
        );
    }

    #[test]
    fn a_word_lasts_from_the_end_of_the_one_before_to_its_own_last_token() {
        let words = words(&tokens(&[b" a", b" b", b"b", b"."]), "en", 40, 250);
        let times: Vec<_> = words.iter().map(|w| (w.start_ms, w.end_ms)).collect();
        assert_eq!(times, [(40, 100), (100, 250)]);
        assert!((words[1].probability - 0.87).abs() < 1e-6);
    }

    proptest! {
        #[test]
        fn words_make_up_the_text_and_time_never_runs_back(
            pieces in prop::collection::vec(("[ ]?[a-zé«».,?]{1,3}", 0u32..40_000), 0..40),
            spaced in any::<bool>(),
        ) {
            let tokens: Vec<Token> = pieces.iter().zip(0..).map(|((text, end_ms), id)| Token {
                id, bytes: text.clone().into_bytes(), probability: 0.5, end_ms: *end_ms,
            }).collect();
            let all: String = pieces.iter().map(|(text, _)| text.as_str()).collect();
            let words = words(&tokens, if spaced { "fr" } else { "ja" }, 0, 30_000);
            // Marks alone are no words.
            if !words.is_empty() {
                // But for spaces that were left out.
                let letters = |text: &str| text.split_whitespace().collect::<String>();
                prop_assert_eq!(letters(&text(&words)), letters(&all));
                let ids: Vec<i32> = words.iter().flat_map(|word| word.tokens.clone()).collect();
                prop_assert_eq!(ids, (0..tokens.len() as i32).collect::<Vec<_>>());
            }
            let mut last = 0;
            for word in &words {
                prop_assert!(last <= word.start_ms && word.start_ms <= word.end_ms);
                prop_assert!(word.end_ms <= 30_000);
                last = word.end_ms;
            }
        }
    }
}
