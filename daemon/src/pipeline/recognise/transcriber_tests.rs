use interpret_models::{
    Language,
    recognition::{Recognition, RecognizedWord},
};

use super::*;

fn said(words: &[(&str, u32)]) -> Recognition {
    let words = words
        .iter()
        .zip(0..)
        .map(|((text, end_ms), token)| RecognizedWord {
            text: (*text).to_owned(),
            start_ms: end_ms.saturating_sub(200),
            end_ms: *end_ms,
            probability: 1.0,
            tokens: vec![token],
        });
    Recognition {
        language: Language::ENGLISH,
        language_probability: 1.0,
        text: String::new(),
        words: words.collect(),
        average_log_probability: 0.0,
    }
}

/// The next run of an utterance that goes on.
fn next_run(transcriber: &mut Transcriber) -> Run {
    loop {
        match transcriber.due() {
            Some(Due::Run(run)) => return run,
            Some(_) => panic!("the utterance goes on"),
            None => transcriber.hear(Heard::Audio(vec![0.1; 1_600])),
        }
    }
}

fn transcriber() -> Transcriber {
    Transcriber::new(TranscriberSettings {
        sources: vec![Language::ENGLISH],
        policy: CommitPolicy::AlignAtt { hold_ms: 240 },
        step_ms: 640,
        limits: WindowLimits::default(),
        prompt: false,
    })
}

#[test]
fn an_utterance_cut_at_its_greatest_length_goes_on_in_steps_though_it_is_late() {
    let mut transcriber = transcriber();
    transcriber.hear(Heard::Started {
        utterance: 1,
        at: 0,
    });
    transcriber.hear(Heard::Audio(vec![0.1; 48_000]));
    next_run(&mut transcriber);
    let (end, cut) = (48_000, true);
    transcriber.hear(Heard::Ended {
        utterance: 1,
        end,
        cut,
    });
    transcriber.catch_up();
    transcriber.hear(Heard::Started {
        utterance: 2,
        at: end,
    });
    for _ in 0..40 {
        transcriber.hear(Heard::Audio(vec![0.1; 1_600]));
    }
    let mut ends = Vec::new();
    while let Some(Due::Run(run)) = transcriber.due() {
        assert!(!run.last);
        ends.push(run.end);
    }
    assert!(ends.last().is_some_and(|end| *end > 100_000), "{ends:?}");
}

#[test]
fn runs_without_a_word_are_repeated_with_care_and_then_without_what_was_committed() {
    let mut transcriber = transcriber();
    transcriber.hear(Heard::Started {
        utterance: 1,
        at: 0,
    });
    let run = next_run(&mut transcriber);
    let told = transcriber.done(
        &run,
        &said(&[(" one", 300), (" two", 600), (" three", 900)]),
    );
    assert!(!told.unwrap().committed.is_empty());
    let mut provisional = Vec::new();
    let mut forced = Vec::new();
    for _ in 0..5 {
        let run = next_run(&mut transcriber);
        provisional.push(run.request.provisional);
        forced.push(!run.request.forced.is_empty());
        transcriber.done(&run, &said(&[]));
    }
    assert_eq!(provisional, [true, true, false, false, false]);
    assert_eq!(forced, [true, true, true, true, false]);
    let run = next_run(&mut transcriber);
    transcriber.done(&run, &said(&[(" four", 300)]));
    assert!(
        next_run(&mut transcriber).request.provisional,
        "it goes on as before"
    );
}

#[test]
fn steps_are_halved_at_the_beginning() {
    let mut transcriber = transcriber();
    transcriber.hear(Heard::Started {
        utterance: 1,
        at: 0,
    });
    let ends: Vec<u64> = (0..6)
        .map(|_| source_ms(next_run(&mut transcriber).end))
        .collect();
    assert_eq!(ends, [960, 1_280, 1_600, 1_920, 2_240, 2_880]);
}
