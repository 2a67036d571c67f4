//! The students that Firefox ships, against the reference engine.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

#[path = "support/models.rs"]
mod models;

use std::path::{Path, PathBuf};

use interpret_models::translation::{
    self, HoldBack, MarianOptions, MarianTranslator, Search, Translation, TranslationRequest,
    Translator,
};

const PAIRS: [(&str, &str); 2] = [
    ("en-pt", include_str!("text/en.txt")),
    ("pt-en", include_str!("text/pt.txt")),
];

fn folder(pair: &str) -> PathBuf {
    models::installed(&format!("bergamot-{pair}"))
        .folder()
        .to_owned()
}

fn load(pair: &str) -> MarianTranslator {
    MarianTranslator::load(&folder(pair), pair.parse().unwrap()).unwrap()
}

fn translate(model: &mut MarianTranslator, request: &TranslationRequest) -> Translation {
    model.translate(request).unwrap()
}

fn plain(source: &str) -> TranslationRequest {
    TranslationRequest {
        source: source.to_owned(),
        ..TranslationRequest::default()
    }
}

fn ids(translation: &Translation) -> Vec<u32> {
    translation.tokens.iter().map(|token| token.id).collect()
}

#[test]
fn tokens_are_those_of_the_reference_engine() {
    for (pair, text) in PAIRS {
        let folder = folder(pair);
        let vocabulary = folder.join("vocab.spm");
        let reference =
            fxtranslate::engine::Engine::load(folder.join("model.bin"), &vocabulary, &vocabulary)
                .unwrap();
        let lexicon = std::fs::read(folder.join("lex.bin")).unwrap();
        let reference = reference.with_shortlist_bytes(&lexicon);
        let words = fxtranslate::spm::SpmVocab::load(&vocabulary).unwrap();
        let mut model = load(pair);
        for line in text.lines() {
            let expected = reference.greedy(&words.encode_with_eos(line));
            let found = translate(&mut model, &plain(line));
            assert_eq!(ids(&found), expected, "{line}: {}", found.text);
        }
    }
}

#[test]
fn a_translation_that_is_forced_to_begin_as_it_does_is_the_same() {
    for (pair, text) in PAIRS {
        let mut model = load(pair);
        for line in text.lines() {
            let whole = ids(&translate(&mut model, &plain(line)));
            let request = TranslationRequest {
                committed_prefix: whole[..whole.len() / 2].to_vec(),
                ..plain(line)
            };
            assert_eq!(ids(&translate(&mut model, &request)), whole, "{line}");
        }
    }
}

#[test]
fn the_beginning_of_a_sentence_is_translated_without_its_last_words() {
    let mut model = load("en-pt");
    let source = "The meeting starts on Monday in the big";
    let held = |words| TranslationRequest {
        hold_back: Some(HoldBack { words }),
        ..plain(source)
    };
    let little = translate(&mut model, &held(4)).text;
    let more = translate(&mut model, &held(1)).text;
    assert!(little.contains("reunião"), "{little}");
    assert!(more.len() > little.len(), "{little} | {more}");
    // The first head of the last layer tells which word is which.
    let whole = translate(&mut model, &plain("I saw Maria in London."));
    let said = |piece: &str| {
        let at = whole.tokens.iter().position(|t| t.piece.contains(piece));
        &"I saw Maria in London."[whole.aligned_span(at.unwrap()).unwrap()]
    };
    assert_eq!(said("Maria"), "Maria");
    assert_eq!(said("Lond"), "London.");
}

#[test]
fn a_sign_that_no_piece_has_is_copied() {
    let mut model = load("en-pt");
    let found = translate(&mut model, &plain("♪"));
    assert_eq!(found.text, "♪");
    assert_eq!(found.tokens[0].piece, "▁♪");
}

