//! What a person usually wants, from a file, and what they want now, from the command line.

use std::path::{Path, PathBuf};

use clap::ValueEnum;
use figment::{
    Figment,
    providers::{Format, Serialized, Toml},
};
use serde::{Deserialize, Serialize};

use super::super::{
    ServerArgs,
    request::{ModeArg, OutputArgs, speed_percent},
};
use crate::{
    device::{Choice, EchoMode, Pick},
    error::ClientError,
    session::Codec,
};

/// Arguments of `interpret mic`.
///
/// Those that are serialised can be written into the configuration file too.
#[derive(Debug, clap::Args, Serialize)]
#[command(after_help = EXAMPLES)]
pub struct Args {
    /// Language spoken: a code such as fr; auto to detect it; auto:fr,en to choose among these.
    #[arg(long, value_name = "LANGUAGE")]
    #[serde(skip_serializing_if = "Option::is_none")]
    from: Option<String>,
    /// Language to interpret into; repeat it, or separate several by commas. With --from auto:fr,en
    /// and --to en,fr each side hears the other.
    #[arg(long, value_name = "LANGUAGE", value_delimiter = ',')]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    to: Vec<String>,
    /// Microphone: its name, its id, or a part of them that only one has (`interpret devices`).
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    microphone: Option<String>,
    /// Hear only this channel of the microphone, counted from 1 [default: the mean of all].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    #[serde(skip_serializing_if = "Option::is_none")]
    channel: Option<u16>,
    /// Make the microphone louder (or quieter), in dB.
    #[arg(long, value_name = "DB", allow_negative_numbers = true)]
    #[serde(skip_serializing_if = "Option::is_none")]
    gain_db: Option<f32>,
    /// Loudspeaker or headphones; LANGUAGE=NAME for one of several languages.
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    loudspeaker: Vec<String>,
    /// While a chosen device is gone, use the system's default one.
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    fallback: bool,
    /// How the microphone is kept from hearing the loudspeaker [default: cancel].
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    echo: Option<EchoArg>,
    /// How sound travels to a daemon: auto compresses it with Opus where it leaves this machine
    /// [default: auto].
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    codec: Option<CodecArg>,
    /// Let others listen, with `interpret listen NAME`; letters, digits, dots, dashes, underscores.
    #[arg(long, value_name = "NAME")]
    #[serde(skip_serializing_if = "Option::is_none")]
    room: Option<String>,
    /// Show the translation and do not speak it.
    #[arg(long)]
    #[serde(skip_serializing_if = "is_false")]
    captions_only: bool,
    /// Voice to speak with (`interpret voices`); with several languages, LANGUAGE=VOICE.
    #[arg(long)]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    voice: Vec<String>,
    /// Speak so fast, in percent of the voice's own speed.
    #[arg(long, value_name = "PERCENT", value_parser = speed_percent())]
    #[serde(skip_serializing_if = "Option::is_none")]
    speed: Option<u32>,
    /// Trade between delay and quality [default: low-latency].
    #[arg(long, value_enum)]
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<ModeArg>,
    /// Terms to render in a given way: a text with a term, a tab and its rendering on each line; only the
    /// term to leave it untranslated. For one of several languages, LANGUAGE=TERMS.tsv.
    #[arg(long, value_name = "TERMS.tsv")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    glossary: Vec<String>,
    /// Word that the recogniser should expect, such as a name, as it is to be written; may be repeated.
    #[arg(long, value_name = "WORD")]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    hot_word: Vec<String>,
    #[command(flatten)]
    #[serde(skip)]
    pub(super) outputs: OutputArgs,
    /// Lines instead of a full screen: for pipes and screen readers.
    #[arg(long)]
    #[serde(skip)]
    pub(super) plain: bool,
    /// No captions, no summary.
    #[arg(long, short)]
    #[serde(skip)]
    pub(super) quiet: bool,
    /// Read the usual settings here [default: mic.toml in the configuration folder].
    #[arg(long, value_name = "FILE")]
    #[serde(skip)]
    config: Option<PathBuf>,
    #[command(flatten)]
    #[serde(skip)]
    pub(super) server: ServerArgs,
}

const EXAMPLES: &str = "\
Examples:
  interpret mic --from fr --to en                          speak French, hear English
  interpret mic --from auto:fr,en --to en,fr               two people across a table
  interpret mic --from fr --to en --loudspeaker Headset --echo off
  interpret mic --from fr --to en --loudspeaker interpret  into a meeting (docs/microphone.md)
  interpret mic --from fr --to en --plain --captions talk.vtt | tee talk.txt

