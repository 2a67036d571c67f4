use proptest::prelude::*;

use super::*;

const FRAME: u64 = FRAME_SAMPLES as u64;

fn config() -> EndpointConfig {
    EndpointConfig::default()
}

/// All events of `probabilities`, the stream's end included.
fn run(config: &EndpointConfig, probabilities: &[f32]) -> Vec<EndpointEvent> {
    let mut pointer = EndPointer::new(config).unwrap();
    let mut events: Vec<_> = probabilities
        .iter()
        .flat_map(|p| pointer.push(*p))
        .collect();
    events.extend(pointer.finish(probabilities.len() as u64 * FRAME));
    events
}

fn ranges(events: &[EndpointEvent]) -> Vec<(Range<u64>, EndReason)> {
    events
        .iter()
        .filter_map(|event| match event {
            EndpointEvent::Ended { range, reason } => Some((range.clone(), *reason)),
            EndpointEvent::Started { .. } => None,
        })
        .collect()
}

fn stretch(parts: &[(f32, usize)]) -> Vec<f32> {
    parts
        .iter()
        .flat_map(|(p, n)| std::iter::repeat_n(*p, *n))
        .collect()
}

#[test]
fn speech_between_silences_is_one_padded_utterance() {
    let events = run(&config(), &stretch(&[(0.0, 50), (0.9, 30), (0.0, 40)]));
    // 256 ms are 8 frames.
    assert_eq!(
        events,
        [
            EndpointEvent::Started { at: 42 * FRAME },
            EndpointEvent::Ended {
                range: 42 * FRAME..88 * FRAME,
                reason: EndReason::Silence
            }
        ]
    );
}

#[test]
fn a_wavering_probability_does_not_split_an_utterance() {
    let wavering: Vec<f32> = (0..60)
        .map(|i| if i % 2 == 0 { 0.51 } else { 0.36 })
        .collect();
    assert_eq!(run(&config(), &wavering).len(), 2);
    // Between the thresholds, nothing begins.
    assert!(run(&config(), &[0.45; 100]).is_empty());
}

#[test]
fn a_click_is_no_utterance_but_a_short_word_is() {
    assert!(run(&config(), &stretch(&[(0.0, 20), (0.9, 2), (0.0, 40)])).is_empty());
    assert_eq!(
        ranges(&run(&config(), &stretch(&[(0.0, 20), (0.9, 4), (0.0, 40)]))).len(),
        1
    );
}

#[test]
fn a_short_pause_stays_inside_and_a_long_one_parts() {
    let pause = |n| ranges(&run(&config(), &stretch(&[(0.9, 30), (0.0, n), (0.9, 30)]))).len();
    assert_eq!(pause(15), 1);
    assert_eq!(pause(16), 2);
}

#[test]
fn padding_never_reaches_into_the_utterance_before() {
    let found = ranges(&run(
        &config(),
        &stretch(&[(0.9, 30), (0.0, 16), (0.9, 30)]),
    ));
    assert_eq!(found[0].0, 0..38 * FRAME);
    assert_eq!(found[1].0.start, 38 * FRAME);
}

#[test]
fn a_long_utterance_is_cut_in_its_deepest_recent_dip_and_goes_on_there() {
    // A deeper dip lies too far back to be taken.
    let mut probabilities = vec![0.95; 600];
    for (at, p) in [(100, 0.4), (380, 0.6), (400, 0.5)] {
        probabilities[at] = p;
    }
    let events = run(&config(), &probabilities);
    let cut = 400 * FRAME + FRAME / 2;
    assert_eq!(
        events[1..3],
        [
            EndpointEvent::Ended {
                range: 0..cut,
                reason: EndReason::MaximumLength
            },
            EndpointEvent::Started { at: cut }
        ]
    );
    assert_eq!(
        ranges(&events)[1],
        (cut..600 * FRAME, EndReason::StreamEnded)
    );
}

#[test]
fn a_cut_in_the_last_frame_of_speech_keeps_all_of_it() {
    let maximum = usize::try_from(EndPointer::new(&config()).unwrap().config.maximum).unwrap();
    // The least speech lies in the frame before the last one, which nothing follows.
    let events = run(&config(), &stretch(&[(0.93, maximum - 1), (0.02, 40)]));
    let end = (maximum as u64 - 1) * FRAME;
    assert_eq!(ranges(&events), [(0..end, EndReason::MaximumLength)]);
}

