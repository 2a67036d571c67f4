use proptest::prelude::*;

use super::*;

fn splitter(language: &str) -> SentenceSplitter {
    SentenceSplitter::new(language.parse().unwrap())
}

fn texts(sentences: &[Sentence]) -> Vec<&str> {
    sentences
        .iter()
        .map(|sentence| sentence.text.as_str())
        .collect()
}

/// Splits the text between bars joined by a space; each bar is where a sentence must end.
fn check(language: &str, barred: &str) {
    let expected: Vec<&str> = barred.split('|').collect();
    let mut splitter = splitter(language);
    let mut sentences = splitter.push(&expected.join(" "));
    sentences.extend(splitter.pause());
    assert_eq!(texts(&sentences), expected);
}

#[test]
fn plain_sentences() {
    check("en", "Hello there.|How are you?|Fine!|And you");
    check(
        "en",
        "He paid 3.5 million.|It was 1,000 too many.|In 2003. 500 left."
            .replace(". 5", ".|5")
            .as_str(),
    );
    check("en", "Visit example.com or mail a.b@c.org.|Then wait.");
    check("en", "“Go.” She left.".replace("” S", "”|S").as_str());
    check(
        "en",
        "He said \"Go.\"|She left.|(He stayed.)|Why?!|Because...|Well.",
    );
    check("en", "Wait... what?|Yahoo! announced it.|Is it?");
}

#[test]
fn abbreviations_initials_and_acronyms() {
    check(
        "en",
        "Dr. Ehud Ur met Mr. Smith at 5 p.m. on Monday.|They spoke.",
    );
    check("en", "J. R. R. Tolkien wrote it.|So did I.|We read it.");
    check(
        "en",
        "The U.S. Senate met.|He lives in the U.S.|The rest is in the U.K.|But why?",
    );
    check(
        "en",
        "Apple Inc. Chairman Levinson spoke.|She works at Apple Inc.|It is big.",
    );
    check("en", "See No. 5, e.g. Table 3.|No.|He did not.");
    check("en", "1. Introduction.|Numbers, e.g. Pi, etc.|Next.");
    check(
        "fr",
        "M. Le Pen et Mme. Dupont sont là.|MM. Petit et Grand aussi.",
    );
    check("fr", "En 52 av. J.-C. César vint.|En 52 av. J.-C.|Il vint.");
    check("fr", "C'est l'art. 5 du code.|J'aime l'art.|Il en fait.");
    check("fr", "M. J.-P. Martin, né le 3 janv. 1950, parle.|Oui.");
}

#[test]
fn french_spacing_and_quotes() {
    check("fr", "Ça va ?|Oui !|Il dit : « Bonjour. »|Puis il sort.");
    check(
        "fr",
        "« Bonjour ! » dit-il.|« Ça va ? » demanda-t-elle.|Vraiment ? !|Oui…|Bon.",
    );
    check("fr", "Il part\u{a0}!|«\u{a0}Non.\u{a0}»|Elle reste.");
    check(
        "fr",
        "Eh bien… nous verrons.|« Enfin ! »|— Tu viens ?|— Non.",
    );
}

#[test]
fn other_languages_and_scripts() {
    check("de", "Dr. Weiss kommt.|Er bleibt.");
    check("pt", "Olá.|Tudo bem?|¿Qué?|¡Sí!");
    let mut splitter = splitter("ja");
    let sentences = splitter.push("はい。いいえ。「そう。」次");
    assert_eq!(texts(&sentences), ["はい。", "いいえ。", "「そう。」"]);
}

#[test]
fn a_sentence_is_given_out_as_soon_as_it_is_certain() {
    let mut splitter = splitter("en");
    assert!(
        splitter.push("It is done.").is_empty(),
        "'done.org' is possible"
    );
    assert!(splitter.push(" ").is_empty(), "'done. org' too, or a quote");
    assert_eq!(texts(&splitter.push("N")), ["It is done."]);
    assert_eq!(
        splitter.pending().map(|s| (s.text, s.start)),
        Some(("N".to_owned(), 12))
    );
}

#[test]
fn a_pause_gives_out_what_is_pending() {
    let mut splitter = splitter("en");
    assert!(splitter.push("so I thought").is_empty());
    let first = splitter.pause();
    assert_eq!(texts(&first), ["so I thought"]);
    assert!(splitter.pause().is_empty());
    let second = [splitter.push(" maybe. Yes"), splitter.pause()].concat();
    assert_eq!(texts(&second), ["maybe.", "Yes"]);
    assert_eq!((second[0].start, second[0].end), (13, 19));
}

