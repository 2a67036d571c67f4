//! One room: a floor, and those who listen.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use interpret_models::{Language, SOURCE_SAMPLE_RATE};
use interpret_proto::v1::{self, InterpretResponse, interpret_response::Response};

use super::Mailbox;
use crate::{
    admin::measure,
    audio::{Encoding, Format},
    pipeline::source_ms,
    session::Refusal,
};

/// Most committed texts that somebody who comes late is given.
const MOST_RECENT: usize = 60;

/// Who speaks in a room, and what it is interpreted into.
#[derive(Debug, Clone)]
pub(crate) struct Floor {
    pub(crate) session_id: String,
    /// Languages that may be spoken.
    pub(crate) sources: Vec<Language>,
    /// As the session serves them.
    pub(crate) targets: Vec<v1::Target>,
    pub(crate) mode: v1::Mode,
}

/// A room that a session speaks in.
#[derive(Debug)]
pub(crate) struct Room {
    floor: Floor,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    /// What is interpreted into now.
    targets: Vec<v1::Target>,
    listeners: Vec<Weak<Listener>>,
    recent: VecDeque<Arc<InterpretResponse>>,
    /// Next number of the floor's own audio.
    sequence: u64,
    /// Samples of the floor so far.
    floor_samples: u64,
}

/// Somebody who listens in one language.
#[derive(Debug)]
pub(crate) struct Listener {
    /// None: the floor, as it is spoken.
    language: Option<String>,
    captions_only: bool,
    pub(crate) mailbox: Mailbox,
    _counted: measure::Present,
}

impl Room {
    pub(super) fn new(floor: Floor) -> Self {
        Self {
            inner: Mutex::new(Inner {
                targets: floor.targets.clone(),
                ..Inner::default()
            }),
            floor,
        }
    }

