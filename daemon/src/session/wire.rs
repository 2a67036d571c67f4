//! Between the pipeline's types and the protocol's.

use std::collections::{BTreeMap, BTreeSet, btree_map::Entry};

use interpret_models::Language;
use interpret_proto::v1::{self, interpret_response::Response};

use super::{Refusal, SessionSpec, TargetOutput};
use crate::{
    audio::{ChunkEncoder, Encoding, Format, Resampler},
    pipeline::{Event, NoticeKind, PaceChange, SourceRange, StageReport, Term, TimedWord},
};

/// Length of one piece of audio on the wire.
const PIECE_MS: u32 = 200;

/// Turns events into responses; keeps count of the audio of each target.
#[derive(Debug)]
pub(crate) struct Outputs {
    targets: Vec<TargetOutput>,
    /// Next sequence number of each target's audio, and what encodes it.
    streams: BTreeMap<Language, (u64, ChunkEncoder)>,
    /// Next sequence numbers of targets whose format has changed.
    next: BTreeMap<Language, u64>,
    /// Words that the recogniser was told to expect, in small letters.
    hot_words: BTreeSet<String>,
}

impl Outputs {
    pub(crate) fn new(spec: &SessionSpec) -> Self {
        Self {
            targets: spec.targets.clone(),
            streams: BTreeMap::new(),
            next: BTreeMap::new(),
            hot_words: single_words(&spec.hot_words),
        }
    }

    /// Serves these targets from now on, besides those before, which may have more to say.
    pub(crate) fn change(&mut self, targets: Vec<TargetOutput>, hot_words: &[String]) {
        self.hot_words = single_words(hot_words);
        for target in targets {
            let known = self
                .targets
                .iter_mut()
                .find(|t| t.language == target.language);
            match known {
                Some(known) => {
                    if known.format != target.format {
                        // The encoder is made anew; numbers count on.
                        if let Some((next, _)) = self.streams.remove(&target.language) {
                            self.next.insert(target.language, next);
                        }
                    }
                    *known = target;
                }
                None => self.targets.push(target),
            }
        }
    }

    /// A word of the source.
    fn source_word(&self, word: &TimedWord) -> v1::Word {
        let text = bare(&word.text);
        v1::Word {
            hot: self.hot_words.contains(&text),
            ..self::word(word)
        }
    }

    pub(crate) fn messages(&self) -> Vec<v1::Target> {
        self.targets.iter().map(TargetOutput::to_message).collect()
    }

    /// The responses that tell `event`: one, or several for audio.
    pub(crate) fn responses(&mut self, event: Event) -> Result<Vec<Response>, Refusal> {
        let response = match event {
            Event::SpeechStarted { utterance, at_ms } => {
                speech(utterance, at_ms, v1::SpeechBoundary::Start)
            }
            Event::SpeechEnded {
                utterance,
                at_ms,
                cut: false,
            } => speech(utterance, at_ms, v1::SpeechBoundary::End),
            Event::SpeechEnded {
                utterance,
                at_ms,
                cut: true,
            } => speech(utterance, at_ms, v1::SpeechBoundary::Cut),
            Event::SourceText {
                utterance,
                language,
                language_probability,
                committed,
                tentative,
                words,
            } => Response::SourceText(v1::SourceText {
                utterance_id: utterance,
                language: language.code().to_owned(),
                committed,
                tentative,
                words: words.iter().map(|word| self.source_word(word)).collect(),
                language_probability,
            }),
            Event::TranslatedText {
                target,
                committed,
                tentative,
                source_text,
                sentence,
                range,
                sentence_complete,
                words,
                terms,
            } => Response::TranslatedText(v1::TranslatedText {
                language: target.code().to_owned(),
                committed,
                tentative,
                source_text,
                sentence_id: sentence,
                source_start_ms: range.start_ms,
                source_end_ms: range.end_ms,
                sentence_complete,
                words: words.iter().map(word).collect(),
                terms: terms.into_iter().map(term).collect(),
            }),
            Event::TranslatedAudio {
                target,
                samples,
                sample_rate,
                text,
                sentence,
                range,
            } => {
                return self.audio(target, &samples, sample_rate, text, sentence, range);
            }
            Event::Pace {
                target,
                at_ms,
                lag_ms,
                change,
            } => Response::Pace(pace(target, at_ms, lag_ms, change)),
            Event::Notice {
                kind,
                message,
                target,
                at_ms,
                amount,
                text,
            } => Response::Notice(v1::Notice {
                kind: notice_kind(kind).into(),
                message,
                language: target.map(|t| t.code().to_owned()).unwrap_or_default(),
                source_ms: at_ms,
                amount_ms: u64::try_from(amount.as_millis()).unwrap_or(u64::MAX),
                text,
            }),
        };
        Ok(vec![response])
    }

