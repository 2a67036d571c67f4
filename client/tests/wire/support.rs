//! A real gRPC server on a real port that answers with what a test has written down, so that the
//! client is tested against the wire, also where no good daemon would go.

use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
    sync::{Arc, Mutex},
    time::Duration,
};

use hound::{SampleFormat, WavSpec, WavWriter};
use interpret_proto::v1::{
    AudioEncoding, AudioFormat, CallRequest, CallResponse, EndReason, Gender, GetCapacityRequest,
    GetCapacityResponse, InterpretRequest, InterpretResponse, LanguagePair, ListLanguagesRequest,
    ListLanguagesResponse, ListVoicesRequest, ListVoicesResponse, ListenRequest, SessionEnded,
    SessionStarted, SourceText, StageReport, Target, TranslatedAudio, TranslatedText, Voice,
    interpret_request::Request,
    interpret_response::Response as Event,
    interpreter_server::{Interpreter, InterpreterServer},
};
use tokio::{net::TcpListener, runtime::Runtime, sync::mpsc};
use tokio_stream::wrappers::{ReceiverStream, TcpListenerStream};
use tonic::{Request as Call, Response, Status, Streaming};

/// One thing the server does in an Interpret call.
#[derive(Clone)]
pub enum Step {
    /// Sends an event.
    Send(Event),
    /// Waits until this many audio chunks have come in all.
    AwaitAudio(usize),
    /// Waits until the client half-closes.
    AwaitEnd,
    /// Ends the call with an error.
    Fail(Status),
    /// Is gone, connection and all.
    Vanish,
    /// Does nothing for ever.
    Hang,
}

/// What the server has received.
#[derive(Default)]
pub struct Log {
    pub requests: Vec<InterpretRequest>,
    pub half_closed: bool,
}

impl Log {
    pub fn audio(&self) -> Vec<u8> {
        self.chunks().flat_map(|(_, data)| data.to_vec()).collect()
    }

    pub fn chunks(&self) -> impl Iterator<Item = (u64, &[u8])> {
        self.requests
            .iter()
            .filter_map(|request| match &request.request {
                Some(Request::Audio(chunk)) => Some((chunk.sequence, chunk.data.as_slice())),
                _ => None,
            })
    }
}

#[derive(Clone)]
struct Scripted {
    steps: Vec<Step>,
    log: Arc<Mutex<Log>>,
    vanish: mpsc::Sender<()>,
}

/// A running server; gone when dropped.
pub struct Server {
    pub address: SocketAddr,
    pub log: Arc<Mutex<Log>>,
    runtime: Arc<Mutex<Option<Runtime>>>,
}

impl Server {
    pub fn start(steps: Vec<Step>) -> Self {
        let runtime = Runtime::new().unwrap();
        let log = Arc::new(Mutex::new(Log::default()));
        let (vanish, mut vanished) = mpsc::channel(1);
        let service = Scripted {
            steps,
            log: Arc::clone(&log),
            vanish,
        };
        // Bound without the runtime: a test may itself run in one, and must not block in it.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let listener = {
            let _inside = runtime.enter();
            TcpListener::from_std(listener).unwrap()
        };
        runtime.spawn(
            tonic::transport::Server::builder()
                .add_service(InterpreterServer::new(service))
                .serve_with_incoming(TcpListenerStream::new(listener)),
        );
        let runtime = Arc::new(Mutex::new(Some(runtime)));
        let doomed = Arc::clone(&runtime);
        std::thread::spawn(move || {
            if vanished.blocking_recv().is_some()
                && let Some(runtime) = doomed.lock().unwrap().take()
            {
                runtime.shutdown_background();
            }
        });
        Self {
            address,
            log,
            runtime,
        }
    }

    pub fn address(&self) -> String {
        self.address.to_string()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.lock().unwrap().take() {
            runtime.shutdown_background();
        }
    }
}

#[tonic::async_trait]
impl Interpreter for Scripted {
    type InterpretStream = ReceiverStream<Result<InterpretResponse, Status>>;
    type CallStream = ReceiverStream<Result<CallResponse, Status>>;
    type ListenStream = ReceiverStream<Result<InterpretResponse, Status>>;

