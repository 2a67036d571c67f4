//! What a client asks for, checked against what the daemon has.

use std::{collections::BTreeSet, ops::RangeInclusive, sync::Arc};

use interpret_models::{
    Language, LanguagePair,
    translation::{Glossary, GlossaryEntry},
    vad::EndpointConfig,
};
use interpret_proto::v1;

use super::{Refusal, wire};
use crate::{
    audio::Format,
    config::Sessions,
    engines::Engines,
    pipeline::{Mode, PipelineSpec, TargetSpec},
};

/// How fast a target may be spoken, in percent of the voice's own speed. The governor makes who is late faster
/// still, and beyond twice its own speed no voice can be understood.
const SPEEDS: RangeInclusive<u32> = 50..=150;
/// Most terms of a session's glossary.
const MOST_TERMS: usize = 5_000;
/// Most hot words of a session.
const MOST_HOT_WORDS: usize = 100;
/// Bytes of hot words that count: each costs the recogniser's decoder time at every run.
const HOT_WORDS_BYTES: usize = 200;

/// A session as it will be served.
#[derive(Debug, Clone)]
pub struct SessionSpec {
    /// Languages the speaker may use.
    pub sources: Vec<Language>,
    /// Format of the audio that comes in.
    pub audio_format: Format,
    /// What to interpret into.
    pub targets: Vec<TargetOutput>,
    /// Trade between delay and quality.
    pub mode: v1::Mode,
    /// When utterances begin and end.
    pub endpoint: EndpointConfig,
    /// Whether somebody listens while the speaker speaks.
    pub live: bool,
    /// The room that others listen in; empty: none.
    pub room: String,
    /// Terms, as the client gave them.
    pub terms: Vec<v1::GlossaryTerm>,
    /// Words that the recogniser should expect.
    pub hot_words: Vec<String>,
    /// Whether the client may come back when its connection is lost.
    pub resumable: bool,
}

/// One language to interpret into.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetOutput {
    /// The language.
    pub language: Language,
    /// Voice to speak with; none: captions only.
    pub voice: Option<String>,
    /// How fast it speaks, in percent.
    pub speed_percent: u32,
    /// Format of the audio that goes out.
    pub format: Format,
    /// Terms that are to be rendered in a given way.
    pub glossary: Option<Arc<Glossary>>,
}

impl SessionSpec {
    /// Checks `config` and fills in what it leaves open.
    ///
    /// # Errors
    /// Says what to change, or which model to fetch.
    pub fn resolve(
        config: &v1::SessionConfig,
        engines: &Engines,
        limits: &Sessions,
    ) -> Result<Self, Refusal> {
        let format = config.audio_format.as_ref().ok_or_else(|| {
            Refusal::BadConfig("SessionConfig.audio_format is missing".to_owned())
        })?;
        let audio_format = wire::format(format)?;
        if config.targets.is_empty() {
            return Err(Refusal::BadConfig(
                "SessionConfig.targets is empty: name at least one target language".to_owned(),
            ));
        }
        let mut targets = Vec::new();
        for target in &config.targets {
            let target = TargetOutput::resolve(target, &config.glossary, engines)?;
            if targets
                .iter()
                .any(|other: &TargetOutput| other.language == target.language)
            {
                return Err(Refusal::BadConfig(format!(
                    "target language {} is named twice",
                    target.language
                )));
            }
            targets.push(target);
        }
        let mode = v1::Mode::try_from(config.mode)
            .map_err(|_| Refusal::BadConfig(format!("there is no mode {}", config.mode)))?;
        let mode = if mode == v1::Mode::Unspecified {
            v1::Mode::Balanced
        } else {
            mode
        };
        let sources = sources(config, engines, &targets)?;
        Ok(Self {
            sources,
            audio_format,
            targets,
            mode,
            endpoint: limits.endpoint(),
            live: !config.recorded,
            room: config.room.clone(),
            terms: config.glossary.clone(),
            hot_words: {
                hot_words(&config.hot_words)?;
                config.hot_words.clone()
            },
            resumable: config.resumable,
        })
    }

