//! What a client sends in a session, as bytes off the wire: refused, or heard to the last sample.

use interpret_models::SOURCE_SAMPLE_RATE;
use interpret_proto::v1::{self, InterpretRequest, control::Control, interpret_request::Request};
use interpretd::{audio::ChunkDecoder, session::fuzzing::hear};
use prost::Message as _;

use crate::{Input, block_on, engines, joined};

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let mut messages = Vec::new();
    while !input.is_empty() && messages.len() < 100 {
        messages.extend(InterpretRequest::decode(input.piece()));
    }
    let Ok(heard) = block_on(hear(engines(), messages.iter().cloned())) else {
        return;
    };
    assert!(heard.samples.iter().all(|sample| sample.is_finite()));
    let changes = messages.iter().filter(|message| {
        matches!(
            &message.request,
            Some(Request::Control(v1::Control { control: Some(control) }))
                if !matches!(control, Control::EndUtterance(_) | Control::Acknowledge(_))
        )
    });
    assert!(heard.changes <= changes.count());
    if heard.end.is_ok() {
        let mut decoder = ChunkDecoder::new(heard.format).expect("a checked format");
        let chunks = messages
            .iter()
            .filter_map(|message| match &message.request {
                Some(Request::Audio(chunk)) => {
                    Some(decoder.decode(&chunk.data).expect("it was heard").len())
                }
                _ => None,
            });
        let sent = chunks.sum::<usize>() as u64;
        let owed =
            (sent * u64::from(SOURCE_SAMPLE_RATE)).div_ceil(u64::from(heard.format.sample_rate_hz));
        assert_eq!(heard.samples.len() as u64, owed, "samples at 16 kHz");
    }
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let seed = |encoding: v1::AudioEncoding, sample_rate_hz: u32| {
        let format = v1::AudioFormat {
            encoding: encoding.into(),
            sample_rate_hz,
            channels: 1,
        };
        let term = |source: &str, target: &str| v1::GlossaryTerm {
            source: source.to_owned(),
            target: target.to_owned(),
            ..v1::GlossaryTerm::default()
        };
        let target = |language: &str| v1::Target {
            language: language.to_owned(),
            audio_format: Some(format),
            ..v1::Target::default()
        };
        let config = v1::SessionConfig {
            source_language: "fr".to_owned(),
            audio_format: Some(format),
            targets: vec![target("en")],
            glossary: vec![term("chat", "cat"), term("US", "")],
            hot_words: vec!["Dupont".to_owned()],
            ..v1::SessionConfig::default()
        };
        let audio = |sequence: u64| v1::AudioChunk {
            sequence,
            data: (0..160).collect(),
        };
        let control = |control: Control| {
            Request::Control(v1::Control {
                control: Some(control),
            })
        };
        let requests = [
            Request::Config(config),
            Request::Audio(audio(0)),
            control(Control::EndUtterance(v1::EndUtterance {})),
            control(Control::AddTarget(v1::AddTarget {
                target: Some(target("pt")),
            })),
            control(Control::SetGlossary(v1::SetGlossary {
                glossary: vec![term("chien", "dog")],
                hot_words: vec!["Martin".to_owned()],
            })),
            control(Control::RemoveTarget(v1::RemoveTarget {
                language: "pt".to_owned(),
            })),
            Request::Audio(audio(1)),
        ];
        let bytes = requests.map(|request| {
            InterpretRequest {
                request: Some(request),
            }
            .encode_to_vec()
        });
        joined(&bytes.each_ref().map(Vec::as_slice))
    };
    vec![
        seed(v1::AudioEncoding::Linear16, 8_000),
        seed(v1::AudioEncoding::Mulaw, 44_100),
    ]
}