    /// Says what is interpreted into from now on. Who listens in a language that is gone stays, and
    /// hears on when it comes back.
    pub(crate) fn set_targets(&self, targets: Vec<v1::Target>) {
        self.inner().targets = targets;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Lets somebody listen in `language`; empty, or a language spoken here and not interpreted into:
    /// the floor itself. They are given how the session is served and what was said lately.
    ///
    /// # Errors
    /// When nothing is said here in that language.
    pub(crate) fn join(
        &self,
        language: &str,
        captions_only: bool,
    ) -> Result<Arc<Listener>, Refusal> {
        // Held to the end: nothing said meanwhile is missed, or comes before what was said earlier.
        let mut inner = self.inner();
        let target = inner.targets.iter().find(|t| t.language == language);
        let spoken = |source: &Language| source.code() == language;
        let target = match target {
            Some(target) => Some(target.clone()),
            None if language.is_empty() || self.floor.sources.iter().any(spoken) => None,
            None => {
                let heard = inner.targets.iter().map(|t| t.language.as_str());
                return Err(Refusal::NoModel(format!(
                    "nothing is said in '{language}' in this room; there are: {}, and the floor itself \
                     with no language",
                    heard.collect::<Vec<_>>().join(", ")
                )));
            }
        };
        let listener = Arc::new(Listener {
            language: target.as_ref().map(|target| target.language.clone()),
            captions_only,
            mailbox: Mailbox::default(),
            _counted: measure::listening(),
        });
        let announced = target.unwrap_or_else(|| v1::Target {
            // The floor has whatever language is spoken.
            language: String::new(),
            audio_format: Some(v1::AudioFormat {
                encoding: v1::AudioEncoding::Linear16.into(),
                sample_rate_hz: SOURCE_SAMPLE_RATE,
                channels: 1,
            }),
            ..v1::Target::default()
        });
        let started = v1::SessionStarted {
            session_id: self.floor.session_id.clone(),
            targets: vec![v1::Target {
                captions_only: announced.captions_only || captions_only,
                ..announced
            }],
            mode: self.floor.mode.into(),
            resume_token: String::new(),
        };
        let started = InterpretResponse::from(Response::SessionStarted(started));
        listener.mailbox.put(&Arc::new(started), 0);
        for message in &inner.recent {
            if listener.wants(message) {
                listener.mailbox.put(message, 0);
            }
        }
        inner.listeners.push(Arc::downgrade(&listener));
        Ok(listener)
    }

    /// Gives a response of the session to all who want it.
    pub(crate) fn publish(&self, response: &InterpretResponse) {
        // Each listener has been told how it is served.
        if let Some(Response::SessionStarted(_)) = response.response {
            return;
        }
        let mut inner = self.inner();
        let kept = committed(response);
        // A copy of every piece of audio that nobody gets would be for nothing.
        if inner.listeners.is_empty() && !kept {
            return;
        }
        let audio_ms = inner.audio_ms(response);
        let message = Arc::new(response.clone());
        if kept {
            if inner.recent.len() == MOST_RECENT {
                inner.recent.pop_front();
            }
            inner.recent.push_back(Arc::clone(&message));
        }
        inner.give(&message, audio_ms);
    }

    /// Gives the floor's own sound (16 kHz) to those who listen to it.
    pub(crate) fn publish_floor(&self, samples: &[f32]) {
        let mut inner = self.inner();
        let begin = source_ms(inner.floor_samples);
        inner.floor_samples += samples.len() as u64;
        let end = source_ms(inner.floor_samples);
        let wanted = |listener: &Weak<Listener>| {
            let listener = listener.upgrade();
            listener.is_some_and(|l| l.language.is_none() && !l.captions_only)
        };
        if !inner.listeners.iter().any(wanted) {
            return;
        }
        let format = Format {
            encoding: Encoding::Linear16,
            sample_rate_hz: SOURCE_SAMPLE_RATE,
            channels: 1,
        };
        let audio = v1::TranslatedAudio {
            sequence: inner.sequence,
            data: format.encode(samples),
            source_start_ms: begin,
            source_end_ms: end,
            ..v1::TranslatedAudio::default()
        };
        inner.sequence += 1;
        let message = InterpretResponse::from(Response::TranslatedAudio(audio));
        // At least 1: it is audio, and may be dropped as such.
        inner.give(&Arc::new(message), (end - begin).max(1));
    }
}

impl Inner {
    /// Length of the audio that a response holds.
    fn audio_ms(&self, response: &InterpretResponse) -> u64 {
        let Some(Response::TranslatedAudio(audio)) = &response.response else {
            return 0;
        };
        let target = self.targets.iter().find(|t| t.language == audio.language);
        let Some(format) = target.and_then(|target| target.audio_format) else {
            return 0;
        };
        let bytes_a_second = match format.encoding() {
            v1::AudioEncoding::F32 => 4 * format.sample_rate_hz,
            v1::AudioEncoding::Linear16 => 2 * format.sample_rate_hz,
            // About 32 kbit a second.
            v1::AudioEncoding::Opus => 4_000,
            v1::AudioEncoding::Mulaw | v1::AudioEncoding::Alaw | v1::AudioEncoding::Unspecified => {
                format.sample_rate_hz
            }
        } * format.channels.max(1);
        // At least 1: it is audio, and may be dropped as such.
        (audio.data.len() as u64 * 1_000 / u64::from(bytes_a_second.max(1))).max(1)
    }

