//! What `report.json` holds. Fields are added in later versions, never renamed: pass over those you do
//! not know. What could not be measured is `null`.

use serde::{Deserialize, Serialize};

use crate::evaluation::{
    erasure::Erasure,
    latency::{Distribution, Trend},
    spoken::Account,
};

/// Name and version of the schema.
pub const SCHEMA: &str = "interpret.evaluation.v1";

/// Everything that was measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// How the text was made.
    pub kind: Kind,
    /// Name of what was measured, as the person gave it; else the mode, or the folder of the logs.
    pub label: String,
    /// Each recording.
    pub recordings: Vec<RecordingReport>,
    /// Each language pair and, where there are several, `all`.
    pub totals: Vec<Totals>,
    /// Memory of the daemon.
    pub memory: Option<Memory>,
    /// Against the offline ceiling, where a report of it was given.
    pub offline: Option<Vec<Compared>>,
}

/// How the text was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Streamed at the speed of speech.
    Streamed,
    /// From whole files: no latency is measured.
    Offline,
}

/// One recording in one target language.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct RecordingReport {
    /// Name of its files: `talk.fr-en`.
    pub name: String,
    /// ISO 639-1 code of the source language.
    pub source_language: String,
    /// ISO 639-1 code of the target language.
    pub target_language: String,
    /// Whether the session came to its end.
    pub complete: bool,
    /// Length of the source audio, in ms.
    pub source_ms: u64,
    /// Committed words of source text.
    pub source_words: usize,
    /// How far the speech is behind the speaker.
    pub ear_voice_span: Spans,
    /// When it begins and ends.
    pub offsets: Offsets,
    /// Latency of the committed text.
    pub text_latency: TextLatency,
    /// Average token delay of the speech, in ms.
    pub speech_atd_ms: Option<f64>,
    /// Silences in the speech where the next piece was not there yet: how many.
    pub discontinuities: usize,
    /// Their length together, in ms.
    pub discontinuity_sum_ms: u64,
    /// Their length on average, in ms; 0 where there are none.
    pub discontinuity_average_ms: f64,
    /// Those within a clause.
    pub discontinuities_within_clauses: usize,
    /// Words of source text that were taken back.
    pub source_erasure: Option<Erasure>,
    /// Words of translation that were taken back.
    pub translation_erasure: Option<Erasure>,
    /// Ear-voice span of each clause, over time.
    pub lag: Vec<LagPoint>,
    /// Whether it grows.
    pub lag_trend: Option<Trend>,
    /// What became of the committed words.
    pub account: Account,
    /// How good the text is.
    pub quality: Quality,
    /// Computing time by stage.
    pub compute: Vec<Stage>,
    /// Memory of the daemon when the session ended, in bytes; 0: not known.
    pub daemon_resident_bytes: u64,
}

/// Ear-voice spans.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Spans {
    /// By clause: when the clause that renders a word starts to play, minus when the words that the
    /// clause renders ended; weighted by words. The headline.
    pub by_clause: Option<Distribution>,
    /// By word: when the word itself starts to play, minus when the source words it renders ended;
    /// only of words whose source time the daemon tells.
    pub by_word: Option<Distribution>,
}

/// When it begins and ends. Wall time in ms since the first source sample unless said otherwise.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Offsets {
    /// When the first source word was said, in source time, ms.
    pub first_source_word_ms: Option<u64>,
    /// When the first word of translation arrived.
    pub first_text_ms: Option<i64>,
    /// `StartOffset`: when the first speech is heard.
    pub start_offset_ms: Option<u64>,
    /// The same, after the first source word was said: what a listener waits, in ms.
    pub first_audio_after_first_word_ms: Option<i64>,
    /// For each utterance longer than 3 s: first speech that renders any of it, after its first word
    /// was said; weighted by utterances.
    pub utterance_start: Option<Distribution>,
    /// `EndOffset` of text: when its last word arrived, after the end of the source, in ms.
    pub text_end_offset_ms: Option<i64>,
    /// `EndOffset` of speech: when its last has been heard, after the end of the source, in ms.
    pub end_offset_ms: Option<i64>,
}

