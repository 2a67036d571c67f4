//! A session's link under a client that comes and goes: nothing comes twice, nothing is lost, both ways.
//! And under one that lies about what it has received: no panic, and no session that hangs.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use interpret_proto::v1::{
    self, InterpretRequest, InterpretResponse, control::Control, interpret_request::Request,
    interpret_response::Response,
};
use interpretd::session::fuzzing::LooseLink;
use tokio::{sync::mpsc, task::JoinHandle, time::timeout};
use tonic::Status;

use crate::{Input, block_on};

/// Longer than anything takes that happens at all, of a clock that jumps.
const SOON: Duration = Duration::from_millis(10);
/// The same, at the end of the stream.
const PATIENCE: Duration = Duration::from_secs(5);
/// Most steps of one run.
const MOST: usize = 100;

#[derive(Debug)]
enum Step {
    Say(u8),
    Heartbeat,
    Connect,
    Cut,
    Reset,
    Send(u8),
    Receive(u8),
    Acknowledge,
    Wait(u16),
    // The rest only from a client that lies.
    ConnectAt(u64),
    AcknowledgeAll(u64),
    SendNumber(u64),
    SendNothing,
}

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let honest = input.byte() & 1 == 1;
    let mut steps = Vec::new();
    while !input.is_empty() && steps.len() < MOST {
        steps.push(step(&mut input));
    }
    block_on(run(honest, steps));
}

fn step(input: &mut Input<'_>) -> Step {
    match input.byte() % 13 {
        0 => Step::Say(input.byte()),
        1 => Step::Heartbeat,
        2 => Step::Connect,
        3 => Step::Cut,
        4 => Step::Reset,
        5 => Step::Send(input.byte()),
        6 => Step::Receive(input.byte()),
        7 => Step::Acknowledge,
        8 => Step::Wait(u16::from(input.byte()) * 256),
        9 => Step::ConnectAt(input.number()),
        10 => Step::AcknowledgeAll(input.number()),
        11 => Step::SendNumber(input.number()),
        _ => Step::SendNothing,
    }
}

/// First inputs: an honest client that is cut, one that is reset, one that stays away, and one that lies.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    const SAY: u8 = 0;
    const BEAT: u8 = 1;
    const CONNECT: u8 = 2;
    const CUT: u8 = 3;
    const RESET: u8 = 4;
    const SEND: u8 = 5;
    const RECEIVE: u8 = 6;
    const ACKNOWLEDGE: u8 = 7;
    const WAIT: u8 = 8;
    const LIE: [u8; 3] = [9, 10, 11];
    let cut = [
        &[1][..],
        &[CONNECT, SEND, 3, SAY, 4, RECEIVE, 2, CUT, SAY, 3, CONNECT],
        &[RECEIVE, 9, ACKNOWLEDGE, SEND, 2, BEAT, SAY, 2, RECEIVE, 1],
    ];
    let reset = [
        &[1][..],
        &[
            SAY, 5, CONNECT, RECEIVE, 3, SEND, 4, RESET, WAIT, 8, SAY, 15,
        ],
        &[
            CONNECT,
            CONNECT,
            SEND,
            1,
            RECEIVE,
            15,
            ACKNOWLEDGE,
            CUT,
            SAY,
            1,
        ],
    ];
    let away = [&[
        1, CONNECT, SEND, 1, CUT, WAIT, 100, WAIT, 100, SAY, 2, CONNECT, SEND, 5,
    ][..]];
    let lies = [
        &[0][..],
        &[
            SAY, 6, CONNECT, RECEIVE, 2, LIE[1], 4, LIE[1], 200, SEND, 2, CUT, LIE[0], 3,
        ],
        &[
            LIE[2], 7, LIE[2], 0, 12, SAY, 9, LIE[0], 250, 1, 2, 3, 4, 5, 6, 7, 8, RECEIVE, 15,
        ],
    ];
    vec![cut.concat(), reset.concat(), away.concat(), lies.concat()]
}

/// One connection, from its client's side.
struct Connection {
    up: mpsc::Sender<Result<InterpretRequest, Status>>,
    down: mpsc::Receiver<Result<InterpretResponse, Status>>,
}

struct Client {
    link: LooseLink,
    connection: Option<Connection>,
    honest: bool,
    /// Number of the next chunk of audio.
    next: u64,
    /// Number of the last response.
    last: u64,
    received: Vec<String>,
    /// What serves its connections, so far.
    serving: Vec<JoinHandle<()>>,
}

impl Client {
    fn connect(&mut self, last: u64) {
        let attached = self.link.attach(last);
        assert!(attached.is_ok() || !self.honest, "{attached:?}");
        let Ok((number, next)) = attached else { return };
        self.next = next;
        self.last = last;
        let (up, requests) = mpsc::channel(1);
        let (responses, down) = mpsc::channel(1);
        let serving = self.link.clone().serve(number, requests, responses);
        self.serving.push(tokio::spawn(serving));
        // The connection before, if it is still there, goes with this.
        self.connection = Some(Connection { up, down });
    }

