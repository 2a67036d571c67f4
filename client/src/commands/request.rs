//! What to interpret, and what to leave behind: arguments that several commands have.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use interpret_models::Language;
use serde::{Deserialize, Serialize};

use super::{glossary, source::parse_source};
use crate::{
    error::ClientError,
    output::OutputPaths,
    session::{Config, Mode, Target},
};

/// `--speed`: what the protocol takes (`Target.speed_percent`).
pub(super) fn speed_percent() -> clap::builder::RangedI64ValueParser<u32> {
    clap::value_parser!(u32).range(50..=150)
}

/// `--mode`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum ModeArg {
    /// Starts soonest.
    LowLatency,
    /// Between the two.
    Balanced,
    /// Waits for whole sentences.
    Accurate,
}

impl From<ModeArg> for Mode {
    fn from(mode: ModeArg) -> Self {
        match mode {
            ModeArg::LowLatency => Self::LowLatency,
            ModeArg::Balanced => Self::Balanced,
            ModeArg::Accurate => Self::Accurate,
        }
    }
}

/// The files to write.
#[derive(Debug, Clone, Default, clap::Args)]
pub(super) struct OutputArgs {
    /// Write the translated speech here (WAV). Several languages: OUT.en.wav, OUT.pt.wav.
    #[arg(long, short, value_name = "OUT.wav")]
    pub(super) output: Option<PathBuf>,
    /// Write captions here (WebVTT; SubRip if the name ends in .srt).
    #[arg(long, value_name = "OUT.vtt")]
    pub(super) captions: Option<PathBuf>,
    /// Write every event here, one line of JSON each.
    #[arg(long, value_name = "OUT.jsonl")]
    pub(super) events: Option<PathBuf>,
    /// Keep the audio itself in the event log.
    #[arg(long, requires = "events")]
    pub(super) events_audio: bool,
}

impl OutputArgs {
    pub(super) fn paths(&self) -> OutputPaths {
        OutputPaths {
            audio: self.output.clone(),
            captions: self.captions.clone(),
            events: self.events.clone(),
            events_audio: self.events_audio,
        }
    }
}

/// What to interpret, as a person writes it.
#[derive(Debug, Clone, Default)]
pub(super) struct Request<'a> {
    /// `fr`, `auto` or `auto:fr,en`.
    pub(super) from: &'a str,
    /// Language codes.
    pub(super) to: &'a [String],
    /// `af_heart` or `en=af_heart`.
    pub(super) voices: &'a [String],
    /// In percent.
    pub(super) speed: Option<u32>,
    pub(super) mode: Option<ModeArg>,
    /// `terms.tsv` or `pt=terms.tsv`.
    pub(super) glossaries: &'a [String],
    /// Words that the recogniser should expect.
    pub(super) hot_words: &'a [String],
    /// Where others may listen.
    pub(super) room: Option<&'a str>,
    /// Speech that nobody hears or keeps need not be made.
    pub(super) spoken: bool,
}

impl Request<'_> {
    /// The session to ask for, and its targets.
    pub(super) fn config(&self) -> Result<(Config, Vec<Language>), ClientError> {
        let mut config = Config::new(parse_source(self.from)?);
        let targets: Vec<Language> = self
            .to
            .iter()
            .map(|code| code.parse())
            .collect::<Result<_, _>>()?;
        let voices = voices_by_language(self.voices, &targets)?;
        for language in &targets {
            let mut target = Target::new(*language);
            if let Some((_, voice)) = voices.iter().find(|(of, _)| of == language) {
                target = target.voice(*voice);
            }
            if let Some(percent) = self.speed {
                target = target.speed_percent(percent);
            }
            if !self.spoken {
                target = target.captions_only();
            }
            config = config.target(target);
        }
        if let Some(mode) = self.mode {
            config = config.mode(mode.into());
        }
        for term in glossary::read(self.glossaries)? {
            config = config.term(term);
        }
        for word in self.hot_words {
            config = config.hot_word(word);
        }
        if let Some(room) = self.room {
            config = config.room(room);
        }
        config.check()?;
        Ok((config, targets))
    }
}

/// Reads `af_heart` (with one target) and `en=af_heart`.
fn voices_by_language<'a>(
    given: &'a [String],
    targets: &[Language],
) -> Result<Vec<(Language, &'a str)>, ClientError> {
    given
        .iter()
        .map(|voice| match (voice.split_once('='), targets) {
            (Some((language, name)), _) => Ok((language.parse()?, name)),
            (None, [only]) => Ok((*only, voice.as_str())),
            (None, _) => Err(ClientError::Usage(format!(
                "--voice {voice} does not tell for which language; write LANGUAGE={voice}"
            ))),
        })
        .collect()
}

/// Refuses to write over the input, or two outputs to one file.
pub(super) fn refuse_clashes(input: Option<&Path>, paths: &OutputPaths) -> Result<(), ClientError> {
    let real = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
    let mut taken: Vec<PathBuf> = input.into_iter().map(real).collect();
    for path in paths.iter() {
        let path = real(path);
        // Devices may be given twice: nothing is lost there.
        if taken.contains(&path) && !path.metadata().is_ok_and(|found| !found.is_file()) {
            let path = path.display();
            return Err(ClientError::Usage(format!("{path} is named twice")));
        }
        taken.push(path);
    }
    Ok(())
}
