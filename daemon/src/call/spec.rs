//! What a client asks for in a call, checked against what the daemon has.

use interpret_models::LanguagePair;
use interpret_proto::v1;

use crate::{
    audio::Encoding,
    config::Sessions,
    engines::Engines,
    session::{Refusal, SessionSpec},
};

/// A call as it will be served.
#[derive(Debug, Clone)]
pub(crate) struct CallSpec {
    pub(super) legs: [LegSpec; 2],
}

/// One side of it.
#[derive(Debug, Clone)]
pub(super) struct LegSpec {
    /// What is said here, and what it is interpreted into.
    pub(super) session: SessionSpec,
    /// As the client gave it.
    pub(super) message: v1::CallLeg,
}

impl CallSpec {
    /// Checks `config` and fills in what it leaves open.
    ///
    /// # Errors
    /// Says what to change, or which model to fetch.
    pub(crate) fn resolve(
        config: &v1::CallConfig,
        engines: &Engines,
        limits: &Sessions,
    ) -> Result<Self, Refusal> {
        let [first, second] = &config.legs[..] else {
            return Err(Refusal::BadConfig(format!(
                "CallConfig.legs has {} legs; a call has two",
                config.legs.len()
            )));
        };
        let leg = |here: &v1::CallLeg, there: &v1::CallLeg| {
            let session = SessionSpec::resolve(&session(config, here, there), engines, limits)?;
            checked(here, &session)?;
            let mut message = here.clone();
            message.barge_in = match here.barge_in() {
                v1::BargeIn::Unspecified => v1::BargeIn::Duck,
                given => given,
            }
            .into();
            Ok::<_, Refusal>(LegSpec { session, message })
        };
        let mut legs = [leg(first, second)?, leg(second, first)?];
        // Each side hears the voice that the other side's session speaks with.
        for here in 0..2 {
            let target = legs[1 - here].session.targets[0].clone();
            legs[here].message.voice = target.voice.unwrap_or_default();
            legs[here].message.speed_percent = target.speed_percent;
        }
        Ok(Self { legs })
    }
}

impl CallSpec {
    /// "fr to en, en to fr", for people.
    pub(crate) fn languages(&self) -> String {
        self.legs
            .each_ref()
            .map(|leg| leg.session.languages())
            .join(", ")
    }

    /// Pairs that the call translates.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = LanguagePair> + '_ {
        self.legs.iter().flat_map(|leg| leg.session.pairs())
    }
}

/// The session whose speaker is `here`, and whose listener is `there`.
fn session(config: &v1::CallConfig, here: &v1::CallLeg, there: &v1::CallLeg) -> v1::SessionConfig {
    v1::SessionConfig {
        source_language: here.language.clone(),
        audio_format: here.audio_format,
        targets: vec![v1::Target {
            language: there.language.clone(),
            voice: there.voice.clone(),
            audio_format: there.audio_format,
            captions_only: false,
            speed_percent: there.speed_percent,
        }],
        mode: config.mode,
        glossary: config.glossary.clone(),
        hot_words: config.hot_words.clone(),
        ..v1::SessionConfig::default()
    }
}

fn checked(leg: &v1::CallLeg, session: &SessionSpec) -> Result<(), Refusal> {
    let bad = |message: String| Err(Refusal::BadConfig(message));
    if leg.language.is_empty() {
        return bad("CallLeg.language is empty; a call's languages are not detected".to_owned());
    }
    if session.audio_format.encoding == Encoding::Opus {
        return bad("a leg of a call has no Opus; use MULAW, ALAW, LINEAR16 or F32".to_owned());
    }
    if session.audio_format.channels != 1 {
        return bad("a leg of a call has one channel".to_owned());
    }
    if leg.original_percent > 100 {
        return bad(format!(
            "CallLeg.original_percent is {}; use 0 to 100",
            leg.original_percent
        ));
    }
    if v1::BargeIn::try_from(leg.barge_in).is_err() {
        return bad(format!("there is no BargeIn {}", leg.barge_in));
    }
    let target = &session.targets[0];
    if target.voice.is_none() {
        return Err(Refusal::NoModel(format!(
            "no voice speaks {}, which a call needs",
            target.language.name()
        )));
    }
    Ok(())
}