#[test]
fn offsets_are_bytes_of_the_whole_text() {
    let text = "  Été. «\u{a0}Où\u{202f}?\u{a0}»  Là… Bon ";
    let mut splitter = splitter("fr");
    let sentences = [splitter.push(text), splitter.pause()].concat();
    assert_eq!(
        texts(&sentences),
        ["Été.", "«\u{a0}Où\u{202f}?\u{a0}»", "Là…", "Bon"]
    );
    for sentence in sentences {
        assert_eq!(&text[sentence.start..sentence.end], sentence.text);
    }
}

#[test]
fn a_sentence_without_end_is_cut_after_a_clause_or_before_a_conjunction() {
    let mut splitter_of_8 = splitter("en").with_longest(8);
    let sentences = splitter_of_8.push("we saw the house, the garden, then the sea");
    assert_eq!(texts(&sentences), ["we saw the house, the garden,"]);
    let mut splitter = splitter("en").with_longest(8);
    let sentences = splitter.push("we saw the house, the long garden and the sea that day");
    assert_eq!(texts(&sentences), ["we saw the house, the long garden"]);
    assert_eq!(splitter.pending().unwrap().text, "and the sea that day");
}

#[test]
fn a_mark_within_a_word_that_is_too_long_ends_a_sentence_also_when_all_comes_at_once() {
    let text = format!("a b。{}", "c".repeat(17));
    let mut pieces = splitter("ja").with_longest(2);
    let expected = [pieces.push("a b。c"), pieces.push(&text["a b。c".len()..])].concat();
    assert_eq!(expected[0].text, "a b。");
    assert_eq!(splitter("ja").with_longest(2).push(&text), expected);
}

#[test]
fn garbage_does_not_pile_up() {
    for unit in ["a", ".", " ", "!", "«", "é", "\u{301}", "1.", ". ", "A."] {
        let mut splitter = splitter("fr");
        for _ in 0..5_000 {
            splitter.push(unit);
        }
        assert!(
            splitter.pending.len() < 3_000,
            "{unit:?}: {}",
            splitter.pending.len()
        );
    }
}

/// Text made of what the rules look at.
fn text() -> impl Strategy<Value = String> {
    let bits = prop::sample::select(vec![
        "Il", "he", "M", "Dr", "U.S", "J", "3", "5", "No", "etc", "Inc", "The", "Le", "and", "et",
        "mot", "été", ".", ".", ".", "?", "!", "…", "...", ",", ";", " ", " ", " ", " ", "  ",
        "\u{a0}", "\u{202f}", "«", "»", "\"", "'", "’", "(", ")", "—", "-", "。", "日本", "🙂",
        "\n",
    ]);
    prop_oneof![
        prop::collection::vec(bits, 0..60).prop_map(|bits| bits.concat()),
        "\\PC{0,80}",
    ]
}

proptest! {
    #[test]
    fn pieces_make_no_difference(
        text in text(),
        cuts in prop::collection::vec(0_usize..200, 0..20),
        language in prop::sample::select(vec!["en", "fr", "pt"]),
        longest in 1_usize..12,
    ) {
        let mut whole = splitter(language).with_longest(longest);
        let expected = [whole.push(&text), whole.pause()].concat();

        let mut pieces = splitter(language).with_longest(longest);
        let mut sentences = Vec::new();
        let mut from = 0;
        let mut cuts: Vec<usize> =
            cuts.into_iter().filter(|&cut| text.is_char_boundary(cut)).collect();
        cuts.sort_unstable();
        for cut in cuts.into_iter().chain([text.len()]) {
            sentences.extend(pieces.push(&text[from..cut]));
            from = cut;
        }
        sentences.extend(pieces.pause());
        prop_assert_eq!(sentences, expected);
    }

    #[test]
    fn nothing_is_lost_and_nothing_doubled(
        spoken in prop::collection::vec(text(), 0..4),
        longest in 1_usize..12,
    ) {
        let text = spoken.concat();
        let mut splitter = splitter("fr").with_longest(longest);
        let mut sentences = Vec::new();
        for part in &spoken {
            sentences.extend(splitter.push(part));
            sentences.extend(splitter.pause());
        }
        let mut from = 0;
        for sentence in &sentences {
            prop_assert!(text[from..sentence.start].trim().is_empty());
            prop_assert_eq!(&text[sentence.start..sentence.end], &sentence.text);
            prop_assert_eq!(sentence.text.trim(), &sentence.text);
            prop_assert!(sentence.end > sentence.start);
            from = sentence.end;
        }
        prop_assert!(text[from..].trim().is_empty());
        prop_assert!(splitter.pending().is_none());
    }
}
