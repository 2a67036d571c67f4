//! How long a listener waits at the beginning of each utterance.

use interpret_proto::v1::SpeechBoundary;

use crate::{
    evaluation::{latency::Weighted, listener::Clause, log::Log},
    session::Event,
};

/// Shorter utterances are over before anyone could begin to interpret them.
const LONGER_THAN_MS: u64 = 3000;

struct Utterance {
    id: u64,
    first_word_ms: Option<u64>,
    start_ms: u64,
    end_ms: Option<u64>,
}

/// For each utterance longer than 3 s: when the first clause that renders any of it starts to play,
/// minus when its first word was said (where words have no times: when the utterance began). One
/// weighs as much as another. Utterances of which nothing was spoken are left out.
pub(super) fn starts(log: &Log, clauses: &[Clause]) -> Vec<Weighted> {
    let start = |utterance: &Utterance| {
        let end = utterance.end_ms?;
        if end.saturating_sub(utterance.start_ms) <= LONGER_THAN_MS {
            return None;
        }
        let renders = |clause: &&Clause| {
            clause.source_end_ms > utterance.start_ms && clause.source_start_ms < end
        };
        let clause = clauses.iter().find(renders)?;
        let said = utterance.first_word_ms.unwrap_or(utterance.start_ms);
        let heard = i64::try_from(clause.start_ms).unwrap_or(i64::MAX);
        Some((heard.saturating_sub_unsigned(said), 1))
    };
    utterances(log).iter().filter_map(start).collect()
}

fn utterances(log: &Log) -> Vec<Utterance> {
    let mut utterances: Vec<Utterance> = Vec::new();
    for logged in &log.events {
        match &logged.event {
            Event::Speech(speech) if speech.boundary() == SpeechBoundary::Start => {
                utterances.push(Utterance {
                    id: speech.utterance_id,
                    first_word_ms: None,
                    start_ms: speech.source_ms,
                    end_ms: None,
                });
            }
            Event::Speech(speech) => {
                let mut same = utterances.iter_mut().rev();
                if let Some(utterance) = same.find(|u| u.id == speech.utterance_id) {
                    utterance.end_ms = Some(speech.source_ms);
                }
            }
            Event::SourceText(text) => {
                let mut same = utterances.iter_mut().rev();
                if let Some(utterance) = same.find(|u| u.id == text.utterance_id)
                    && let Some(word) = text.words.first()
                {
                    utterance.first_word_ms.get_or_insert(word.source_start_ms);
                }
            }
            _ => {}
        }
    }
    utterances
}