Keys: p pauses the microphone, m mutes the voice, r says the last sentence again,
d takes the next mode, t the next language to interpret into, s saves captions, q ends.";

/// `--echo`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum EchoArg {
    /// Headphones: the microphone cannot hear the voice.
    Off,
    /// Take the voice out of what the microphone hears; who interrupts is heard.
    #[default]
    Cancel,
    /// Hear nothing while the voice speaks.
    HalfDuplex,
}

/// `--codec`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum CodecArg {
    /// Opus where the sound leaves this machine.
    #[default]
    Auto,
    /// As it is.
    Pcm,
    /// Compressed.
    Opus,
}

impl From<EchoArg> for EchoMode {
    fn from(echo: EchoArg) -> Self {
        match echo {
            EchoArg::Off => Self::Off,
            EchoArg::Cancel => Self::Cancel,
            EchoArg::HalfDuplex => Self::HalfDuplex,
        }
    }
}

/// Both together, the command line first.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Settings {
    from: Option<String>,
    to: Vec<String>,
    microphone: Option<String>,
    channel: Option<u16>,
    pub(super) gain_db: f32,
    pub(super) loudspeaker: Vec<String>,
    pub(super) fallback: bool,
    pub(super) echo: EchoArg,
    codec: CodecArg,
    pub(super) captions_only: bool,
    pub(super) voice: Vec<String>,
    pub(super) speed: Option<u32>,
    pub(super) mode: Option<ModeArg>,
    pub(super) glossary: Vec<String>,
    pub(super) hot_word: Vec<String>,
    pub(super) room: Option<String>,
}

impl Settings {
    /// The configuration file, then the command line, which overrides it.
    pub(super) fn load(args: Args) -> Result<Self, ClientError> {
        let named = args.config.clone();
        let path = named.clone().or_else(usual_file);
        let mut figment = Figment::new();
        if let Some(path) = &path {
            if named.is_some() && !path.is_file() {
                return Err(ClientError::Usage(format!(
                    "there is no configuration file {}",
                    path.display()
                )));
            }
            figment = figment.merge(Toml::file_exact(path));
        }
        let mut settings: Self = figment
            .merge(Serialized::defaults(args))
            .extract()
            .map_err(|error| wrong(&error, path.as_deref()))?;
        // Speech in one's ear is worth less the later it comes.
        settings.mode.get_or_insert(ModeArg::LowLatency);
        Ok(settings)
    }

    pub(super) fn from(&self) -> Result<&str, ClientError> {
        self.from
            .as_deref()
            .ok_or_else(|| missing("--from", "from = \"fr\""))
    }

    pub(super) fn to(&self) -> Result<&[String], ClientError> {
        match self.to[..] {
            [] => Err(missing("--to", "to = [\"en\"]")),
            _ => Ok(&self.to),
        }
    }

    pub(super) fn codec(&self, far: bool) -> Codec {
        match (self.codec, far) {
            (CodecArg::Opus, _) | (CodecArg::Auto, true) => Codec::Opus,
            (CodecArg::Pcm, _) | (CodecArg::Auto, false) => Codec::Pcm,
        }
    }

    pub(super) fn microphone(&self) -> Choice {
        self.microphone
            .clone()
            .map_or(Choice::Default, Choice::Named)
    }

    pub(super) fn pick(&self) -> Pick {
        match self.channel {
            Some(channel) => Pick::One(usize::from(channel.saturating_sub(1))),
            None => Pick::All,
        }
    }
}

/// `mic.toml` in the folder of `models.toml`, if it is there.
fn usual_file() -> Option<PathBuf> {
    let path = interpret_models::store::configuration_folder()?.join("mic.toml");
    path.is_file().then_some(path)
}

fn missing(option: &str, line: &str) -> ClientError {
    ClientError::Usage(format!(
        "{option} is missing; give it, or write `{line}` into mic.toml (docs/microphone.md)"
    ))
}

fn wrong(error: &figment::Error, path: Option<&Path>) -> ClientError {
    let place = path.map_or_else(String::new, |path| format!("{}: ", path.display()));
    ClientError::Usage(format!("{place}{error}"))
}

fn is_false(value: &bool) -> bool {
    !value
}
