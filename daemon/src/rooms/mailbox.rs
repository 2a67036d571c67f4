//! What waits for one listener.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use interpret_proto::v1::InterpretResponse;
use tokio::sync::Notify;

/// Most audio that waits for a listener; beyond, the oldest is lost.
const MOST_AUDIO_MS: u64 = 10_000;
/// Most messages that wait. Text is never dropped: who leaves so much of it unread is gone.
const MOST_MESSAGES: usize = 20_000;

/// A queue that never makes its writer wait.
#[derive(Debug, Default)]
pub(crate) struct Mailbox {
    state: Mutex<State>,
    news: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// Messages, each with the audio it holds in milliseconds.
    waiting: VecDeque<(u64, Arc<InterpretResponse>)>,
    audio_ms: u64,
    /// Audio lost and not told yet.
    lost_ms: u64,
    closed: bool,
}

/// What a listener finds.
#[derive(Debug, Clone)]
pub(crate) enum Mail {
    /// A message.
    Message(Arc<InterpretResponse>),
    /// So many milliseconds of audio were dropped here, because too much waited.
    Lost(u64),
}

impl Mailbox {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message that holds `audio_ms` of audio. Returns the audio that was dropped for it.
    pub(crate) fn put(&self, message: &Arc<InterpretResponse>, audio_ms: u64) -> u64 {
        let mut state = self.state();
        if state.closed {
            return 0;
        }
        state.waiting.push_back((audio_ms, Arc::clone(message)));
        state.audio_ms += audio_ms;
        let mut dropped = 0;
        while state.audio_ms > MOST_AUDIO_MS
            && let Some(oldest) = state.waiting.iter().position(|(audio_ms, _)| *audio_ms > 0)
            && let Some((audio_ms, _)) = state.waiting.remove(oldest)
        {
            state.audio_ms -= audio_ms;
            dropped += audio_ms;
        }
        state.lost_ms += dropped;
        if state.waiting.len() > MOST_MESSAGES {
            state.waiting.clear();
            state.closed = true;
        }
        drop(state);
        self.news.notify_one();
        dropped
    }

    /// No message comes any more; those that wait are still given.
    pub(crate) fn close(&self) {
        self.state().closed = true;
        self.news.notify_one();
    }

    /// The next mail; none when the mailbox is closed and empty. One reader only.
    pub(crate) async fn take(&self) -> Option<Mail> {
        loop {
            {
                let mut state = self.state();
                if state.lost_ms > 0 {
                    return Some(Mail::Lost(std::mem::take(&mut state.lost_ms)));
                }
                if let Some((audio_ms, message)) = state.waiting.pop_front() {
                    state.audio_ms -= audio_ms;
                    return Some(Mail::Message(message));
                }
                if state.closed {
                    return None;
                }
            }
            self.news.notified().await;
        }
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::{Heartbeat, interpret_response::Response};

    use super::*;

    fn message(source_ms: u64) -> Arc<InterpretResponse> {
        let heartbeat = Heartbeat {
            source_ms,
            next_audio_sequence: 0,
        };
        Arc::new(InterpretResponse::from(Response::Heartbeat(heartbeat)))
    }

    async fn all(mailbox: &Mailbox) -> (Vec<u64>, u64) {
        let (mut numbers, mut lost) = (Vec::new(), 0);
        while let Some(mail) = mailbox.take().await {
            match mail {
                Mail::Lost(ms) => lost += ms,
                Mail::Message(message) => match &message.response {
                    Some(Response::Heartbeat(heartbeat)) => numbers.push(heartbeat.source_ms),
                    other => panic!("{other:?}"),
                },
            }
        }
        (numbers, lost)
    }

    #[tokio::test]
    async fn a_slow_listener_loses_the_oldest_audio_and_no_text() {
        let mailbox = Mailbox::default();
        for number in 0..200 {
            let audio_ms = if number % 2 == 0 { 1_000 } else { 0 };
            mailbox.put(&message(number), audio_ms);
        }
        mailbox.close();
        let (numbers, lost) = all(&mailbox).await;
        assert_eq!(lost, 90_000);
        let texts = numbers.iter().filter(|number| *number % 2 == 1).count();
        assert_eq!(texts, 100);
        let audio: Vec<u64> = numbers.into_iter().filter(|n| n % 2 == 0).collect();
        assert_eq!(audio, (90..100).map(|n| n * 2).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn who_reads_nothing_at_all_is_let_go() {
        let mailbox = Mailbox::default();
        for number in 0..=MOST_MESSAGES as u64 {
            mailbox.put(&message(number), 0);
        }
        assert!(mailbox.take().await.is_none());
    }
}
