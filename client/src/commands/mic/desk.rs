//! The interpreter's desk: microphone, loudspeakers, keys.

use std::path::PathBuf;

use interpret_models::Language;
use interpret_proto::v1::TranslatedText;
use tokio::sync::mpsc;

use super::{
    keys::{Key, Keys},
    voices::Voices,
};
use crate::{
    device::{DeviceEvent, Microphone},
    output::{Captions, Output, with_language},
    session::{Event, Received},
    view::{DeskStatus, DeviceSummary},
};

/// Most translated pieces that `s` can save: many hours.
const MOST_KEPT: usize = 100_000;

/// Something that happened at the desk.
#[derive(Debug)]
pub(in crate::commands) enum DeskEvent {
    /// A key was pressed.
    Key(Key),
    /// Something the person should know.
    Note(String),
}

/// Everything a person at a microphone has before them.
pub(in crate::commands) struct Desk {
    microphone: Microphone,
    voices: Voices,
    devices: mpsc::Receiver<DeviceEvent>,
    keys: Option<Keys>,
    paused: bool,
    muted: bool,
    /// What was said, for captions saved by a key; in memory only.
    said: Vec<TranslatedText>,
    /// Where captions go that are saved by a key.
    captions: PathBuf,
}

impl Desk {
    pub(super) fn new(
        microphone: Microphone,
        voices: Voices,
        devices: mpsc::Receiver<DeviceEvent>,
        keys: Option<Keys>,
        captions: Option<PathBuf>,
    ) -> Self {
        Self {
            microphone,
            voices,
            devices,
            keys,
            paused: false,
            muted: false,
            said: Vec::new(),
            captions: captions.unwrap_or_else(|| PathBuf::from("captions.vtt")),
        }
    }

    /// Takes an event of the session: says it, and remembers it.
    pub(in crate::commands) fn take(&mut self, received: &Received) {
        self.voices.take(received);
        if let Event::TranslatedText(text) = &received.event
            && self.keys.is_some()
            && self.said.len() < MOST_KEPT
        {
            self.said.push(text.clone());
        }
    }

    /// The next thing that happens here. Safe to cancel.
    pub(in crate::commands) async fn next(&mut self) -> DeskEvent {
        let (keys, devices) = (&mut self.keys, &mut self.devices);
        let pressed = async {
            match keys {
                Some(keys) => keys.next().await,
                None => std::future::pending().await,
            }
        };
        let happened = async {
            match devices.recv().await {
                Some(event) => event,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            key = pressed => DeskEvent::Key(key),
            event = happened => DeskEvent::Note(event.to_string()),
        }
    }

    /// Ends what is heard here: the session ends by itself when it has got all that was said until now, which
    /// may have waited for a lost connection.
    pub(in crate::commands) fn finish(&self) {
        self.microphone.stop();
    }

    /// Does what a key asks; returns what to tell the person.
    pub(in crate::commands) fn press(&mut self, key: Key) -> Option<String> {
        match key {
            Key::Pause => {
                self.paused = !self.paused;
                self.microphone.pause(self.paused);
            }
            Key::Mute => {
                self.muted = !self.muted;
                for loudspeaker in self.voices.iter() {
                    loudspeaker.mute(self.muted);
                }
            }
            Key::Again => {
                for loudspeaker in self.voices.iter() {
                    loudspeaker.again();
                }
            }
            Key::Save => return Some(self.save()),
            Key::Mode | Key::Target | Key::Redraw | Key::Quit => {}
        }
        None
    }

    /// Writes captions of all that was said so far, one file a language.
    fn save(&self) -> String {
        let mut languages: Vec<Language> = Vec::new();
        for text in &self.said {
            if let Ok(language) = text.language.parse()
                && !languages.contains(&language)
            {
                languages.push(language);
            }
        }
        if languages.is_empty() {
            return "nothing has been translated yet".to_owned();
        }
        let mut written = Vec::new();
        for language in languages {
            // Never the name of the file that is being written: that one is renamed at the end.
            let path = with_language(&self.captions.with_extension("saved.vtt"), language);
            match self.save_as(&path, language) {
                Ok(()) => written.push(path.display().to_string()),
                Err(error) => return format!("cannot write {}: {error}", path.display()),
            }
        }
        format!("wrote {}", written.join(", "))
    }

    fn save_as(&self, path: &std::path::Path, language: Language) -> std::io::Result<()> {
        let mut captions = Captions::create(path.to_path_buf(), language)?;
        for text in &self.said {
            let event = Event::TranslatedText(text.clone());
            captions.write(&Received { at_ms: 0, event })?;
        }
        Box::new(captions).finish()
    }

    /// How it stands now.
    pub(in crate::commands) fn status(&self) -> DeskStatus {
        let health = self.microphone.health().report();
        DeskStatus {
            level_db: self.microphone.level().take_db(),
            paused: self.paused,
            muted: self.muted,
            waiting_ms: self
                .voices
                .iter()
                .map(|v| v.waiting_ms())
                .max()
                .unwrap_or(0),
            xruns: health.device_xruns
                + self
                    .voices
                    .iter()
                    .map(|voice| {
                        let health = voice.health().report();
                        health.underruns + health.device_xruns
                    })
                    .sum::<u64>(),
        }
    }

    /// Waits until everything has been said.
    pub(in crate::commands) async fn drain(&self) {
        self.voices.drain().await;
    }

    /// Closes the devices and tells how they did.
    pub(in crate::commands) fn close(self) -> DeviceSummary {
        let heard = self.microphone.health().report();
        let played: Vec<_> = self.voices.iter().map(|v| v.health().report()).collect();
        DeviceSummary {
            overrun_frames: heard.overrun_frames,
            underruns: played.iter().map(|health| health.underruns).sum(),
            device_xruns: heard.device_xruns
                + played.iter().map(|health| health.device_xruns).sum::<u64>(),
            unheard_ms: self.voices.iter().map(|voice| voice.lost_ms()).sum(),
            unsent_ms: self.microphone.lost_ms(),
        }
    }
}
