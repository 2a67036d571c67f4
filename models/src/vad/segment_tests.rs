use proptest::prelude::*;

use super::*;

/// Takes loud frames for speech: enough to exercise the segmenter without a model.
struct Loudness;

impl VoiceActivityDetector for Loudness {
    type State = ();

    fn start(&self) {}

    fn probability(&mut self, (): &mut (), frame: &[f32; FRAME_SAMPLES]) -> Result<f32, VadError> {
        let peak = frame
            .iter()
            .fold(0.0f32, |peak, sample| peak.max(sample.abs()));
        Ok(peak.min(1.0))
    }
}

/// Stretches of sound and silence whose samples are all different.
fn audio() -> impl Strategy<Value = Vec<f32>> {
    prop::collection::vec((any::<bool>(), 100usize..40_000), 0..12).prop_map(|parts| {
        let mut all = Vec::new();
        for (loud, length) in parts {
            let level = if loud { 0.6 } else { 0.0 };
            for _ in 0..length {
                let fine = (all.len() % 1000) as f32 / 10_000.0;
                all.push(level + fine);
            }
        }
        all
    })
}

fn segment(audio: &[f32], chunks: &[usize]) -> Vec<SpeechEvent> {
    let mut detector = Loudness;
    let config = EndpointConfig {
        max_utterance_ms: 3_000,
        cut_search_ms: 1_500,
        ..EndpointConfig::default()
    };
    let mut segmenter = Segmenter::new(&detector, &config).unwrap();
    let mut events = Vec::new();
    let mut rest = audio;
    for length in chunks.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (now, later) = rest.split_at((*length).min(rest.len()));
        events.extend(segmenter.push(&mut detector, now).unwrap());
        assert!(segmenter.sound.len() < 16 * 4_000 + length);
        rest = later;
    }
    events.extend(segmenter.finish(&mut detector).unwrap());
    events
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn chunking_changes_nothing(
        audio in audio(), chunks in prop::collection::vec(1usize..5_000, 1..20)
    ) {
        prop_assert_eq!(segment(&audio, &chunks), segment(&audio, &[FRAME_SAMPLES]));
    }

    #[test]
    fn an_utterance_holds_exactly_the_sound_of_its_range(audio in audio()) {
        for event in segment(&audio, &[777]) {
            if let SpeechEvent::Ended(utterance) = event {
                let range = utterance.range.start as usize..utterance.range.end as usize;
                prop_assert_eq!(&utterance.samples[..], &audio[range]);
            }
        }
    }
}

#[test]
fn a_finished_segmenter_begins_anew() {
    let mut detector = Loudness;
    let mut segmenter = Segmenter::new(&detector, &EndpointConfig::default()).unwrap();
    let audio = vec![0.9; 20_000];
    let mut once = || {
        let mut events = segmenter.push(&mut detector, &audio).unwrap();
        events.extend(segmenter.finish(&mut detector).unwrap());
        events
    };
    assert_eq!(once(), once());
}
