use std::sync::Arc;

use proptest::prelude::*;
use tokio_stream::wrappers::ReceiverStream;

use super::*;

const PATIENCE: Duration = Duration::from_secs(5);

fn said(n: u64) -> InterpretResponse {
    InterpretResponse::from(Response::SourceText(v1::SourceText {
        committed: n.to_string(),
        ..v1::SourceText::default()
    }))
}

fn audio(sequence: u64) -> InterpretRequest {
    InterpretRequest {
        request: Some(Request::Audio(v1::AudioChunk {
            sequence,
            data: vec![0],
        })),
    }
}

fn acknowledge(last_response: u64) -> InterpretRequest {
    let control = Control::Acknowledge(v1::Acknowledge { last_response });
    InterpretRequest {
        request: Some(Request::Control(v1::Control {
            control: Some(control),
        })),
    }
}

/// What one connection is like: chunks it carries and responses it delivers before it is cut, and
/// whether the client acknowledges.
#[derive(Debug, Clone)]
struct Cut {
    up: usize,
    down: usize,
    acknowledges: bool,
}

fn cuts() -> impl Strategy<Value = Vec<Cut>> {
    let cut = (0..12_usize, 0..12_usize, any::<bool>());
    let cut = cut.prop_map(|(up, down, acknowledges)| Cut {
        up,
        down,
        acknowledges,
    });
    prop::collection::vec(cut, 0..8)
}

/// A client that sends `chunks` and receives until the end, over connections that are cut.
async fn client(link: Arc<Link>, chunks: u64, cuts: Vec<Cut>) -> Vec<String> {
    let (mut received, mut last) = (Vec::new(), 0);
    let mut cuts = cuts.into_iter();
    loop {
        let cut = cuts.next();
        let attached = link.attach(last).unwrap();
        let (up, requests) = mpsc::channel(1);
        let (responses, mut down) = mpsc::channel(1);
        let telling = tokio::spawn({
            let link = Arc::clone(&link);
            async move {
                let requests = ReceiverStream::new(requests);
                let hearing = async {
                    link.hear(attached.connection, requests, &responses).await;
                    std::future::pending::<()>().await;
                };
                tokio::select! {
                    () = hearing => {}
                    () = link.tell(attached.connection, &responses, PATIENCE) => {}
                }
            }
        });
        let most_up = cut.as_ref().map_or(usize::MAX, |cut| cut.up);
        let lasting = cut.is_none();
        // Only as long as the connection lasts.
        let acknowledges = cut.as_ref().is_none_or(|cut| cut.acknowledges);
        let acknowledging = up.downgrade();
        let sending = tokio::spawn(async move {
            for sequence in (attached.next_audio_sequence..chunks).take(most_up) {
                if up.send(Ok(audio(sequence))).await.is_err() {
                    return;
                }
            }
            if !lasting {
                // Lost, not closed.
                let _ = up.send(Err(Status::unavailable("cut"))).await;
            }
        });
        let most_down = cut.as_ref().map_or(usize::MAX, |cut| cut.down);
        let mut ended = false;
        let mut came = 0;
        while came < most_down {
            let within = if lasting {
                PATIENCE
            } else {
                Duration::from_millis(20)
            };
            let Ok(next) = tokio::time::timeout(within, down.recv()).await else {
                break;
            };
            let Some(Ok(response)) = next else {
                ended = true;
                break;
            };
            let Some(Response::SourceText(text)) = response.response else {
                continue;
            };
            assert_eq!(response.number, last + 1);
            last = response.number;
            received.push(text.committed);
            came += 1;
            if acknowledges && let Some(up) = acknowledging.upgrade() {
                // Fails where something else is under way: the next one tells this, too.
                let _ = up.try_send(Ok(acknowledge(last)));
            }
        }
        drop(down);
        sending.abort();
        let _ = telling.await;
        if lasting && ended {
            return received;
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Whenever connections are cut, nothing comes twice, nothing is lost, and order is kept, both ways.
    #[test]
    fn cuts_lose_nothing_and_repeat_nothing(
        chunks in 0..40_u64,
        responses in 1..40_u64,
        cuts in cuts(),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .start_paused(true)
            .build()
            .unwrap();
        let (heard, received) = runtime.block_on(async move {
            let (link, mut requests) = Link::new();
            let link = Arc::new(link);
            let session = tokio::spawn({
                let link = Arc::clone(&link);
                async move {
                    let mut heard = Vec::new();
                    let mut told = 0;
                    while let Some(request) = requests.recv().await {
                        let Some(Request::Audio(chunk)) = request.request else {
                            panic!("{request:?}");
                        };
                        heard.push(chunk.sequence);
                        if told < responses {
                            told += 1;
                            link.send(said(told), PATIENCE).await.unwrap();
                        }
                    }
                    while told < responses {
                        told += 1;
                        link.send(said(told), PATIENCE).await.unwrap();
                    }
                    link.end(Ok(()));
                    heard
                }
            });
            let received = client(Arc::clone(&link), chunks, cuts).await;
            (session.await.unwrap(), received)
        });
        prop_assert_eq!(heard, (0..chunks).collect::<Vec<_>>());
        let expected: Vec<String> = (1..=responses).map(|n| n.to_string()).collect();
        prop_assert_eq!(received, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn a_client_that_stays_away_is_given_up() {
    let (link, _requests) = Link::new();
    let attached = link.attach(0).unwrap();
    let begun = Instant::now();
    tokio::time::sleep(Duration::from_secs(100)).await;
    link.lose(attached.connection);
    link.abandoned().await;
    assert_eq!(begun.elapsed(), Duration::from_secs(100) + GRACE);
}

#[tokio::test(start_paused = true)]
async fn a_stream_that_is_reset_is_not_the_end_of_speech() {
    let (link, mut requests) = Link::new();
    let attached = link.attach(0).unwrap();
    let (responses, down) = mpsc::channel(1);
    drop(down);
    let closed = ReceiverStream::new(mpsc::channel(1).1);
    link.hear(attached.connection, closed, &responses).await;
    assert!(link.state().lost.is_some() && link.state().input.is_some());
    // One that is closed is.
    let attached = link.attach(0).unwrap();
    let (responses, _down) = mpsc::channel(1);
    let closed = ReceiverStream::new(mpsc::channel(1).1);
    link.hear(attached.connection, closed, &responses).await;
    assert!(requests.recv().await.is_none());
}

#[tokio::test(start_paused = true)]
async fn acknowledged_responses_are_gone_and_cannot_be_asked_for() {
    let (link, _requests) = Link::new();
    for n in 1..=3 {
        link.send(said(n), PATIENCE).await.unwrap();
    }
    assert!(matches!(link.attach(4), Err(Refusal::BadConfig(_))));
    link.attach(2).unwrap();
    assert!(matches!(link.attach(1), Err(Refusal::NoSession(_))));
    assert!(link.attach(3).is_ok());
    assert_eq!(link.state().bytes, 0);
}

#[tokio::test(start_paused = true)]
async fn what_is_kept_is_bounded() {
    let large = || {
        InterpretResponse::from(Response::TranslatedAudio(v1::TranslatedAudio {
            data: vec![0; 1 << 20],
            ..v1::TranslatedAudio::default()
        }))
    };
    let (link, _requests) = Link::new();
    let mut told = 0;
    while link.send(large(), PATIENCE).await.is_ok() {
        told += 1;
        assert!(told < 100);
    }
    assert!(link.state().bytes <= MOST_BYTES);
    assert!(told > 2);
}
