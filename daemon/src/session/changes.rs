//! What a client changes in mid-session.

use std::sync::Arc;

use interpret_models::LanguagePair;
use interpret_proto::v1::{self, control::Control};

use super::{Refusal, SessionSpec, TargetOutput, spec};
use crate::{
    engines::Engines,
    headroom::{Share, Work},
    pipeline::{Change, TargetSpec},
};

/// How a session is served now, and what it may be changed to.
#[derive(Debug)]
pub(super) struct Changes {
    engines: Engines,
    spec: SessionSpec,
    share: Arc<Share>,
}

/// What became of a change.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It is done from here on.
    Done(Changed),
    /// It is not done.
    Refused(Refusal),
}

/// How a session is served after a change.
#[derive(Debug)]
pub(crate) struct Changed {
    pub(crate) targets: Vec<TargetOutput>,
    glossary_terms: usize,
    pub(crate) hot_words: Vec<String>,
}

impl Changed {
    /// How a session is served that was changed to `spec`.
    pub(crate) fn of(spec: &SessionSpec) -> Self {
        Self {
            targets: spec.targets.clone(),
            glossary_terms: spec.terms.len(),
            hot_words: spec.hot_words.clone(),
        }
    }

    /// As the protocol writes it.
    pub(crate) fn message(&self, source_ms: u64) -> v1::SessionChanged {
        let count = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        v1::SessionChanged {
            targets: self.targets.iter().map(TargetOutput::to_message).collect(),
            glossary_terms: count(self.glossary_terms),
            hot_words: count(self.hot_words.len()),
            source_ms,
        }
    }
}

/// A change that is not done, as the protocol tells it.
pub(crate) fn refused(refusal: &Refusal, source_ms: u64) -> v1::Notice {
    v1::Notice {
        kind: v1::NoticeKind::RequestRefused.into(),
        message: refusal.to_string(),
        source_ms,
        ..v1::Notice::default()
    }
}

impl Changes {
    pub(super) fn new(engines: &Engines, spec: &SessionSpec, share: Arc<Share>) -> Self {
        Self {
            engines: engines.clone(),
            spec: spec.clone(),
            share,
        }
    }

    /// Checks a change, loads what it needs, and tells what the pipeline is to do.
    ///
    /// # Errors
    /// When it makes no sense; then everything is as before.
    pub(super) async fn apply(&mut self, control: Control) -> Result<Change, Refusal> {
        match control {
            Control::AddTarget(v1::AddTarget { target }) => self.add(target).await,
            Control::RemoveTarget(v1::RemoveTarget { language }) => self.remove(&language),
            Control::SetGlossary(terms) => self.spec.set_terms(terms),
            Control::EndUtterance(_) | Control::Acknowledge(_) => Err(Refusal::BadConfig(
                "this control changes nothing".to_owned(),
            )),
        }
    }

    /// How the session is served now.
    pub(super) fn state(&self) -> Changed {
        Changed::of(&self.spec)
    }

    async fn add(&mut self, target: Option<v1::Target>) -> Result<Change, Refusal> {
        let target =
            target.ok_or_else(|| Refusal::BadConfig("AddTarget.target is missing".to_owned()))?;
        let target = TargetOutput::resolve(&target, &self.spec.terms, &self.engines)?;
        let language = target.language;
        if self
            .spec
            .targets
            .iter()
            .any(|other| other.language == language)
        {
            return Err(Refusal::BadConfig(format!(
                "{} is interpreted into already",
                language.name()
            )));
        }
        if self.spec.sources[..] == [language] {
            return Err(Refusal::BadConfig(format!(
                "{} is what is spoken",
                language.name()
            )));
        }
        for source in self
            .spec
            .sources
            .iter()
            .filter(|source| **source != language)
        {
            let pair = LanguagePair::new(*source, language);
            let loaded = self.engines.translation().load(pair).await;
            loaded.map_err(|error| Refusal::of_load(&error))?;
        }
        let added = Change::AddTarget(TargetSpec::from(&target));
        let mut spec = self.spec.clone();
        spec.targets.push(target);
        let voices = Work::voices(spec.voices() - self.spec.voices());
        if spec.live {
            self.share.grow(voices)?;
        } else {
            // A recording can wait.
            self.share.take(voices);
        }
        self.spec = spec;
        Ok(added)
    }

    fn remove(&mut self, language: &str) -> Result<Change, Refusal> {
        let language = spec::language(language)?;
        let before = self.spec.voices();
        let targets = &mut self.spec.targets;
        let Some(index) = targets
            .iter()
            .position(|target| target.language == language)
        else {
            return Err(Refusal::BadConfig(format!(
                "{} is not interpreted into",
                language.name()
            )));
        };
        if targets.len() == 1 {
            return Err(Refusal::BadConfig(format!(
                "{} is the only target; a session needs one",
                language.name()
            )));
        }
        targets.remove(index);
        self.share.shrink(Work::voices(before - self.spec.voices()));
        Ok(Change::RemoveTarget(language))
    }
}

impl SessionSpec {
    /// Replaces the glossary and the hot words, and tells what the pipeline is to do.
    ///
    /// # Errors
    /// When they make no sense; then everything is as before.
    pub(crate) fn set_terms(&mut self, terms: v1::SetGlossary) -> Result<Change, Refusal> {
        let hot_words = spec::hot_words(&terms.hot_words)?;
        let mut targets = self.targets.clone();
        for target in &mut targets {
            target.glossary = spec::glossary(&terms.glossary, target.language)?;
        }
        self.targets = targets;
        self.terms = terms.glossary;
        self.hot_words = terms.hot_words;
        let glossaries = self.targets.iter();
        Ok(Change::Terms {
            glossaries: glossaries
                .map(|t| (t.language, t.glossary.clone()))
                .collect(),
            hot_words,
        })
    }
}
