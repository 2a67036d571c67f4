//! Export for `SimulEval` and `OmniSTEval`, so that others can check these numbers.

use serde::Serialize;

use super::{
    log::Log,
    score::Subject,
    segments::Segment,
    transcript::{TimedWord, Transcript},
};

/// A line of `instances.log`, as `SimulEval` writes it for speech in, text out. One recording is one
/// instance; the unit is the word.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Instance {
    /// Counts from 0.
    pub index: usize,
    /// The committed translation, one space between words.
    pub prediction: String,
    /// For each word: source audio that had been sent when it arrived, in ms (not more than there is).
    pub delays: Vec<i64>,
    /// For each word: when it arrived, in wall ms since the first source sample.
    pub elapsed: Vec<i64>,
    /// Words.
    pub prediction_length: usize,
    /// The reference; empty: none.
    pub reference: String,
    /// Name of the recording, languages included, and the ending of its file: `talk.fr-en.flac`.
    pub source: Vec<String>,
    /// Length of the source audio, in ms.
    pub source_length: u64,
}

/// A sentence of the source audio, for `OmniSTEval`'s `--speech_segmentation` (JSON).
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Stretch {
    /// Name of the recording, as [`Instance::source`] has it.
    pub wav: String,
    /// When it begins, in s.
    pub offset: f64,
    /// How long it lasts, in s.
    pub duration: f64,
}

/// Everything that is exported.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// Lines of `instances.log`.
    pub instances: Vec<Instance>,
    /// Content of `segments.json`.
    pub segments: Vec<Stretch>,
    /// Lines of `references.txt`: the reference of each of `segments`.
    pub references: Vec<String>,
}

impl Export {
    /// Adds a session. Sentences whose time is not known are left out of `segments`.
    pub fn add(&mut self, subject: &Subject, log: &Log) {
        let heard = Transcript::of_source(log).words();
        let translated = Transcript::of_translation(log, subject.target.code()).words();
        let source_ms = log.source_ms();
        let extension = subject.recording.audio.extension().unwrap_or_default();
        let wav = format!("{}.{}", subject.name(), extension.to_string_lossy());
        for segment in subject.segments(&heard, &translated) {
            self.segments.extend(stretch(&wav, &segment));
            self.references
                .extend(segment.source_ms.map(|_| segment.reference));
        }
        let end = i64::try_from(source_ms).unwrap_or(i64::MAX);
        let text = |words: &[TimedWord]| -> Vec<String> {
            words.iter().map(|word| word.text.clone()).collect()
        };
        self.instances.push(Instance {
            index: self.instances.len(),
            prediction: text(&translated).join(" "),
            delays: translated.iter().map(|word| word.at_ms.min(end)).collect(),
            elapsed: translated.iter().map(|word| word.at_ms).collect(),
            prediction_length: translated.len(),
            reference: subject.recording.reference.clone(),
            source: vec![wav],
            source_length: source_ms,
        });
    }

    /// The files, by name.
    ///
    /// # Errors
    ///
    /// Where something has no JSON form.
    pub fn files(&self) -> serde_json::Result<[(&'static str, String); 3]> {
        let lines: Vec<String> = self
            .instances
            .iter()
            .map(serde_json::to_string)
            .collect::<Result<_, _>>()?;
        let ended = |lines: &[String]| lines.iter().map(|line| format!("{line}\n")).collect();
        Ok([
            ("instances.log", ended(&lines)),
            (
                "segments.json",
                serde_json::to_string_pretty(&self.segments)? + "\n",
            ),
            ("references.txt", ended(&self.references)),
        ])
    }
}

fn stretch(wav: &str, segment: &Segment) -> Option<Stretch> {
    let (start, end) = segment.source_ms?;
    Some(Stretch {
        wav: wav.to_owned(),
        offset: start as f64 / 1000.0,
        duration: (end - start) as f64 / 1000.0,
    })
}