    async fn listen(&self, _: Call<ListenRequest>) -> Result<Response<Self::ListenStream>, Status> {
        Err(Status::not_found("nobody speaks here"))
    }

    async fn interpret(
        &self,
        call: Call<Streaming<InterpretRequest>>,
    ) -> Result<Response<Self::InterpretStream>, Status> {
        let mut requests = call.into_inner();
        let config = requests.message().await?.expect("a first message");
        self.log.lock().unwrap().requests.push(config);
        if let Some(Step::Fail(status)) = self.steps.first() {
            return Err(status.clone());
        }
        let (sender, responses) = mpsc::channel(4);
        let (steps, log, vanish) = (
            self.steps.clone(),
            Arc::clone(&self.log),
            self.vanish.clone(),
        );
        tokio::spawn(async move {
            for step in steps {
                match step {
                    Step::Send(event) => {
                        if sender.send(Ok(event.into())).await.is_err() {
                            return;
                        }
                    }
                    Step::AwaitAudio(count) => {
                        while log.lock().unwrap().chunks().count() < count {
                            let Ok(Some(request)) = requests.message().await else {
                                return;
                            };
                            log.lock().unwrap().requests.push(request);
                        }
                    }
                    Step::AwaitEnd => {
                        while let Ok(Some(request)) = requests.message().await {
                            log.lock().unwrap().requests.push(request);
                        }
                        log.lock().unwrap().half_closed = true;
                    }
                    Step::Fail(status) => {
                        let _ = sender.send(Err(status)).await;
                        return;
                    }
                    Step::Vanish => {
                        // Let what was sent before go out.
                        tokio::time::sleep(Duration::from_millis(300)).await;
                        let _ = vanish.send(()).await;
                        std::future::pending::<()>().await;
                    }
                    Step::Hang => std::future::pending::<()>().await,
                }
            }
        });
        Ok(Response::new(ReceiverStream::new(responses)))
    }

    async fn call(
        &self,
        _request: Call<Streaming<CallRequest>>,
    ) -> Result<Response<Self::CallStream>, Status> {
        Err(Status::unimplemented("no script has a call"))
    }

    async fn get_capacity(
        &self,
        _request: Call<GetCapacityRequest>,
    ) -> Result<Response<GetCapacityResponse>, Status> {
        Err(Status::unimplemented("no script asks for it"))
    }

    async fn list_languages(
        &self,
        _: Call<ListLanguagesRequest>,
    ) -> Result<Response<ListLanguagesResponse>, Status> {
        let pair = |source: &str, target: &str, speech| LanguagePair {
            source: source.to_owned(),
            target: target.to_owned(),
            model: format!("opus-mt-{source}-{target}"),
            speech,
        };
        Ok(Response::new(ListLanguagesResponse {
            pairs: vec![pair("fr", "en", true), pair("en", "xh", false)],
        }))
    }

    async fn list_voices(
        &self,
        call: Call<ListVoicesRequest>,
    ) -> Result<Response<ListVoicesResponse>, Status> {
        let language = call.into_inner().language;
        let voice = |name: &str, of: &str, gender: Gender, is_default| Voice {
            name: name.to_owned(),
            language: of.to_owned(),
            region: "US".to_owned(),
            gender: gender.into(),
            is_default,
        };
        let mut voices = vec![
            voice("af_heart", "en", Gender::Female, true),
            voice("ff_siwis", "fr", Gender::Female, true),
        ];
        voices.retain(|voice| language.is_empty() || voice.language == language);
        Ok(Response::new(ListVoicesResponse { voices }))
    }
}

pub fn started(languages: &[&str]) -> Step {
    let targets = languages.iter().map(|language| Target {
        language: (*language).to_owned(),
        voice: "some_voice".to_owned(),
        audio_format: Some(AudioFormat {
            encoding: AudioEncoding::Linear16.into(),
            sample_rate_hz: 8_000,
            channels: 1,
        }),
        ..Target::default()
    });
    Step::Send(Event::SessionStarted(SessionStarted {
        session_id: "s1".to_owned(),
        targets: targets.collect(),
        ..SessionStarted::default()
    }))
}