    /// "fr to en, pt", for people.
    #[must_use]
    pub fn languages(&self) -> String {
        let list = |languages: Vec<&str>| languages.join(", ");
        let sources = list(self.sources.iter().map(|source| source.code()).collect());
        let targets = list(self.targets.iter().map(|t| t.language.code()).collect());
        format!("{sources} to {targets}")
    }

    /// Most voices that render one utterance: none for languages that are only written, nor for the one
    /// that is spoken.
    #[must_use]
    pub fn voices(&self) -> usize {
        let of = |source: &Language| {
            let targets = self.targets.iter();
            let spoken = targets.filter(|target| target.voice.is_some());
            spoken.filter(|target| target.language != *source).count()
        };
        self.sources.iter().map(of).max().unwrap_or(0)
    }

    /// Pairs that the session translates.
    pub fn pairs(&self) -> impl Iterator<Item = LanguagePair> + '_ {
        self.sources.iter().flat_map(|source| {
            self.targets
                .iter()
                .filter(move |target| target.language != *source)
                .map(move |target| LanguagePair::new(*source, target.language))
        })
    }

    /// What the pipeline is to do.
    #[must_use]
    pub fn pipeline(&self) -> PipelineSpec {
        PipelineSpec {
            sources: self.sources.clone(),
            targets: self.targets.iter().map(TargetSpec::from).collect(),
            endpoint: self.endpoint.clone(),
            mode: match self.mode {
                v1::Mode::LowLatency => Mode::LowLatency,
                v1::Mode::Accurate => Mode::Accurate,
                v1::Mode::Balanced | v1::Mode::Unspecified => Mode::Balanced,
            },
            live: self.live,
            hot_words: expected(&self.hot_words),
        }
    }
}

impl From<&TargetOutput> for TargetSpec {
    fn from(target: &TargetOutput) -> Self {
        Self {
            language: target.language,
            voice: target.voice.clone(),
            speed_percent: target.speed_percent,
            glossary: target.glossary.clone(),
        }
    }
}

/// Hot words, as text that the recogniser takes for what was said before.
///
/// # Errors
/// When there are too many.
pub(super) fn hot_words(words: &[String]) -> Result<String, Refusal> {
    if words.len() > MOST_HOT_WORDS {
        return Err(Refusal::BadConfig(format!(
            "there are {} hot words, but there may be {MOST_HOT_WORDS}",
            words.len()
        )));
    }
    Ok(expected(words))
}

/// As many of the words as count, in a list.
fn expected(words: &[String]) -> String {
    let mut text = String::new();
    for word in words
        .iter()
        .map(|word| word.trim())
        .filter(|word| !word.is_empty())
    {
        if text.len() + word.len() > HOT_WORDS_BYTES {
            break;
        }
        text.push_str(if text.is_empty() { " " } else { ", " });
        text.push_str(word);
    }
    if !text.is_empty() {
        text.push('.');
    }
    text
}

/// The languages the speaker may use: the one given, the candidates, or all that can be translated
/// into every target.
fn sources(
    config: &v1::SessionConfig,
    engines: &Engines,
    targets: &[TargetOutput],
) -> Result<Vec<Language>, Refusal> {
    if !config.source_language.is_empty() {
        let source = language(&config.source_language)?;
        if let Some(target) = targets.iter().find(|target| target.language == source) {
            return Err(Refusal::BadConfig(format!(
                "source and target language are both {}",
                target.language
            )));
        }
        return Ok(vec![source]);
    }
    if !config.source_candidates.is_empty() {
        let candidates: Result<BTreeSet<Language>, Refusal> = config
            .source_candidates
            .iter()
            .map(|code| language(code))
            .collect();
        return Ok(candidates?.into_iter().collect());
    }
    let pairs: BTreeSet<LanguagePair> = engines.translation().pairs().collect();
    let serves = |source: Language| {
        targets.iter().all(|target| {
            target.language == source || pairs.contains(&LanguagePair::new(source, target.language))
        })
    };
    let known: BTreeSet<Language> = pairs.iter().map(|pair| pair.source).collect();
    let sources: Vec<Language> = known.into_iter().filter(|source| serves(*source)).collect();
    if sources.is_empty() {
        return Err(Refusal::NoModel(format!(
            "no fetched translation model leads to {}; `interpret models list` shows what can be fetched",
            targets
                .iter()
                .map(|target| target.language.code())
                .collect::<Vec<_>>()
                .join(" and ")
        )));
    }
    Ok(sources)
}

