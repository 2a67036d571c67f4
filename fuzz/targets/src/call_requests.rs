//! What a client sends in a call, as bytes off the wire, between what its pipelines tell: each piece of
//! audio is refused, or answered by one as long.

use interpret_proto::v1::{self, CallRequest, call_request, call_response::Response};
use interpretd::{
    call::fuzzing::{Step, serve},
    pipeline::{Event, SourceRange},
};
use prost::Message as _;

use crate::{Input, block_on, engines, joined};

/// Samples a second of what is spoken.
const SPEECH_HZ: u32 = 24_000;
/// Most messages: what a call costs is in its pieces.
const MOST: usize = 100;

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let Ok(config) = v1::CallConfig::decode(input.piece()) else {
        return;
    };
    let mut steps = Vec::new();
    let mut clauses = 0;
    while !input.is_empty() && steps.len() < MOST {
        steps.extend(step(&mut input, &mut clauses));
    }
    let audio = steps.iter().filter_map(|step| match step {
        Step::Request(CallRequest {
            request: Some(call_request::Request::Audio(audio)),
        }) => Some(audio.clone()),
        _ => None,
    });
    let sent: Vec<v1::CallAudio> = audio.collect();
    let Ok((told, end)) = block_on(serve(engines(), &config, steps.into_iter())) else {
        return;
    };
    let answers = told.iter().filter_map(|response| match &response.response {
        Some(Response::Audio(audio)) => Some(audio),
        _ => None,
    });
    let mut next = [0, 0];
    for (index, answer) in answers.enumerate() {
        let leg = &mut next[answer.leg as usize];
        assert_eq!(answer.sequence, *leg, "pieces are in order");
        *leg += 1;
        if let Some(piece) = sent.get(index) {
            assert_eq!(
                (answer.leg, answer.data.len()),
                (piece.leg, piece.data.len())
            );
        }
    }
    if end.is_ok() {
        assert!(
            next[0] + next[1] >= sent.len() as u64,
            "each piece is answered"
        );
    }
    let begun = told.iter().filter_map(|response| match &response.response {
        Some(Response::Event(event)) => event.event.as_ref()?.response.as_ref(),
        _ => None,
    });
    let mut heard: Vec<u64> = begun
        .filter_map(|event| match event {
            v1::interpret_response::Response::TranslatedAudio(audio) => Some(audio.sentence_id),
            _ => None,
        })
        .collect();
    let all = heard.len();
    heard.sort_unstable();
    heard.dedup();
    assert_eq!(heard.len(), all, "a clause begins once");
    assert!(all as u64 <= clauses);
}

fn step(input: &mut Input<'_>, clauses: &mut u64) -> Option<Step> {
    let kind = input.byte();
    let leg = usize::from(kind >> 7);
    let at_ms = u64::from(kind);
    let event = match kind & 0x7f {
        0..=0x3f => return Some(Step::Request(CallRequest::decode(input.piece()).ok()?)),
        0x40..=0x4f => Event::SpeechStarted {
            utterance: 1,
            at_ms,
        },
        0x50..=0x5f => Event::SpeechEnded {
            utterance: 1,
            at_ms,
            cut: false,
        },
        _ => {
            *clauses += 1;
            let languages = ["fr", "en"];
            Event::TranslatedAudio {
                target: languages[leg].parse().expect("a language"),
                samples: input.samples(),
                sample_rate: SPEECH_HZ,
                text: clauses.to_string(),
                sentence: *clauses,
                range: SourceRange::default(),
            }
        }
    };
    Some(Step::Event(leg, event))
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |encoding: v1::AudioEncoding, rates: [u32; 2]| {
        let leg = |language: &str, sample_rate_hz: u32| v1::CallLeg {
            language: language.to_owned(),
            audio_format: Some(v1::AudioFormat {
                encoding: encoding.into(),
                sample_rate_hz,
                channels: 1,
            }),
            original_percent: 20,
            comfort_tone: true,
            ..v1::CallLeg::default()
        };
        let config = v1::CallConfig {
            legs: vec![leg("fr", rates[0]), leg("en", rates[1])],
            ..v1::CallConfig::default()
        };
        let mut seed = joined(&[&config.encode_to_vec()]);
        for (leg, sequence) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            let audio = v1::CallAudio {
                leg,
                sequence,
                data: (0..160).collect(),
            };
            let request = call_request::Request::Audio(audio);
            let message = CallRequest {
                request: Some(request),
            }
            .encode_to_vec();
            seed.push(0);
            seed.extend(joined(&[&message]));
            seed.extend([0x40 | (leg as u8) << 7, 0x70]);
            seed.extend(joined(&[&[9; 480]]));
        }
        seed
    };
    vec![
        seed(v1::AudioEncoding::Mulaw, [8_000, 8_000]),
        seed(v1::AudioEncoding::Linear16, [8_000, 16_000]),
    ]
}