pub fn heard(committed: &str) -> Step {
    Step::Send(Event::SourceText(SourceText {
        utterance_id: 1,
        language: "fr".to_owned(),
        committed: committed.to_owned(),
        ..SourceText::default()
    }))
}

pub fn translated(language: &str, id: u64, source: &str, text: &str) -> Step {
    Step::Send(Event::TranslatedText(TranslatedText {
        language: language.to_owned(),
        committed: text.to_owned(),
        source_text: source.to_owned(),
        sentence_id: id,
        source_start_ms: id * 100,
        source_end_ms: id * 100 + 100,
        sentence_complete: true,
        ..TranslatedText::default()
    }))
}

/// A clause of 100 ms whose samples are all `value`.
pub fn spoken(language: &str, sequence: u64, text: &str, value: i16) -> Step {
    Step::Send(Event::TranslatedAudio(TranslatedAudio {
        language: language.to_owned(),
        sequence,
        data: value.to_le_bytes().repeat(800),
        text: text.to_owned(),
        sentence_id: 1,
        source_end_ms: 200,
        clause_complete: true,
        ..TranslatedAudio::default()
    }))
}

pub fn ended(reason: EndReason) -> Step {
    Step::Send(Event::SessionEnded(SessionEnded {
        source_ms: 500,
        stages: vec![StageReport {
            stage: "recognise".to_owned(),
            calls: 2,
            busy_ms: 100,
            waited_ms: 0,
        }],
        reason: reason.into(),
        ..SessionEnded::default()
    }))
}

/// A session as it should be.
pub fn good_session() -> Vec<Step> {
    vec![
        started(&["en"]),
        Step::AwaitAudio(2),
        heard(" Bonjour <tous>."),
        translated("en", 1, "Bonjour <tous>.", " Hello <all>."),
        spoken("en", 0, "Hello all.", 1000),
        Step::AwaitEnd,
        heard(" Fin."),
        translated("en", 2, "Fin.", " End."),
        spoken("en", 1, "End.", 2000),
        ended(EndReason::Finished),
    ]
}

/// A WAV file of `ms` milliseconds: a ramp, 16 kHz mono.
pub fn write_wav(path: &Path, ms: u32) -> PathBuf {
    let spec = WavSpec {
        channels: 1,
        sample_rate: 16_000,
        bits_per_sample: 16,
        sample_format: SampleFormat::Int,
    };
    let mut writer = WavWriter::create(path, spec).unwrap();
    for n in 0..ms * 16 {
        writer.write_sample((n % 10_000) as i16).unwrap();
    }
    writer.finalize().unwrap();
    path.to_path_buf()
}

/// The client program, ready for arguments.
pub fn interpret() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_interpret"));
    command
        .env_remove("INTERPRET_SERVER")
        .env_remove("INTERPRET_LOG")
        .stdin(Stdio::null());
    command
}

/// Arguments that have `input` interpreted from French to English by `server`, as fast as it can be sent.
pub fn arguments<'a>(input: &'a Path, server: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let input = input.to_str().unwrap();
    let mut arguments = vec!["file", input, "--from", "fr", "--to", "en", "--fast"];
    arguments.extend(["--server", server]);
    arguments.extend(more);
    arguments
}

/// Audio, captions and events in a folder.
pub fn outputs(folder: &Path) -> [PathBuf; 3] {
    ["o.wav", "o.vtt", "o.jsonl"].map(|name| folder.join(name))
}

/// Arguments that have them written.
pub fn written_to([wav, vtt, jsonl]: &[PathBuf; 3]) -> [&str; 6] {
    let [wav, vtt, jsonl] = [wav, vtt, jsonl].map(|path| path.to_str().unwrap());
    ["-o", wav, "--captions", vtt, "--events", jsonl]
}

/// Runs it with arguments.
pub fn run(arguments: &[&str]) -> Output {
    interpret().args(arguments).output().unwrap()
}

/// Checks the exit code, and shows what the program said where it is another.
pub fn assert_exit(output: &Output, code: i32) -> String {
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(
        output.status.code(),
        Some(code),
        "stdout: {}\nstderr: {stderr}",
        String::from_utf8_lossy(&output.stdout)
    );
    stderr
}
