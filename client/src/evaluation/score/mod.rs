//! Scores one recording, from its event log alone.

mod text;
mod timing;
mod utterances;

use interpret_models::Language;

use super::{
    erasure::Erasure,
    latency::{Distribution, Output, Trend, average_token_delay},
    listener::Listener,
    log::Log,
    manifest::Recording,
    report::{LagPoint, RecordingReport, Scored, Spans, Stage},
    segments::{Segment, segments},
    spoken::{Account, Spoken},
    transcript::{TimedWord, Transcript},
};
use crate::{audio::Pace, session::Event};

/// What is scored: a recording in one target language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    /// The recording.
    pub recording: Recording,
    /// The language it is interpreted into.
    pub target: Language,
}

impl Subject {
    /// Name of its files: `talk.fr-en`.
    #[must_use]
    pub fn name(&self) -> String {
        self.recording.name(self.target)
    }

    /// The sentences of the reference, and what of the text belongs to each.
    #[must_use]
    pub fn segments(&self, heard: &[TimedWord], translated: &[TimedWord]) -> Vec<Segment> {
        let recording = &self.recording;
        segments(
            (&recording.transcript, recording.language),
            (&recording.reference, self.target),
            heard,
            translated,
        )
    }

    fn blank(&self) -> RecordingReport {
        RecordingReport {
            name: self.name(),
            source_language: self.recording.language.to_string(),
            target_language: self.target.to_string(),
            complete: true,
            ..RecordingReport::default()
        }
    }
}

/// Scores a session. `speech` is what a recogniser heard in the speech that came out.
#[must_use]
pub fn score(subject: &Subject, log: &Log, speech: Option<&str>) -> Scored {
    let target = subject.target.code();
    let heard = Transcript::of_source(log).words();
    let translated = Transcript::of_translation(log, target).words();
    let segments = subject.segments(&heard, &translated);
    let listener = listen(log, target);
    let source_ms = log.source_ms();

    let mut scored = Scored {
        report: RecordingReport {
            complete: log.is_complete(),
            source_ms,
            source_words: heard.len(),
            source_erasure: Erasure::of(log, None),
            translation_erasure: Erasure::of(log, Some(target)),
            compute: compute(log),
            daemon_resident_bytes: resident_bytes(log),
            ..subject.blank()
        },
        ..Scored::default()
    };
    text::score(&mut scored, subject, &heard, &translated, &segments);
    timing::score(&mut scored, &heard, &translated, &segments);
    if let Some(listener) = listener {
        score_speech(&mut scored, log, &listener, target, &translated);
        if let Some(speech) = speech {
            let said: Vec<&str> = listener.clauses().iter().map(|c| c.text.as_str()).collect();
            text::score_speech(&mut scored, speech, &said.join(" "), &segments);
        }
    }
    scored.report.quality = scored.quality();
    scored
}

/// Scores text that was made from the whole recording: no latency.
#[must_use]
pub fn score_offline(subject: &Subject, source_ms: u64, source: &str, translation: &str) -> Scored {
    let untimed = |text: &str| -> Vec<TimedWord> {
        let words = text.split_whitespace();
        words
            .map(|word| TimedWord {
                text: word.to_owned(),
                ..TimedWord::default()
            })
            .collect()
    };
    let (heard, translated) = (untimed(source), untimed(translation));
    let mut scored = Scored {
        report: RecordingReport {
            source_ms,
            source_words: heard.len(),
            ..subject.blank()
        },
        ..Scored::default()
    };
    let segments = subject.segments(&heard, &translated);
    text::score(&mut scored, subject, &heard, &translated, &segments);
    scored.report.quality = scored.quality();
    scored
}

/// Plays all speech in `language`; `None` where it is not spoken.
#[must_use]
pub fn listen(log: &Log, language: &str) -> Option<Listener> {
    let format = log.format(language)?;
    let mut listener = Listener::new(Pace::RealTime, format.sample_rate_hz);
    for logged in &log.events {
        if let Event::TranslatedAudio(audio) = &logged.event
            && audio.language == language
        {
            listener.hear(audio, logged.samples, logged.at_ms);
        }
    }
    Some(listener)
}

fn score_speech(
    scored: &mut Scored,
    log: &Log,
    listener: &Listener,
    target: &str,
    translated: &[TimedWord],
) {
    let spoken = Spoken::find(listener.clauses(), translated);
    scored.by_clause = listener.spans();
    scored.by_word = spoken.spans(translated);
    scored.utterance_starts = utterances::starts(log, listener.clauses());
    let gaps = listener.gaps();
    let report = &mut scored.report;
    report.ear_voice_span = Spans {
        by_clause: Distribution::of(&scored.by_clause),
        by_word: Distribution::of(&scored.by_word),
    };
    timing::speech_offsets(&mut report.offsets, listener, report.source_ms);
    report.offsets.utterance_start = Distribution::of(&scored.utterance_starts);
    report.discontinuities = gaps.count;
    report.discontinuity_sum_ms = gaps.sum_ms;
    report.discontinuity_average_ms = gaps.sum_ms as f64 / gaps.count.max(1) as f64;
    report.discontinuities_within_clauses = gaps.within_clauses;
    let worded = || {
        listener
            .clauses()
            .iter()
            .filter(|clause| clause.words() > 0)
    };
    report.lag = worded()
        .map(|clause| LagPoint {
            at_ms: clause.start_ms,
            span_ms: clause.span_ms(),
        })
        .collect();
    let points: Vec<(f64, f64)> = report
        .lag
        .iter()
        .map(|point| (point.at_ms as f64, point.span_ms as f64))
        .collect();
    report.lag_trend = Trend::of(&points);
    // A clause is one output: its pieces are cut by the network, not by the interpreter.
    let outputs: Vec<Output> = worded()
        .map(|clause| Output {
            at_ms: clause.arrived_ms as f64,
            lasts_ms: clause.sounds_ms as f64,
        })
        .collect();
    report.speech_atd_ms = average_token_delay(&outputs, report.source_ms as f64);
    report.account = Account::settle(log, target, translated, &spoken);
}

fn compute(log: &Log) -> Vec<Stage> {
    let ended = log.events.iter().find_map(|logged| match &logged.event {
        Event::SessionEnded(ended) => Some(ended),
        _ => None,
    });
    let Some(ended) = ended else {
        return Vec::new();
    };
    let seconds = ended.source_ms.max(1) as f64 / 1000.0;
    let stages = ended.stages.iter();
    stages
        .map(|stage| Stage {
            stage: stage.stage.clone(),
            calls: stage.calls,
            busy_ms: stage.busy_ms,
            waited_ms: stage.waited_ms,
            busy_ratio: stage.busy_ms as f64 / 1000.0 / seconds,
            calls_per_s: stage.calls as f64 / seconds,
        })
        .collect()
}

fn resident_bytes(log: &Log) -> u64 {
    let told = log
        .events
        .iter()
        .rev()
        .find_map(|logged| match &logged.event {
            Event::SessionEnded(ended) => Some(ended.daemon_resident_bytes),
            _ => None,
        });
    told.unwrap_or(0)
}

#[cfg(test)]
mod tests;
