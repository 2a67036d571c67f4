//! Audio on its way to the daemon.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt as _, stream::BoxStream};
use interpret_proto::v1::{AudioChunk, InterpretRequest, interpret_request::Request};
use interpretd::audio::{ChunkEncoder, FormatError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::audio::{AudioError, Pacer};

/// After the end is asked for, the piece on its way may take so long to be sent.
const LAST_PIECE_WITHIN: Duration = Duration::from_millis(250);
/// Most samples in one request: 100 ms. Longer pieces are split.
const MOST_SAMPLES: usize = 1600;
/// Length of the packets of a codec: what waits for a packet to fill is late.
pub(super) const PACKET_MS: u32 = 20;
/// Longest chunk of samples; what comes in shorter pieces is sent as it comes.
pub(super) const CHUNK_MS: u32 = 100;

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
pub(super) async fn send_audio(
    mut audio: BoxStream<'static, Result<Vec<f32>, AudioError>>,
    mut pacer: Pacer,
    mut encoder: ChunkEncoder,
    requests: mpsc::Sender<InterpretRequest>,
    finish: CancellationToken,
    progress: Arc<AtomicU64>,
) -> Sent {
    let mut sent = Sent::default();
    let sending = async {
        let mut sequence = 0;
        let mut finished = false;
        while !finished {
            let piece = tokio::select! {
                biased;
                // Between pieces: what was taken is sent.
                () = finish.cancelled() => break,
                piece = audio.next() => piece,
            };
            let piece = match piece {
                Some(Ok(piece)) => piece,
                Some(Err(error)) => {
                    sent.error = Some(error);
                    return;
                }
                None => {
                    finished = true;
                    continue;
                }
            };
            for samples in piece.chunks(MOST_SAMPLES) {
                pacer.wait_for(samples.len()).await;
                let chunks = encoded(encoder.push(samples));
                if send(&requests, chunks, &mut sequence).await.is_none() {
                    return;
                }
                sent.samples += samples.len() as u64;
                progress.store(sent.samples, Ordering::Relaxed);
            }
        }
        let rest = encoded(encoder.flush());
        if send(&requests, rest, &mut sequence).await.is_some() {
            sent.whole = finished;
        }
    };
    tokio::select! {
        biased;
        () = sending => {}
        () = async {
            finish.cancelled().await;
            tokio::time::sleep(LAST_PIECE_WITHIN).await;
        } => {}
    }
    sent
}

/// A codec that fails on a piece loses that piece; the sound goes on.
fn encoded<C: Default>(chunks: Result<C, FormatError>) -> C {
    chunks.unwrap_or_else(|error| {
        tracing::warn!(%error, "a piece of sound is not sent");
        C::default()
    })
}

/// None: the connection takes no more.
async fn send(
    requests: &mpsc::Sender<InterpretRequest>,
    chunks: impl IntoIterator<Item = Vec<u8>>,
    sequence: &mut u64,
) -> Option<()> {
    for data in chunks {
        let chunk = AudioChunk {
            sequence: *sequence,
            data,
        };
        let request = InterpretRequest {
            request: Some(Request::Audio(chunk)),
        };
        if requests.send(request).await.is_err() {
            tracing::debug!("the connection takes no more audio");
            return None;
        }
        *sequence += 1;
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use futures_util::stream;

    use super::*;
    use crate::audio::Pace;

    fn floats() -> ChunkEncoder {
        let format = interpretd::audio::Format {
            encoding: interpretd::audio::Encoding::F32,
            sample_rate_hz: 16_000,
            channels: 1,
        };
        ChunkEncoder::new(format, 100).unwrap()
    }

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
            audio.boxed(),
            pacer,
            floats(),
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
            audio.boxed(),
            pacer,
            floats(),
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
