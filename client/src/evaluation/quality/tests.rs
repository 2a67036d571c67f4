use proptest::prelude::*;
use serde::Deserialize;

use super::*;

/// `fixtures/sacrebleu.json`: FLORES lines, perturbed, scored by sacrebleu 2.6.0.
#[derive(Deserialize)]
struct Fixture {
    sets: Vec<Set>,
}

#[derive(Deserialize)]
struct Set {
    name: String,
    bleu: f64,
    chrf: f64,
    sentences: Vec<Sentence>,
}

#[derive(Deserialize)]
struct Sentence {
    text: String,
    reference: String,
    bleu: f64,
    chrf: f64,
}

#[test]
fn scores_are_those_of_sacrebleu() {
    let fixture: Fixture = serde_json::from_str(include_str!("fixtures/sacrebleu.json")).unwrap();
    let close = |ours: f64, theirs: f64, what: &str| {
        assert!(
            (ours - theirs).abs() < 0.005,
            "{what}: {ours} is not {theirs}"
        );
    };
    assert!(fixture.sets.len() >= 4);
    for set in fixture.sets {
        let pairs = || set.sentences.iter().map(|s| (&s.text, &s.reference));
        let bleu: BleuCounts = pairs().map(|(text, of)| BleuCounts::of(text, of)).sum();
        let chrf: ChrfCounts = pairs().map(|(text, of)| ChrfCounts::of(text, of)).sum();
        close(bleu.score(), set.bleu, &set.name);
        close(chrf.score(), set.chrf, &set.name);
        for sentence in &set.sentences {
            let (text, of) = (&sentence.text, &sentence.reference);
            close(sentence_bleu(text, of), sentence.bleu, text);
            close(ChrfCounts::of(text, of).score(), sentence.chrf, text);
        }
    }
}

proptest! {
    #[test]
    fn a_text_equals_itself(text in "[a-zé]{1,6}( [a-zé.,]{1,6}){3,12}") {
        prop_assert!((BleuCounts::of(&text, &text).score() - 100.0).abs() < 1e-9);
        prop_assert!((ChrfCounts::of(&text, &text).score() - 100.0).abs() < 1e-9);
    }

    #[test]
    fn scores_lie_between_nothing_and_all(text in ".{0,60}", reference in ".{0,60}") {
        for score in [
            BleuCounts::of(&text, &reference).score(),
            sentence_bleu(&text, &reference),
            ChrfCounts::of(&text, &reference).score(),
        ] {
            prop_assert!((0.0..=100.0 + 1e-9).contains(&score), "{score}");
        }
    }
}
