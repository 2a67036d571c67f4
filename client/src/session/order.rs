//! The order of events that the protocol promises, checked as they come.

use std::collections::HashMap;

use super::Event;
use crate::error::ClientError;

/// What has come so far.
#[derive(Debug, Default)]
pub(super) struct Order {
    started: bool,
    ended: bool,
    /// Next audio sequence number by target language.
    next_audio: HashMap<String, u64>,
}

impl Order {
    pub(super) fn has_ended(&self) -> bool {
        self.ended
    }

    /// Takes the next event, or the end of the stream (`None`).
    pub(super) fn check(&mut self, event: Option<&Event>) -> Result<(), ClientError> {
        let broken = |what: String| Err(ClientError::Protocol(what));
        let Some(event) = event else {
            return match (self.started, self.ended) {
                (_, true) => Ok(()),
                (true, false) => broken("the stream closed without SessionEnded".to_owned()),
                (false, false) => broken("the stream closed without SessionStarted".to_owned()),
            };
        };
        if self.ended {
            return broken("an event came after SessionEnded".to_owned());
        }
        match event {
            Event::SessionStarted(_) if self.started => {
                broken("SessionStarted came twice".to_owned())
            }
            Event::SessionStarted(_) => {
                self.started = true;
                Ok(())
            }
            _ if !self.started => broken("an event came before SessionStarted".to_owned()),
            Event::TranslatedAudio(audio) => {
                let next = self.next_audio.entry(audio.language.clone()).or_default();
                if audio.sequence != *next {
                    return broken(format!(
                        "{} audio number {} came where {next} was due",
                        audio.language, audio.sequence
                    ));
                }
                *next += 1;
                Ok(())
            }
            Event::SessionEnded(_) => {
                self.ended = true;
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::{Heartbeat, SessionEnded, SessionStarted, TranslatedAudio};

    use super::*;

    fn audio(language: &str, sequence: u64) -> Event {
        Event::TranslatedAudio(TranslatedAudio {
            language: language.to_owned(),
            sequence,
            ..TranslatedAudio::default()
        })
    }

    fn started() -> Event {
        Event::SessionStarted(SessionStarted::default())
    }

    fn check(events: &[Event]) -> Result<(), ClientError> {
        let mut order = Order::default();
        events
            .iter()
            .try_for_each(|event| order.check(Some(event)))?;
        order.check(None)
    }

    #[test]
    fn what_the_protocol_promises_passes() {
        let ended = Event::SessionEnded(SessionEnded::default());
        check(&[
            started(),
            audio("en", 0),
            audio("pt", 0),
            audio("en", 1),
            ended,
        ])
        .unwrap();
    }

    #[test]
    fn every_breach_is_found() {
        let heartbeat = || Event::Heartbeat(Heartbeat::default());
        let ended = || Event::SessionEnded(SessionEnded::default());
        for events in [
            vec![],
            vec![heartbeat(), started(), ended()],
            vec![started(), started(), ended()],
            vec![started(), audio("en", 1), ended()],
            vec![started(), audio("en", 0), audio("en", 0), ended()],
            vec![started(), ended(), heartbeat()],
            vec![started(), heartbeat()],
        ] {
            assert!(
                matches!(check(&events), Err(ClientError::Protocol(_))),
                "{events:?}"
            );
        }
    }
}