/// Latency of the committed text, computation-aware: words count from when they arrived.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct TextLatency {
    /// Average proportion, of the recording as one segment; a ratio.
    pub ap: Option<f64>,
    /// Average lagging, of the recording as one segment, in ms.
    pub al_ms: Option<f64>,
    /// Length-adaptive average lagging, of the recording as one segment, in ms.
    pub laal_ms: Option<f64>,
    /// Differentiable average lagging, of the recording as one segment, in ms.
    pub dal_ms: Option<f64>,
    /// YAAL, of the recording as one segment, in ms.
    pub yaal_ms: Option<f64>,
    /// Average token delay, of the recording as one segment, in ms.
    pub atd_ms: Option<f64>,
    /// `StreamLAAL`: LAAL of each sentence, on average, in ms. Compare this one.
    pub stream_laal_ms: Option<f64>,
    /// `LongYAAL`: YAAL of each sentence, on average, in ms.
    pub long_yaal_ms: Option<f64>,
    /// Sentences of the reference.
    pub sentences: usize,
    /// Sentences that `StreamLAAL` is the mean of: those with words and a known time.
    pub sentences_scored: usize,
}

/// A clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct LagPoint {
    /// When it starts to play, in wall ms.
    pub at_ms: u64,
    /// Its ear-voice span, in ms.
    pub span_ms: i64,
}

/// Errors out of words.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Percent {
    /// Words wrong, missing or too many.
    pub errors: usize,
    /// Words of the reference.
    pub words: usize,
    /// Errors in 100 words.
    pub percent: f64,
}

/// How good the text is. BLEU and chrF are corpus scores over the sentences of the reference.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Quality {
    /// Word error rate of the source text.
    pub wer: Option<Percent>,
    /// BLEU of the committed translation.
    pub bleu: Option<f64>,
    /// chrF2 of the committed translation.
    pub chrf: Option<f64>,
    /// BLEU of the speech, recognised again.
    pub asr_bleu: Option<f64>,
    /// chrF2 of the speech, recognised again.
    pub asr_chrf: Option<f64>,
    /// Word error rate of the speech, recognised again, against what it should say.
    pub asr_wer: Option<Percent>,
}

/// Computing done by one stage.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stage {
    /// As the daemon names it: `recognise`, `speak:en`.
    pub stage: String,
    /// Times its model ran.
    pub calls: u64,
    /// Wall time its model ran, in ms.
    pub busy_ms: u64,
    /// Wall time its requests waited for the model, in ms.
    pub waited_ms: u64,
    /// `busy_ms` over the length of the source audio.
    pub busy_ratio: f64,
    /// `calls` for each second of source audio.
    pub calls_per_s: f64,
}

/// Recordings together.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Totals {
    /// Language pair (`fr-en`), or `all`.
    pub pair: String,
    /// How many.
    pub recordings: usize,
    /// Length of their audio, in ms.
    pub source_ms: u64,
    /// Over all words.
    pub ear_voice_span: Spans,
    /// Over all utterances longer than 3 s (see [`Offsets::utterance_start`]).
    pub utterance_start: Option<Distribution>,
    /// Over all sentences, in ms.
    pub stream_laal_ms: Option<f64>,
    /// Over all sentences, in ms.
    pub long_yaal_ms: Option<f64>,
    /// Steepest growth of lag among the recordings, in ms a minute.
    pub steepest_lag: Option<Trend>,
    /// Greatest normalised erasure of committed text among the recordings; 0 by contract.
    pub committed_erasure: f64,
    /// Words of all.
    pub account: Account,
    /// Over all sentences; word error rates over all words.
    pub quality: Quality,
    /// Over all audio.
    pub compute: Vec<Stage>,
}

/// Memory of the daemon's process at the ends of sessions, in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Memory {
    /// The most.
    pub max_bytes: u64,
    /// After the first session.
    pub first_bytes: u64,
    /// After the last.
    pub last_bytes: u64,
    /// From the first to the last; negative where it shrank.
    pub growth_bytes: i64,
}

/// A language pair against the offline ceiling.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Compared {
    /// The language pair, or `all`.
    pub pair: String,
    /// BLEU of this report.
    pub bleu: f64,
    /// BLEU of the same recordings offline.
    pub offline_bleu: f64,
    /// The first in percent of the second.
    pub percent: f64,
}
