//! What a session sends, over one connection after another.
//!
//! Audio is kept until the daemon says that it was heard. When a connection is replaced, what was not
//! heard is sent again; while there is none, none is taken: it waits where it comes from, and if the session
//! cannot go on, the next one has it.

use std::collections::VecDeque;

use interpret_proto::v1::{InterpretRequest, control::Control, interpret_request::Request};
use tokio::sync::mpsc;

/// Most requests that are kept: a minute of 20 ms each, which is longer than a daemon waits.
const KEPT: usize = 3_000;

/// News of the connection.
#[derive(Debug)]
pub(super) enum News {
    /// There is a new one; audio goes on with this chunk.
    Connected(mpsc::Sender<InterpretRequest>, u64),
    /// Chunks before this one were heard.
    Heard(u64),
    /// There is none.
    Lost,
}

/// Passes on what comes from `queue` until it ends, over the connections that `news` tells of. With
/// `keep`, there may be more than one.
pub(super) async fn run(
    mut queue: mpsc::Receiver<InterpretRequest>,
    mut news: mpsc::Receiver<News>,
    keep: bool,
) {
    let mut uplink = Uplink {
        keep,
        ..Uplink::default()
    };
    loop {
        tokio::select! {
            biased;
            told = news.recv() => match told {
                Some(News::Connected(out, from)) => uplink.connected(out, from).await,
                Some(News::Heard(before)) => uplink.heard(before),
                Some(News::Lost) => uplink.out = None,
                // The session is gone.
                None => return,
            },
            request = queue.recv(), if uplink.takes() => match request {
                Some(request) => {
                    uplink.send(request).await;
                    if !uplink.keep && uplink.out.is_none() {
                        // Dropping the queue tells whoever fills it.
                        return;
                    }
                }
                None => {
                    // Half-closes the stream; a later connection is half-closed when all is sent again.
                    uplink.ended = true;
                    uplink.out = None;
                }
            },
        }
    }
}

#[derive(Debug, Default)]
struct Uplink {
    /// Whether what was sent may have to be sent again.
    keep: bool,
    /// None: there is no connection, or its stream is closed.
    out: Option<mpsc::Sender<InterpretRequest>>,
    /// Chunks, and what was asked between them, that may not have been heard.
    kept: VecDeque<InterpretRequest>,
    /// All was said.
    ended: bool,
}

impl Uplink {
    async fn connected(&mut self, out: mpsc::Sender<InterpretRequest>, from: u64) {
        self.heard(from);
        for request in &self.kept {
            if out.send(request.clone()).await.is_err() {
                return;
            }
        }
        self.out = (!self.ended).then_some(out);
    }

    /// Whether there is a connection for one more request, and room to keep it.
    fn takes(&self) -> bool {
        self.out.is_some() && self.kept.len() < KEPT
    }

    fn heard(&mut self, before: u64) {
        // What was asked before a piece that was heard was heard, too.
        let was_heard = |request| sequence(request).is_some_and(|at| at < before);
        if let Some(last) = self.kept.iter().rposition(was_heard) {
            self.kept.drain(..=last);
        }
    }

    async fn send(&mut self, request: InterpretRequest) {
        if self.keep && !is_acknowledgement(&request) {
            self.kept.push_back(request.clone());
        }
        if let Some(out) = &self.out
            && out.send(request).await.is_err()
        {
            self.out = None;
        }
    }
}

fn is_acknowledgement(request: &InterpretRequest) -> bool {
    match &request.request {
        Some(Request::Control(asked)) => matches!(asked.control, Some(Control::Acknowledge(_))),
        _ => false,
    }
}

/// The number of a chunk of audio.
fn sequence(request: &InterpretRequest) -> Option<u64> {
    match &request.request {
        Some(Request::Audio(chunk)) => Some(chunk.sequence),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::AudioChunk;

    use super::*;

    fn chunk(sequence: u64) -> InterpretRequest {
        InterpretRequest {
            request: Some(Request::Audio(AudioChunk {
                sequence,
                data: vec![0],
            })),
        }
    }

    async fn next(out: &mut mpsc::Receiver<InterpretRequest>) -> Option<u64> {
        out.recv().await.as_ref().and_then(sequence)
    }

    #[tokio::test]
    async fn what_was_not_heard_is_sent_again_and_what_came_meanwhile_waits() {
        let (requests, queue) = mpsc::channel(1);
        let (tell, news) = mpsc::channel(1);
        tokio::spawn(run(queue, news, true));
        let (out, mut first) = mpsc::channel(8);
        tell.send(News::Connected(out, 0)).await.unwrap();
        for at in 0..5 {
            requests.send(chunk(at)).await.unwrap();
        }
        for at in 0..5 {
            assert_eq!(next(&mut first).await, Some(at));
        }
        tell.send(News::Heard(2)).await.unwrap();
        drop(first);
        tell.send(News::Lost).await.unwrap();
        // It knows when it has taken the next.
        tell.send(News::Heard(3)).await.unwrap();
        requests.send(chunk(5)).await.unwrap();
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert!(
            requests.try_send(chunk(6)).is_err(),
            "what is said without a connection is taken"
        );
        // The microphone goes on.
        let speaking = tokio::spawn(async move {
            for at in 6..100 {
                requests.send(chunk(at)).await.unwrap();
            }
        });
        let (out, mut second) = mpsc::channel(1);
        tell.send(News::Connected(out, 3)).await.unwrap();
        for at in 3..100 {
            assert_eq!(next(&mut second).await, Some(at));
        }
        speaking.await.unwrap();
        assert_eq!(next(&mut second).await, None, "half-closed");
        // The end of the stream is lost with its connection, and told again.
        let (out, mut third) = mpsc::channel(8);
        tell.send(News::Connected(out, 99)).await.unwrap();
        assert_eq!(next(&mut third).await, Some(99));
        assert_eq!(next(&mut third).await, None);
    }
}