impl TargetOutput {
    pub(super) fn resolve(
        target: &v1::Target,
        terms: &[v1::GlossaryTerm],
        engines: &Engines,
    ) -> Result<Self, Refusal> {
        let language = language(&target.language)?;
        let voice = if target.captions_only {
            None
        } else {
            voice(&target.voice, language, engines)?
        };
        let speed_percent = match target.speed_percent {
            0 => 100,
            percent if SPEEDS.contains(&percent) => percent,
            other => {
                return Err(Refusal::BadConfig(format!(
                    "speed_percent is {other}; it may be {} to {}, and 0 for 100",
                    SPEEDS.start(),
                    SPEEDS.end()
                )));
            }
        };
        let format = match &target.audio_format {
            Some(format) => wire::format(format)?,
            None => Format {
                encoding: crate::audio::Encoding::Linear16,
                sample_rate_hz: engines.speech_sample_rate(),
                channels: 1,
            },
        };
        Ok(Self {
            language,
            voice,
            speed_percent,
            format,
            glossary: glossary(terms, language)?,
        })
    }

    /// As the protocol writes it.
    #[must_use]
    pub fn to_message(&self) -> v1::Target {
        v1::Target {
            language: self.language.code().to_owned(),
            voice: self.voice.clone().unwrap_or_default(),
            audio_format: Some(wire::format_message(self.format)),
            captions_only: self.voice.is_none(),
            speed_percent: self.speed_percent,
        }
    }
}

/// The terms that concern a target.
pub(super) fn glossary(
    terms: &[v1::GlossaryTerm],
    target: Language,
) -> Result<Option<Arc<Glossary>>, Refusal> {
    if terms.len() > MOST_TERMS {
        return Err(Refusal::BadConfig(format!(
            "the glossary has {} terms, but may have {MOST_TERMS}",
            terms.len()
        )));
    }
    let mut entries = Vec::new();
    for term in terms {
        if !term.language.is_empty() && language(&term.language)? != target {
            continue;
        }
        let kept = term.target.is_empty();
        entries.push(GlossaryEntry {
            source: term.source.clone(),
            target: if kept { &term.source } else { &term.target }.clone(),
        });
    }
    if entries.is_empty() {
        return Ok(None);
    }
    let glossary = Glossary::new(entries).map_err(|error| Refusal::BadConfig(error.to_string()))?;
    Ok(Some(Arc::new(glossary)))
}

/// The voice asked for, or the default one. None: no voice speaks the language.
fn voice(name: &str, language: Language, engines: &Engines) -> Result<Option<String>, Refusal> {
    let mut voices = engines
        .voices()
        .iter()
        .filter(|voice| voice.language == language);
    if name.is_empty() {
        return Ok(voices
            .find(|voice| voice.is_default)
            .map(|voice| voice.name.clone()));
    }
    let names: Vec<&str> = voices.map(|voice| voice.name.as_str()).collect();
    if names.contains(&name) {
        return Ok(Some(name.to_owned()));
    }
    Err(Refusal::BadConfig(format!(
        "there is no {} voice '{name}'; there are: {}",
        language.name(),
        names.join(", ")
    )))
}

pub(super) fn language(code: &str) -> Result<Language, Refusal> {
    code.parse()
        .map_err(|e: interpret_models::language::UnknownLanguage| {
            Refusal::UnknownLanguage(e.to_string())
        })
}
