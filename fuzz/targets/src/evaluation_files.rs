//! A manifest and an event log, as `interpret evaluate` reads them: refused, or scored.

use interpret::evaluation::{
    Log, manifest,
    score::{Subject, score, score_offline},
};

use crate::{Input, Scratch, joined};

/// Longest log: scoring compares each word with each.
const MOST_BYTES: usize = 4_000;

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let folder = Scratch::new();
    let list = folder.put("manifest.tsv", input.piece());
    let rest = input.rest();
    let events = folder.put("events.jsonl", &rest[..rest.len().min(MOST_BYTES)]);
    let recordings = manifest::read(&list);
    let Ok(log) = Log::read(&events) else { return };
    let languages = ["en", "fr"].map(|code| code.parse().expect("a language"));
    for recording in recordings.into_iter().flatten().take(2) {
        let target = recording.target.unwrap_or(languages[0]);
        let subject = Subject { recording, target };
        let scored = score(&subject, &log, Some("a b c"));
        serde_json::to_string(&scored.report).expect("numbers and text");
        let _ = score_offline(&subject, log.source_ms(), "a b.", "c d.");
    }
}

/// First inputs, small and whole.
///
/// # Panics
/// When one cannot be made.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let list = "audio\tlanguage\ttranscript\ttarget_language\treference\ntalk.flac\tfr\tBonjour à tous.\ten\tHello all.\n";
    let started = r#"{"sessionStarted":{"sessionId":"a","targets":[{"language":"en","audioFormat":{"encoding":"AUDIO_ENCODING_LINEAR16","sampleRateHz":24000,"channels":1}}]},"receivedAtMs":-5}"#;
    let events = [
        r#"{"sourceText":{"utteranceId":"1","language":"fr","committed":" Bonjour à tous.","words":[{"text":"Bonjour","sourceStartMs":"10","sourceEndMs":"400"},{"text":"à"},{"text":"tous.","sourceEndMs":"900"}]},"receivedAtMs":1200}"#,
        r#"{"translatedText":{"language":"en","committed":" Hello all.","sentenceId":"1","sourceEndMs":"900","sentenceComplete":true,"words":[{"text":"Hello","sourceEndMs":"400"},{"text":"all.","sourceEndMs":"900"}]},"receivedAtMs":1300}"#,
        r#"{"translatedAudio":{"language":"en","text":"Hello all.","sentenceId":"1","sourceEndMs":"900","clauseComplete":true,"dataSamples":12000},"receivedAtMs":1400}"#,
        r#"{"heartbeat":{"sourceMs":"1000"},"receivedAtMs":1500}"#,
        r#"{"sessionEnded":{"sourceMs":"2000","stages":[{"stage":"recognise","calls":"2","busyMs":"100"}]},"receivedAtMs":2500}"#,
    ];
    let all = [&[started][..], &events].concat().join("\n");
    let seed = |log: &str| [&joined(&[list.as_bytes()]), log.as_bytes()].concat();
    vec![seed(&all), seed(started)]
}