    fn audio(
        &mut self,
        target: Language,
        samples: &[f32],
        sample_rate: u32,
        text: String,
        sentence: u64,
        range: SourceRange,
    ) -> Result<Vec<Response>, Refusal> {
        let Some(output) = self.targets.iter().find(|output| output.language == target) else {
            return Ok(Vec::new());
        };
        let rate = output.format.sample_rate_hz;
        let mut resampler = Resampler::new(sample_rate, rate).map_err(failed)?;
        let mut samples = resampler.push(samples).map_err(failed)?;
        samples.extend(resampler.finish().map_err(failed)?);
        let (sequence, encoder) = match self.streams.entry(target) {
            Entry::Occupied(stream) => stream.into_mut(),
            Entry::Vacant(place) => {
                let encoder = ChunkEncoder::new(output.format, PIECE_MS).map_err(failed)?;
                place.insert((self.next.remove(&target).unwrap_or(0), encoder))
            }
        };
        let mut chunks = encoder.push(&samples).map_err(failed)?;
        chunks.extend(encoder.flush().map_err(failed)?);
        let last = chunks.len().saturating_sub(1);
        let mut text = Some(text);
        let responses = chunks
            .into_iter()
            .enumerate()
            .map(|(index, data)| {
                let audio = v1::TranslatedAudio {
                    language: target.code().to_owned(),
                    sequence: *sequence,
                    data,
                    text: text.take().unwrap_or_default(),
                    sentence_id: sentence,
                    source_start_ms: range.start_ms,
                    source_end_ms: range.end_ms,
                    clause_complete: index == last,
                };
                *sequence += 1;
                Response::TranslatedAudio(audio)
            })
            .collect();
        Ok(responses)
    }
}

fn failed(error: impl std::fmt::Display) -> Refusal {
    Refusal::EngineFailed(error.to_string())
}

fn speech(utterance_id: u64, source_ms: u64, boundary: v1::SpeechBoundary) -> Response {
    Response::Speech(v1::Speech {
        utterance_id,
        boundary: boundary.into(),
        source_ms,
    })
}

fn pace(target: Option<Language>, at_ms: u64, lag_ms: u64, change: PaceChange) -> v1::Pace {
    let pace = v1::Pace {
        language: target.map(|t| t.code().to_owned()).unwrap_or_default(),
        source_ms: at_ms,
        lag_ms,
        ..v1::Pace::default()
    };
    match change {
        PaceChange::RecognitionStep { step_ms } => v1::Pace {
            recognition_step_ms: step_ms,
            ..pace
        },
        PaceChange::Speech {
            rate,
            pauses_shortened,
            captions_only,
        } => v1::Pace {
            speech_rate: rate,
            pauses_shortened,
            captions_only,
            ..pace
        },
    }
}

fn term(term: Term) -> v1::TermOutcome {
    v1::TermOutcome {
        source: term.source,
        target: term.rendering,
        honoured: term.honoured,
    }
}

/// The single words of hot words, as [`bare`] writes them.
fn single_words(hot_words: &[String]) -> BTreeSet<String> {
    let words = hot_words.iter().flat_map(|words| words.split_whitespace());
    words.map(bare).filter(|word| !word.is_empty()).collect()
}

/// A word without punctuation around it, in small letters.
fn bare(word: &str) -> String {
    word.trim_matches(|c: char| !c.is_alphanumeric())
        .to_lowercase()
}

fn word(word: &TimedWord) -> v1::Word {
    v1::Word {
        text: word.text.trim().to_owned(),
        source_start_ms: word.range.start_ms,
        source_end_ms: word.range.end_ms,
        probability: word.probability,
        hot: false,
    }
}

fn notice_kind(kind: NoticeKind) -> v1::NoticeKind {
    match kind {
        NoticeKind::StageFailed => v1::NoticeKind::StageFailed,
        NoticeKind::SpeechSkipped => v1::NoticeKind::SpeechSkipped,
        NoticeKind::ShuttingDown => v1::NoticeKind::ShuttingDown,
    }
}

/// What stages have computed, as the protocol writes it.
pub(crate) fn stage_reports(reports: &[StageReport]) -> Vec<v1::StageReport> {
    reports.iter().map(stage_report).collect()
}

fn stage_report(report: &StageReport) -> v1::StageReport {
    let ms = |d: std::time::Duration| u64::try_from(d.as_millis()).unwrap_or(u64::MAX);
    v1::StageReport {
        stage: report.stage.clone(),
        calls: report.calls,
        busy_ms: ms(report.busy),
        waited_ms: ms(report.waited),
    }
}

/// A format as the protocol writes it, checked.
pub(super) fn format(message: &v1::AudioFormat) -> Result<Format, Refusal> {
    let encoding = match message.encoding() {
        v1::AudioEncoding::Linear16 => Encoding::Linear16,
        v1::AudioEncoding::F32 => Encoding::F32,
        v1::AudioEncoding::Mulaw => Encoding::Mulaw,
        v1::AudioEncoding::Alaw => Encoding::Alaw,
        v1::AudioEncoding::Opus => Encoding::Opus,
        v1::AudioEncoding::Unspecified => {
            return Err(Refusal::BadConfig(
                "AudioFormat.encoding is not set; use LINEAR16, F32, MULAW, ALAW or OPUS"
                    .to_owned(),
            ));
        }
    };
    let format = Format {
        encoding,
        sample_rate_hz: message.sample_rate_hz,
        channels: message.channels.max(1),
    };
    format
        .checked()
        .map_err(|e| Refusal::BadConfig(e.to_string()))
}

/// A format, as the protocol writes it.
pub(super) fn format_message(format: Format) -> v1::AudioFormat {
    let encoding = match format.encoding {
        Encoding::Linear16 => v1::AudioEncoding::Linear16,
        Encoding::F32 => v1::AudioEncoding::F32,
        Encoding::Mulaw => v1::AudioEncoding::Mulaw,
        Encoding::Alaw => v1::AudioEncoding::Alaw,
        Encoding::Opus => v1::AudioEncoding::Opus,
    };
    v1::AudioFormat {
        encoding: encoding.into(),
        sample_rate_hz: format.sample_rate_hz,
        channels: format.channels,
    }
}