/// With more tokens to choose from each is less probable, and hardly ever another one is better.
#[test]
fn the_shortlist_leaves_out_what_is_hardly_ever_wanted() {
    for (pair, text) in PAIRS {
        let options = MarianOptions {
            whole_vocabulary: true,
            ..MarianOptions::default()
        };
        let pair_of = pair.parse().unwrap();
        let mut whole = MarianTranslator::load_with(&folder(pair), pair_of, &options).unwrap();
        let mut model = load(pair);
        let (mut same, mut all, mut less) = (0, 0, 0.0);
        for line in text.lines().take(8) {
            let (listed, whole) = (
                translate(&mut model, &plain(line)),
                translate(&mut whole, &plain(line)),
            );
            all += 1;
            if ids(&listed) == ids(&whole) {
                same += 1;
                for (listed, whole) in listed.tokens.iter().zip(&whole.tokens) {
                    assert!(whole.log_probability <= listed.log_probability + 1e-4);
                    less += listed.log_probability - whole.log_probability;
                }
            }
        }
        assert!(same + 2 >= all, "{pair}: {same} of {all}");
        assert!(less > 1e-3, "{pair}: the same {less}");
    }
}

#[test]
fn beam_search_is_no_worse_in_its_own_eyes() {
    let mut model = load("pt-en");
    let score = |translation: &Translation| {
        let sum: f32 = translation.tokens.iter().map(|t| t.log_probability).sum();
        sum / (translation.tokens.len() + 1) as f32
    };
    let (mut greedy, mut beam) = (0.0, 0.0);
    for line in PAIRS[1].1.lines() {
        greedy += score(&translate(&mut model, &plain(line)));
        let request = TranslationRequest {
            search: Search::Beam {
                width: 4,
                length_penalty: 1.0,
            },
            ..plain(line)
        };
        beam += score(&translate(&mut model, &request));
    }
    assert!(beam >= greedy, "{beam} {greedy}");
}

#[test]
fn french_becomes_portuguese_through_english() {
    let pair = "fr-pt".parse().unwrap();
    let mut model = translation::load(&models::route(pair), pair).unwrap();
    assert_eq!(model.pair(), pair);
    let pairs = models::pairs();
    for through in ["fr-pt", "pt-fr"] {
        assert!(pairs.contains(&through.parse().unwrap()), "{pairs:?}");
    }
    let source = "Le chat noir dort sur la chaise de Marie.";
    let whole = model.translate(&plain(source)).unwrap();
    assert_eq!(whole.text, "O gato preto dorme na cadeira de Maria.");
    let said = |piece: &str| {
        let at = whole.tokens.iter().position(|t| t.piece.contains(piece));
        &source[whole.aligned_span(at.unwrap()).unwrap()]
    };
    assert_eq!((said("pret"), said("cad")), ("noir", "chaise"));
    let begun = TranslationRequest {
        hold_back: Some(HoldBack { words: 2 }),
        ..plain("Le chat noir dort sur la")
    };
    let begun = model.translate(&begun).unwrap();
    assert!(begun.text.starts_with("O gato preto"), "{}", begun.text);
    let rest = TranslationRequest {
        committed_prefix: ids(&begun),
        whole_words: true,
        ..plain(source)
    };
    assert_eq!(model.translate(&rest).unwrap().text, whole.text);
}

/// The error of loading a copy in which `name` was changed.
fn damaged(name: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let copy = tempfile::tempdir().unwrap();
    for file in ["model.bin", "lex.bin", "vocab.spm"] {
        let mut bytes = std::fs::read(folder("en-pt").join(file)).unwrap();
        if file == name {
            change(&mut bytes);
        }
        std::fs::write(copy.path().join(file), bytes).unwrap();
    }
    let load = |path: &Path| MarianTranslator::load(path, "en-pt".parse().unwrap());
    load(copy.path()).unwrap_err().to_string()
}

#[test]
fn a_damaged_file_is_named() {
    let half = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() / 2);
    assert!(damaged("model.bin", half).contains("model.bin: it ends too early"));
    assert!(damaged("lex.bin", half).contains("lex.bin: it has"));
    assert!(damaged("vocab.spm", half).contains("vocab.spm"));
    assert!(damaged("model.bin", |bytes| bytes[0] = 9).contains("begins with 9"));
}
