//! Audio on its way to the daemon.

use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use futures_util::{Stream, StreamExt};
use interpret_proto::v1::{AudioChunk, InterpretRequest, interpret_request::Request};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::audio::{AudioError, Pacer};

/// Most samples in one request: 100 ms. Longer pieces are split.
const MOST_SAMPLES: usize = 1600;

/// What became of the audio.
#[derive(Debug, Default)]
pub struct Sent {
    /// Samples at 16 kHz handed to the connection.
    pub samples: u64,
    /// Why the audio ended before its time: the error that its stream gave.
    pub error: Option<AudioError>,
    /// Whether all of it was sent: no error, nobody finished early, the connection held.
    pub whole: bool,
}

/// Sends `audio` until it ends, `finish` is cancelled, or the connection is gone. Dropping
/// `requests` at the end half-closes the stream.
pub(super) async fn send_audio<A>(
    audio: A,
    mut pacer: Pacer,
    requests: mpsc::Sender<InterpretRequest>,
    finish: CancellationToken,
    progress: Arc<AtomicU64>,
) -> Sent
where
    A: Stream<Item = Result<Vec<f32>, AudioError>> + Send,
{
    let mut sent = Sent::default();
    let sending = async {
        let mut audio = pin!(audio);
        let mut sequence = 0;
        while let Some(piece) = audio.next().await {
            let piece = match piece {
                Ok(piece) => piece,
                Err(error) => {
                    sent.error = Some(error);
                    return;
                }
            };
            for samples in piece.chunks(MOST_SAMPLES) {
                pacer.wait_for(samples.len()).await;
                let chunk = AudioChunk {
                    sequence,
                    data: samples.iter().flat_map(|s| s.to_le_bytes()).collect(),
                };
                let request = InterpretRequest {
                    request: Some(Request::Audio(chunk)),
                };
                if requests.send(request).await.is_err() {
                    tracing::debug!("the connection takes no more audio");
                    return;
                }
                sequence += 1;
                sent.samples += samples.len() as u64;
                progress.store(sent.samples, Ordering::Relaxed);
            }
        }
        sent.whole = true;
    };
    tokio::select! {
        biased;
        () = finish.cancelled() => {}
        () = sending => {}
    }
    sent
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use futures_util::stream;

    use super::*;
    use crate::audio::Pace;

    async fn collect(mut queue: mpsc::Receiver<InterpretRequest>) -> Vec<AudioChunk> {
        let mut chunks = Vec::new();
        while let Some(request) = queue.recv().await {
            if let Some(Request::Audio(chunk)) = request.request {
                chunks.push(chunk);
            }
        }
        chunks
    }

    #[tokio::test(start_paused = true)]
    async fn samples_arrive_unchanged_in_numbered_pieces_and_on_time() {
        let samples: Vec<f32> = (0..16_000).map(|n| n as f32 / 16_000.0).collect();
        let audio = stream::iter([Ok(samples[..5_000].to_vec()), Ok(samples[5_000..].to_vec())]);
        let (requests, queue) = mpsc::channel(2);
        let pacer = Pacer::start(Pace::RealTime);
        let start = pacer.started();
        let sending = send_audio(
            audio,
            pacer,
            requests,
            CancellationToken::new(),
            Arc::default(),
        );
        let (sent, chunks) = tokio::join!(sending, collect(queue));
        assert!(sent.whole);
        assert_eq!(start.elapsed(), Duration::from_secs(1));
        let bytes: Vec<u8> = chunks.iter().flat_map(|chunk| chunk.data.clone()).collect();
        let expected: Vec<u8> = samples.iter().flat_map(|s| s.to_le_bytes()).collect();
        assert_eq!(bytes, expected);
        for (index, chunk) in chunks.iter().enumerate() {
            assert_eq!(chunk.sequence, index as u64);
            assert!(chunk.data.len() <= MOST_SAMPLES * 4);
        }
    }

    #[tokio::test(start_paused = true)]
    async fn finishing_stops_at_once_and_half_closes_even_while_the_daemon_takes_nothing() {
        let audio = stream::repeat_with(|| Ok(vec![0.0; 640]));
        let (requests, mut queue) = mpsc::channel(1);
        let finish = CancellationToken::new();
        let pacer = Pacer::start(Pace::Fast);
        let sending = tokio::spawn(send_audio(
            audio,
            pacer,
            requests,
            finish.clone(),
            Arc::default(),
        ));
        tokio::time::sleep(Duration::from_secs(1)).await;
        finish.cancel();
        let sent = sending.await.unwrap();
        assert!(!sent.whole);
        assert!(queue.recv().await.is_some());
        assert!(queue.recv().await.is_none(), "half-closed");
    }
}
