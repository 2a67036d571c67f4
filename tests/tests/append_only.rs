//! The contracts of the pipeline, as properties, on real models: committed text and audio are only
//! ever added to, nothing committed is lost or said twice, and the way the audio was cut into pieces
//! changes nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

use std::{sync::LazyLock, time::Duration};

use interpret_tests::{pipeline, speech::recording};
use interpretd::{
    Config, Daemon,
    engines::Engines,
    pipeline::{Event, NoticeKind, PipelineSpec},
};
use proptest::prelude::*;
use tokio::runtime::Runtime;

static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| Runtime::new().unwrap());
static DAEMON: LazyLock<Daemon> = LazyLock::new(|| {
    let mut config = Config::default();
    config.models.preload = vec!["fr-en".parse().unwrap()];
    let daemon = Daemon::new(config);
    RUNTIME.block_on(daemon.load_models()).unwrap();
    daemon
});
static SAMPLES: LazyLock<Vec<f32>> =
    LazyLock::new(|| recording("read-cheetah-fr").unwrap().samples().unwrap());
/// What comes of the recording in one piece.
static WHOLE: LazyLock<Vec<Event>> =
    LazyLock::new(|| run(&[SAMPLES.len()], 64, Listener::Recorded));

/// Who listens.
#[derive(Debug, Clone)]
enum Listener {
    /// Nobody, live.
    Recorded,
    /// Somebody, to audio that comes after these delays in turn, in milliseconds.
    Live(Vec<u64>),
}

fn engines() -> &'static Engines {
    DAEMON.engines().unwrap()
}

/// Everything a pipeline says of the recording, cut into pieces of these lengths in turn, to a
/// listener that holds at most `capacity` events unread.
fn run(pieces: &[usize], capacity: usize, listener: Listener) -> Vec<Event> {
    let (live, delays) = match listener {
        Listener::Recorded => (false, vec![0]),
        Listener::Live(delays) => (true, delays),
    };
    let spec = PipelineSpec {
        live,
        ..pipeline::spec("fr", Some(("en", "af_heart"))).unwrap()
    };
    let mut rest = &SAMPLES[..];
    let lengths = pieces.iter().cycle().zip(delays.iter().cycle());
    let pieces = lengths.map_while(|(length, delay)| {
        let (piece, later) = rest.split_at((*length).min(rest.len()));
        rest = later;
        (!piece.is_empty()).then_some((Duration::from_millis(*delay), piece))
    });
    // Made here, before the runtime is entered: loading enters it too.
    let engines = engines();
    let run = pipeline::run(engines, &spec, pieces, capacity);
    RUNTIME.block_on(run).unwrap()
}

/// Committed source, committed translation, and the clauses that were spoken.
fn texts(events: &[Event]) -> (String, String, Vec<String>) {
    let (mut source, mut translation, mut spoken) = (String::new(), String::new(), Vec::new());
    for event in events {
        match event {
            Event::SourceText {
                committed, words, ..
            } => {
                let joined: String = words.iter().map(|word| word.text.as_str()).collect();
                assert_eq!(*committed, joined, "words make up the committed text");
                source.push_str(committed);
            }
            Event::TranslatedText {
                committed, words, ..
            } => {
                let joined: String = words.iter().map(|word| word.text.as_str()).collect();
                assert_eq!(*committed, joined, "words make up the committed text");
                translation.push_str(committed);
            }
            Event::TranslatedAudio { text, samples, .. } => {
                assert!(!samples.is_empty(), "a clause without sound: {text}");
                spoken.push(text.clone());
            }
            Event::Notice {
                kind: NoticeKind::SpeechSkipped,
                text,
                ..
            } => spoken.push(text.clone()),
            Event::Notice { message, .. } => panic!("something was lost: {message}"),
            Event::Pace { .. } | Event::SpeechStarted { .. } | Event::SpeechEnded { .. } => {}
        }
    }
    (source, translation, spoken)
}

/// Whether source times never run back, per kind of event.
fn in_order(events: &[Event]) -> bool {
    let words = events.iter().flat_map(|event| match event {
        Event::SourceText { words, .. } => words.as_slice(),
        _ => &[],
    });
    let words: Vec<u64> = words
        .flat_map(|word| [word.range.start_ms, word.range.end_ms])
        .collect();
    let sentences: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::TranslatedText { sentence, .. } => Some(*sentence),
            _ => None,
        })
        .collect();
    let spoken: Vec<u64> = events
        .iter()
        .filter_map(|event| match event {
            Event::TranslatedAudio { sentence, .. } => Some(*sentence),
            _ => None,
        })
        .collect();
    words.is_sorted() && sentences.is_sorted() && spoken.is_sorted()
}

proptest! {
    // Each case interprets five seconds of speech.
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 4, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_same_is_said_however_the_audio_is_cut_and_however_slowly_it_is_read(
        pieces in prop::collection::vec(1_usize..9_000, 1..6),
        capacity in 1_usize..4,
    ) {
        let events = run(&pieces, capacity, Listener::Recorded);
        let (source, translation, spoken) = texts(&events);
        prop_assert!(!source.is_empty() && !translation.is_empty());
        prop_assert_eq!(&(source, translation.clone(), spoken.clone()), &texts(&WHOLE));
        // Audio is made of committed translation only, all of it, once.
        let said = spoken.concat();
        prop_assert_eq!(said.trim(), translation.trim());
        prop_assert!(in_order(&events));
    }

    #[test]
    fn live_nothing_committed_is_taken_back_or_lost_whatever_the_delays(
        pieces in prop::collection::vec(1_000_usize..16_000, 1..5),
        delays in prop::collection::vec(0_u64..700, 1..5),
        capacity in 1_usize..4,
    ) {
        let (source, translation, spoken) = {
            let events = run(&pieces, capacity, Listener::Live(delays));
            prop_assert!(in_order(&events));
            texts(&events)
        };
        prop_assert!(!source.is_empty() && !translation.is_empty());
        // Spoken and skipped together are what was committed, in order.
        let said = spoken.concat();
        prop_assert_eq!(said.trim(), translation.trim());
    }
}