    /// Whether the connection took it.
    async fn send(&mut self, request: Request) -> bool {
        let Some(connection) = &self.connection else {
            return false;
        };
        let request = InterpretRequest {
            request: Some(request),
        };
        matches!(
            timeout(SOON, connection.up.send(Ok(request))).await,
            Ok(Ok(()))
        )
    }

    async fn audio(&mut self, sequence: u64) -> bool {
        let data = vec![0];
        self.send(Request::Audio(v1::AudioChunk { sequence, data }))
            .await
    }

    async fn acknowledge(&mut self, last_response: u64) {
        let control = Some(Control::Acknowledge(v1::Acknowledge { last_response }));
        self.send(Request::Control(v1::Control { control })).await;
    }

    /// The next response; false: none came, or the stream has ended.
    async fn receive(&mut self, within: Duration) -> bool {
        let Some(connection) = &mut self.connection else {
            return false;
        };
        let Ok(Some(Ok(response))) = timeout(within, connection.down.recv()).await else {
            return false;
        };
        if let Some(Response::SourceText(text)) = response.response {
            assert_eq!(response.number, self.last + 1, "responses are in order");
            self.last = response.number;
            self.received.push(text.committed);
        }
        true
    }

    async fn cut(&mut self) {
        if let Some(connection) = self.connection.take() {
            let lost = Err(Status::unavailable("cut"));
            let _ = timeout(SOON, connection.up.send(lost)).await;
        }
    }
}

async fn run(honest: bool, steps: Vec<Step>) {
    let (link, mut requests) = LooseLink::new();
    let heard = Arc::new(Mutex::new(Vec::new()));
    let mut hearing = tokio::spawn({
        let heard = Arc::clone(&heard);
        async move {
            while let Some(request) = requests.recv().await {
                if let Some(Request::Audio(chunk)) = request.request {
                    heard.lock().expect("no panic").push(chunk.sequence);
                }
            }
        }
    });
    let mut said = 0;
    let mut client = Client {
        link: link.clone(),
        connection: None,
        honest,
        next: 0,
        last: 0,
        received: Vec::new(),
        serving: Vec::new(),
    };
    for step in steps.into_iter().take(MOST) {
        match step {
            Step::Say(count) => {
                for _ in 0..count % 16 {
                    said += 1;
                    assert!(say(&link, said).await, "there is room");
                }
            }
            Step::Heartbeat => {
                let heartbeat = Response::Heartbeat(v1::Heartbeat::default());
                assert!(link.say(heartbeat.into()).await);
            }
            Step::Connect => client.connect(client.last),
            Step::Cut => client.cut().await,
            Step::Reset => client.connection = None,
            Step::Send(count) => {
                for _ in 0..count % 16 {
                    if client.audio(client.next).await {
                        // One that lies may have said the last number that there is.
                        client.next = client.next.saturating_add(1);
                    }
                }
            }
            Step::Receive(count) => {
                for _ in 0..count % 16 {
                    if !client.receive(SOON).await {
                        break;
                    }
                }
            }
            Step::Acknowledge => client.acknowledge(client.last).await,
            Step::Wait(ms) => tokio::time::sleep(Duration::from_millis(ms.into())).await,
            _ if honest => {}
            Step::ConnectAt(last) => client.connect(last),
            Step::AcknowledgeAll(last) => client.acknowledge(last).await,
            Step::SendNumber(number) => {
                client.audio(number).await;
            }
            Step::SendNothing => {
                let nothing = Request::Control(v1::Control { control: None });
                client.send(nothing).await;
            }
        }
    }
    // The client comes back, sends what is left, and closes its stream; the session says its last.
    client.connect(client.last);
    if honest {
        let end = client.next + 3;
        while client.next < end {
            assert!(client.audio(client.next).await, "the session hears");
            client.next += 1;
        }
        let Some(connection) = client.connection.as_mut() else {
            return;
        };
        let (closed, _) = mpsc::channel(1);
        connection.up = closed;
        (&mut hearing).await.expect("no panic");
        said += 1;
        assert!(say(&link, said).await);
        link.end();
        while client.receive(PATIENCE).await {}
        let expected: Vec<String> = (1..=said).map(|number| number.to_string()).collect();
        assert_eq!(client.received, expected, "what was said");
        let heard = heard.lock().expect("no panic").clone();
        assert_eq!(heard, (0..client.next).collect::<Vec<_>>(), "what was sent");
    } else {
        link.end();
        while client.receive(SOON).await {}
    }
    // A task that still waits is none that has panicked.
    client.connection = None;
    for task in client.serving {
        if let Ok(ended) = timeout(PATIENCE, task).await {
            ended.expect("no panic");
        }
    }
    if !honest && let Ok(ended) = timeout(PATIENCE, hearing).await {
        ended.expect("no panic");
    }
}

async fn say(link: &LooseLink, number: u64) -> bool {
    let text = v1::SourceText {
        committed: number.to_string(),
        ..v1::SourceText::default()
    };
    link.say(Response::SourceText(text).into()).await
}