    fn give(&mut self, message: &Arc<InterpretResponse>, audio_ms: u64) {
        self.listeners.retain(|listener| {
            let Some(listener) = listener.upgrade() else {
                return false;
            };
            if listener.wants(message) {
                let dropped_ms = listener.mailbox.put(message, audio_ms);
                measure::listener_lost(dropped_ms);
            }
            true
        });
    }
}

impl Listener {
    fn wants(&self, message: &InterpretResponse) -> bool {
        let mine = |language: &str| self.language.as_deref() == Some(language);
        match &message.response {
            Some(Response::SourceText(_)) => self.language.is_none(),
            Some(Response::TranslatedText(text)) => mine(&text.language),
            Some(Response::TranslatedAudio(audio)) => {
                let floor = self.language.is_none() && audio.language.is_empty();
                !self.captions_only && (floor || mine(&audio.language))
            }
            Some(Response::Pace(pace)) => mine(&pace.language),
            Some(Response::Notice(notice)) => notice.language.is_empty() || mine(&notice.language),
            Some(
                Response::SessionStarted(_)
                | Response::Speech(_)
                | Response::Heartbeat(_)
                | Response::SessionEnded(_),
            ) => true,
            // Between the session's own client and the daemon.
            Some(Response::SessionChanged(_) | Response::Resumed(_)) | None => false,
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        for listener in &self.inner().listeners {
            if let Some(listener) = listener.upgrade() {
                listener.mailbox.close();
            }
        }
    }
}

/// Whether a response holds final text, which somebody who comes late should see.
fn committed(response: &InterpretResponse) -> bool {
    match &response.response {
        Some(Response::SourceText(text)) => !text.committed.is_empty(),
        Some(Response::TranslatedText(text)) => !text.committed.is_empty(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Mail, Rooms};
    use super::*;

    fn floor() -> Floor {
        let target = |language: &str| v1::Target {
            language: language.to_owned(),
            audio_format: Some(v1::AudioFormat {
                encoding: v1::AudioEncoding::Linear16.into(),
                sample_rate_hz: 24_000,
                channels: 1,
            }),
            ..v1::Target::default()
        };
        Floor {
            session_id: "s".to_owned(),
            sources: vec!["fr".parse().unwrap()],
            targets: vec![target("en"), target("pt")],
            mode: v1::Mode::Balanced,
        }
    }

    fn text(language: &str, committed: &str) -> InterpretResponse {
        InterpretResponse::from(Response::TranslatedText(v1::TranslatedText {
            language: language.to_owned(),
            committed: committed.to_owned(),
            ..v1::TranslatedText::default()
        }))
    }

    fn source(committed: &str) -> InterpretResponse {
        InterpretResponse::from(Response::SourceText(v1::SourceText {
            committed: committed.to_owned(),
            ..v1::SourceText::default()
        }))
    }

    async fn texts(listener: &Listener) -> String {
        listener.mailbox.close();
        let mut all = String::new();
        while let Some(mail) = listener.mailbox.take().await {
            let Mail::Message(message) = mail else {
                continue;
            };
            match &message.response {
                Some(Response::TranslatedText(text)) => all.push_str(&text.committed),
                Some(Response::SourceText(text)) => all.push_str(&text.committed),
                _ => {}
            }
        }
        all
    }

    #[tokio::test]
    async fn each_hears_their_language_and_who_comes_late_what_was_said_before() {
        let rooms = Rooms::default();
        let room = rooms.open("hall", floor()).unwrap();
        let english = room.join("en", false).unwrap();
        let french = room.join("fr", false).unwrap();
        for response in [
            source(" Bonjour."),
            text("en", " Hello."),
            text("pt", " Olá."),
        ] {
            room.publish(&response);
        }
        let late = room.join("pt", true).unwrap();
        room.publish(&text("pt", " Tchau."));
        assert_eq!(texts(&english).await, " Hello.");
        assert_eq!(texts(&french).await, " Bonjour.");
        assert_eq!(texts(&late).await, " Olá. Tchau.");
    }

    #[tokio::test]
    async fn a_room_ends_with_its_session_and_is_free_again() {
        let rooms = Rooms::default();
        let room = rooms.open("hall", floor()).unwrap();
        assert!(matches!(
            rooms.open("hall", floor()),
            Err(Refusal::RoomTaken(_))
        ));
        assert!(matches!(
            rooms.open("a/b", floor()),
            Err(Refusal::BadConfig(_))
        ));
        let listener = rooms.find("hall").unwrap().join("en", false).unwrap();
        assert!(matches!(room.join("de", false), Err(Refusal::NoModel(_))));
        drop(room);
        // How it is served, then nothing more.
        assert!(listener.mailbox.take().await.is_some());
        assert!(listener.mailbox.take().await.is_none());
        assert!(matches!(rooms.find("hall"), Err(Refusal::NoRoom(_))));
        assert!(rooms.open("hall", floor()).is_ok());
    }
}