#[test]
fn a_stream_that_ends_in_speech_ends_its_utterance_where_it_ends() {
    let mut pointer = EndPointer::new(&config()).unwrap();
    for _ in 0..10 {
        pointer.push(0.9);
    }
    assert_eq!(
        pointer.finish(9 * FRAME + 7),
        Some(EndpointEvent::Ended {
            range: 0..9 * FRAME + 7,
            reason: EndReason::StreamEnded
        })
    );
}

#[test]
fn contradictions_in_the_settings_are_named() {
    let with = |change: fn(&mut EndpointConfig)| {
        let mut config = config();
        change(&mut config);
        EndPointer::new(&config).unwrap_err().to_string()
    };
    assert!(with(|c| c.stop_threshold = 0.6).contains("stop_threshold"));
    assert!(with(|c| c.stop_threshold = f32::NAN).contains("stop_threshold"));
    assert!(with(|c| c.tail_padding_ms = 600).contains("tail_padding_ms"));
    assert!(with(|c| c.max_utterance_ms = 31_000).contains("max_utterance_ms"));
    assert!(with(|c| c.cut_search_ms = 13_000).contains("cut_search_ms"));
    assert!(with(|c| c.min_speech_ms = u32::MAX).contains("min_speech_ms"));
}

fn probabilities() -> impl Strategy<Value = Vec<f32>> {
    let runs = (
        prop_oneof![Just(0.02f32), Just(0.45), Just(0.93)],
        1usize..200,
    );
    let jitter = prop::collection::vec(-0.05f32..0.05, 64);
    (prop::collection::vec(runs, 0..24), jitter).prop_map(|(runs, jitter)| {
        let mut all = stretch(&runs);
        for (i, p) in all.iter_mut().enumerate() {
            *p = (*p + jitter[i % jitter.len()]).clamp(0.0, 1.0);
        }
        all
    })
}

fn configs() -> impl Strategy<Value = EndpointConfig> {
    (
        1_000u32..29_000,
        0u32..1_500,
        0u32..400,
        0u32..400,
        0u32..500,
    )
        .prop_map(|(maximum, silence, lead, speech, tail)| EndpointConfig {
            max_utterance_ms: maximum,
            min_silence_ms: silence,
            lead_padding_ms: lead.min(maximum / 4),
            min_speech_ms: speech.min(maximum / 4),
            tail_padding_ms: tail.min(silence),
            cut_search_ms: maximum / 2,
            ..EndpointConfig::default()
        })
}

proptest! {
    #[test]
    fn utterances_are_ordered_bounded_and_announced(
        config in configs(), probabilities in probabilities()
    ) {
        let events = run(&config, &probabilities);
        let mut last_end = 0;
        for pair in events.chunks(2) {
            let [EndpointEvent::Started { at }, EndpointEvent::Ended { range, .. }] = pair else {
                return Err(TestCaseError::fail(format!("{pair:?}")));
            };
            prop_assert_eq!(*at, range.start);
            prop_assert!(range.start >= last_end && range.start < range.end);
            // Rounding to frames may add half of one.
            let longest = u64::from(config.max_utterance_ms) * 16 + FRAME;
            prop_assert!(range.end - range.start <= longest);
            prop_assert!(range.end <= probabilities.len() as u64 * FRAME);
            last_end = range.end;
        }
    }

    #[test]
    fn clear_speech_is_never_lost(probabilities in probabilities()) {
        let events = ranges(&run(&EndpointConfig::default(), &probabilities));
        for (frame, window) in probabilities.windows(4).enumerate() {
            if window.iter().all(|p| *p >= 0.5) {
                let (from, to) = (frame as u64 * FRAME, (frame as u64 + 4) * FRAME);
                let inside = events.iter().any(|(r, _)| r.start <= from && r.end > from);
                let whole = events.iter().any(|(r, _)| r.start < to && r.end >= to);
                prop_assert!(inside && whole, "frames {}.. of {:?}", frame, events);
            }
        }
    }

    #[test]
    fn kept_audio_covers_what_is_reported(config in configs(), probabilities in probabilities()) {
        let mut pointer = EndPointer::new(&config).unwrap();
        let mut kept = 0;
        for p in &probabilities {
            for event in pointer.push(*p) {
                if let EndpointEvent::Started { at } = event {
                    prop_assert!(at >= kept);
                }
            }
            prop_assert!(pointer.keep_from() >= kept);
            kept = pointer.keep_from();
        }
    }
}
