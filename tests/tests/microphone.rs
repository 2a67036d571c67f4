//! From a microphone to headphones, on a real sound server: PulseAudio with null sinks.

#![allow(
    unreachable_pub,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use std::{
    io::Read as _,
    process::Stdio,
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use interpret_proto::v1::interpret_response::Response;
use interpret_tests::{
    daemon_process::{DaemonProcess, program},
    ears,
    microphone::MicProcess,
    proxy::{TcpProxy, Weather},
    scores::word_errors,
    sound_server::{SoundServer, Tool},
    speech::{self, recording},
};

/// Time that a session may take to say what it has heard, on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// Ends it as Ctrl-C would; it must end well.
fn end_well(mic: &mut MicProcess) -> Result<()> {
    let status = mic.stop()?;
    assert!(status.success(), "{status}: {}", mic.said.join("\n"));
    Ok(())
}

/// Plays a recording to the microphone and waits until it is over.
fn say(server: &SoundServer, name: &str) -> Result<()> {
    server.play("room", &recording(name)?.path)?.wait()
}

#[test]
fn what_is_heard_in_the_headphones_is_what_was_committed() -> Result<()> {
    let server = SoundServer::start()?;
    let mut mic = MicProcess::start(
        &server,
        "microphone",
        &[
            "--from",
            "fr",
            "--to",
            "en",
            "--loudspeaker",
            "headphones",
            "--echo",
            "off",
        ],
    )?;
    mic.wait_until_ready()?;
    let (recorder, wav) = server.record("headphones", "heard.wav")?;
    say(&server, "docs-a-fr")?;
    thread::sleep(Duration::from_secs(1));
    end_well(&mut mic)?;
    recorder.stop()?;

    let result = mic.result(wav)?;
    let transcript = recording("docs-a-fr")?.transcript;
    let source = word_errors(&result.source(), &transcript);
    println!("recognised with {:.1} % errors", source.percent());
    // One live run over 60 words, with the machine's own timing: 17 to 30 % were seen. That the sound
    // arrived is tested here, how well it is recognised by `end_to_end.rs`.
    assert!(source.percent() <= 45.0, "{}", result.source());
    let heard = ears::listen_in_pieces(&speech::read(&result.wav)?, "en")?;
    let (spoken, not_spoken) = (result.spoken(), result.not_spoken());
    let errors = word_errors(&heard, &spoken);
    println!("said:  {spoken}\nheard: {heard}\n{:.1} %", errors.percent());
    assert!(errors.percent() <= 25.0, "{}", mic.said.join("\n"));
    // A machine that stands still for seconds makes the voice leave something out, and say what.
    let words = |text: &str| text.split_whitespace().count();
    let committed = result.translation();
    assert_eq!(words(&spoken) + words(&not_spoken), words(&committed));
    assert!(
        3 * words(&spoken) >= words(&committed),
        "not spoken: {not_spoken}"
    );
    let captions = std::fs::read_to_string(&result.vtt)?;
    let text: Vec<&str> = captions
        .lines()
        .filter(|l| !l.contains("-->"))
        .skip(1)
        .collect();
    let missing = word_errors(&text.join(" "), &result.translation());
    assert_eq!(
        missing.errors, 0,
        "captions are complete after Ctrl-C: {captions}"
    );
    let summary = mic.said.join("\n");
    assert!(
        summary.contains("gaps in sound"),
        "xruns are told: {summary}"
    );
    Ok(())
}

#[test]
fn headphones_that_are_unplugged_come_back_and_captions_go_on_meanwhile() -> Result<()> {
    let server = SoundServer::start()?;
    let mut mic = MicProcess::start(
        &server,
        "microphone",
        &["--from", "fr", "--to", "en", "--loudspeaker", "headphones"],
    )?;
    mic.wait_until_ready()?;
    let player = server.play("room", &recording("docs-c-fr")?.path)?;
    mic.wait_for("  en  ", PATIENCE)?;
    server.unplug("headphones")?;
    mic.wait_for("the loudspeaker 'Headphones' is gone", PATIENCE)?;
    mic.wait_for("  en  ", PATIENCE)
        .context("captions stopped")?;
    server.plug("headphones", 48_000)?;
    mic.wait_for("loudspeaker: headphones", PATIENCE)?;
    // Recorded from here on: what is still said must be heard.
    let (recorder, wav) = server.record("headphones", "after.wav")?;
    player.wait()?;
    end_well(&mut mic)?;
    recorder.stop()?;
    let heard = ears::listen_to_file(&wav, "en")?;
    println!("heard after it came back: {heard}");
    assert!(heard.split_whitespace().count() >= 5, "{heard}");
    let summary = mic.said.join("\n");
    assert!(
        summary.contains("not spoken"),
        "what was not heard is told: {summary}"
    );
    Ok(())
}

#[test]
fn a_microphone_that_is_unplugged_ends_nothing_and_is_heard_again() -> Result<()> {
    let server = SoundServer::start()?;
    server.plug("booth", 16_000)?;
    let mut mic = MicProcess::start(
        &server,
        "booth.monitor",
        &["--from", "fr", "--to", "en", "--captions-only"],
    )?;
    mic.wait_for("microphone: ", PATIENCE)?;
    server
        .play("booth", &recording("read-cheetah-fr")?.path)?
        .wait()?;
    mic.wait_for("  en  ", PATIENCE)?;
    server.unplug("booth")?;
    mic.wait_for("is gone", PATIENCE)?;
    thread::sleep(Duration::from_secs(2));
    server.plug("booth", 44_100)?;
    mic.wait_for("microphone: ", PATIENCE)?;
    server
        .play("booth", &recording("read-leopard-fr")?.path)?
        .wait()?;
    mic.wait_for("  en  ", PATIENCE)?;
    end_well(&mut mic)?;
    Ok(())
}

#[test]
fn each_of_two_people_hears_the_other_in_their_own_language() -> Result<()> {
    let server = SoundServer::start()?;
    let mut mic = MicProcess::start(
        &server,
        "microphone",
        &[
            "--from",
            "auto:fr,en",
            "--to",
            "en,fr",
            "--loudspeaker",
            "headphones",
        ],
    )?;
    mic.wait_until_ready()?;
    say(&server, "read-leopard-fr")?;
    mic.wait_for("  en  ", PATIENCE)?;
    thread::sleep(Duration::from_secs(6));
    say(&server, "read-leopard-en")?;
    mic.wait_for("  fr  ", PATIENCE)?;
    thread::sleep(Duration::from_secs(2));
    end_well(&mut mic)?;
    let translated: Vec<&str> = mic
        .said
        .iter()
        .filter(|line| line.trim_start().starts_with('+'))
        .map(String::as_str)
        .collect();
    let first = translated.first().context("nothing was translated")?;
    let last = translated.last().context("nothing was translated")?;
    assert!(
        first.contains("  en  ") && last.contains("  fr  "),
        "{translated:#?}"
    );
    Ok(())
}

#[test]
fn a_daemon_that_is_killed_and_comes_back_is_used_again() -> Result<()> {
    let server = SoundServer::start()?;
    let folder = tempfile::TempDir::new()?;
    let socket = folder.path().join("interpretd.sock");
    let start = || -> Result<Tool> {
        let daemon = std::process::Command::new(program("interpretd")?)
            .args([
                "--listen",
                "",
                "--preload",
                "fr-en",
                "--log-level",
                "error",
                "--unix",
            ])
            .arg(&socket)
            .spawn()?;
        let began = Instant::now();
        while !socket.exists() && began.elapsed() < PATIENCE {
            thread::sleep(Duration::from_millis(100));
        }
        Ok(Tool::new(daemon))
    };
    let daemon = start()?;
    let address = format!("unix:{}", socket.display());
    let flags = [
        "--from",
        "fr",
        "--to",
        "en",
        "--captions-only",
        "--server",
        &address,
    ];
    let mut mic = MicProcess::start(&server, "microphone", &flags)?;
    mic.wait_until_ready()?;
    say(&server, "read-cheetah-fr")?;
    mic.wait_for("  en  ", PATIENCE)?;
    // Killed, not asked to end: nobody says goodbye.
    drop(daemon);
    mic.wait_for("the session is lost", PATIENCE)?;
    std::fs::remove_file(&socket)?;
    let _daemon = start()?;
    mic.wait_for("connected again", PATIENCE)?;
    say(&server, "read-leopard-fr")?;
    mic.wait_for("  en  ", PATIENCE)?;
    end_well(&mut mic)?;
    // The times of the second session go on after those of the first.
    let result = mic.result("unused.wav".into())?;
    let ends: Vec<u64> = result
        .events
        .iter()
        .filter_map(|event| match event {
            Response::TranslatedText(text) => Some(text.source_end_ms),
            _ => None,
        })
        .collect();
    assert!(ends.is_sorted(), "{ends:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_said_while_the_network_is_away_is_interpreted_when_it_is_back() -> Result<()> {
    let server = SoundServer::start()?;
    let daemon = DaemonProcess::ready(&["--preload", "fr-en"]).await?;
    let network = TcpProxy::to(&daemon.socket(), Weather::Fair).await?;
    let address = network.address();
    let server_flag = format!("http://{address}");
    let flags = [
        "--from",
        "fr",
        "--to",
        "en",
        "--captions-only",
        "--server",
        &server_flag,
    ];
    let mut mic = MicProcess::start(&server, "microphone", &flags)?;
    mic.wait_until_ready()?;
    let ready = Instant::now();
    let playing = server.play("room", &recording("docs-a-fr")?.path)?;
    mic.wait_for("  en  ", PATIENCE)?;
    drop(network);
    mic.wait_for("the connection is lost", PATIENCE)?;
    tokio::time::sleep(Duration::from_secs(4)).await;
    let _network = TcpProxy::at(address, &daemon.socket(), Weather::Fair).await?;
    mic.wait_for("connected again; nothing is lost", PATIENCE)?;
    playing.wait()?;
    let open = ready.elapsed();
    end_well(&mut mic)?;

    let result = mic.result("unused.wav".into())?;
    let errors = word_errors(&result.source(), &recording("docs-a-fr")?.transcript);
    println!("recognised with {:.1} % errors", errors.percent());
    // As where nothing was cut.
    assert!(errors.percent() <= 45.0, "{}", result.source());
    let started = |event: &&Response| matches!(event, Response::SessionStarted(_));
    assert_eq!(
        result.events.iter().filter(started).count(),
        1,
        "one session all the time"
    );
    // All that the microphone heard came to it.
    let heard = result.events.iter().find_map(|event| match event {
        Response::SessionEnded(ended) => Some(Duration::from_millis(ended.source_ms)),
        _ => None,
    });
    let heard = heard.context("no end")?;
    assert!(
        heard + Duration::from_secs(1) > open,
        "{heard:?} of {open:?} were heard"
    );
    Ok(())
}

#[test]
fn a_loudspeaker_in_the_room_is_not_interpreted() -> Result<()> {
    let server = SoundServer::start()?;
    // What the headphones play is heard in the room, 12 dB quieter.
    server.pactl(&[
        "load-module",
        "module-loopback",
        "source=headphones.monitor",
        "sink=room",
        "latency_msec=80",
    ])?;
    let inputs = server.pactl(&["list", "short", "sink-inputs"])?;
    let input = inputs.split_whitespace().next().context("no loopback")?;
    // PulseAudio's volumes are cubic: 63 % is -12 dB.
    server.pactl(&["set-sink-input-volume", input, "63%"])?;
    let mut mic = MicProcess::start(
        &server,
        "microphone",
        &["--from", "fr", "--to", "en", "--loudspeaker", "headphones"],
    )?;
    mic.wait_until_ready()?;
    say(&server, "docs-a-fr")?;
    // The voice says its last words into a room where nobody else speaks any more.
    mic.lines_within(Duration::from_secs(4));
    let after = mic.lines_within(Duration::from_secs(8));
    println!("said after the speaker: {after:#?}");
    // In one of four runs the guard let one sentence of the voice through here (docs/microphone.md): a
    // defect that is known. A loop, where each sentence makes the next, must not be.
    assert!(after.len() <= 2, "it interprets itself: {after:#?}");
    let still = mic.lines_within(Duration::from_secs(6));
    assert!(
        still.is_empty(),
        "it goes on interpreting itself: {still:#?}"
    );
    end_well(&mut mic)?;
    let result = mic.result("unused.wav".into())?;
    let transcript = recording("docs-a-fr")?.transcript;
    let errors = word_errors(&result.source(), &transcript);
    println!(
        "heard: {}\n{:.1} % errors",
        result.source(),
        errors.percent()
    );
    // Into both ears at once; without a guard it is three quarters and more.
    assert!(errors.percent() <= 60.0, "{}", result.source());
    Ok(())
}

#[test]
fn what_is_wrong_with_a_device_is_said_with_what_to_do() -> Result<()> {
    let server = SoundServer::start()?;
    let run = |arguments: &[&str], address: &str| -> Result<(Option<i32>, String)> {
        let output = server
            .command(program("interpret")?)
            .args(arguments)
            .env("PULSE_SERVER", address)
            .output()?;
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        Ok((output.status.code(), said))
    };
    let mic = ["mic", "--from", "fr", "--to", "en", "--plain"];
    let with = |extra: &[&'static str]| [&mic[..], extra].concat();
    let (code, said) = run(&with(&["--microphone", "studio"]), &server.address())?;
    assert_eq!(code, Some(16), "{said}");
    assert!(
        said.contains("no microphone named 'studio'") && said.contains("Microphone"),
        "{said}"
    );
    assert!(said.contains("interpret devices"), "{said}");
    let (code, said) = run(&with(&["--loudspeaker", "o"]), &server.address())?;
    assert_eq!(code, Some(16), "{said}");
    assert!(said.contains("part of several names"), "{said}");
    // No sound server, and in this place no sound card either.
    let (code, said) = run(&mic, "unix:/nowhere")?;
    assert_eq!(code, Some(16), "{said}");
    let (code, said) = run(&["mic", "--from", "fr"], &server.address())?;
    assert_eq!(code, Some(2), "{said}");
    assert!(
        said.contains("--to is missing") && said.contains("mic.toml"),
        "{said}"
    );
    Ok(())
}

#[test]
fn devices_are_listed_with_their_formats() -> Result<()> {
    let server = SoundServer::start()?;
    let output = server
        .command(program("interpret")?)
        .arg("devices")
        .output()?;
    let text = String::from_utf8(output.stdout)?;
    let default = |kind: &str| text.lines().find(|line| line.starts_with(kind));
    let microphone = default("microphone*").context("no microphone")?;
    assert!(
        microphone.contains("Microphone") && microphone.contains("48000 Hz, 2 ch"),
        "{text}"
    );
    let headphones = default("loudspeaker*").context("no headphones")?;
    assert!(
        headphones.contains("Headphones") && headphones.contains("44100 Hz"),
        "{text}"
    );
    Ok(())
}

#[test]
fn the_screen_shows_both_columns_and_obeys_keys() -> Result<()> {
    let server = SoundServer::start()?;
    let interpret = program("interpret")?;
    let line = format!(
        "stty cols 80 rows 20; exec {} mic --from fr --to en --microphone microphone \
         --loudspeaker headphones",
        interpret.display()
    );
    // `script` gives it a terminal; keys go in and the screen comes out through pipes.
    let mut terminal = server
        .command("script")
        .args(["-qefc", &line, "/dev/null"])
        .env("TERM", "xterm-256color")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map(Tool::new)?;
    let process = terminal.process();
    let mut screen = Screen::read(process.stdout.take().context("no output")?);
    let mut keys = process.stdin.take().context("no input")?;
    let mut press = |key: &[u8]| -> Result<()> {
        use std::io::Write as _;
        keys.write_all(key)?;
        Ok(keys.flush()?)
    };
    screen.wait_for("fr → en · low-latency", PATIENCE)?;
    let player = server.play("room", &recording("docs-b-fr")?.path)?;
    screen.wait_for("lag █", PATIENCE)?;
    let rows = screen.rows();
    let frame = rows
        .iter()
        .find(|row| row.starts_with('┌'))
        .context("no frame")?;
    assert!(frame.contains("fr") && frame.contains("en"), "{rows:#?}");
    press(b"m")?;
    screen.wait_for("voice MUTED", PATIENCE)?;
    press(b"m")?;
    press(b"p")?;
    screen.wait_for("mic PAUSED", PATIENCE)?;
    drop(player);
    press(b"q")?;
    screen.wait_for("finishing", PATIENCE)?;
    terminal
        .wait()
        .with_context(|| format!("{:#?}", screen.rows()))?;
    assert!(screen.left_alternate(), "the shell gets its screen back");
    Ok(())
}

/// What a terminal of 80 by 20 shows.
struct Screen {
    terminal: vt100::Parser,
    bytes: std::sync::mpsc::Receiver<Vec<u8>>,
    all: Vec<u8>,
}

impl Screen {
    fn read(mut output: impl std::io::Read + Send + 'static) -> Self {
        let (sender, bytes) = std::sync::mpsc::sync_channel(100_000);
        thread::spawn(move || {
            let mut buffer = [0_u8; 4096];
            while let Ok(count) = output.read(&mut buffer) {
                if count == 0 || sender.send(buffer[..count].to_vec()).is_err() {
                    return;
                }
            }
        });
        Self {
            terminal: vt100::Parser::new(20, 80, 0),
            bytes,
            all: Vec::new(),
        }
    }

    fn rows(&self) -> Vec<String> {
        let text = self.terminal.screen().contents();
        text.lines().map(str::to_owned).collect()
    }

    fn shows(&self, wanted: &str) -> bool {
        self.rows().iter().any(|row| row.contains(wanted))
    }

    fn wait_for(&mut self, wanted: &str, within: Duration) -> Result<()> {
        let until = Instant::now() + within;
        while !self.shows(wanted) {
            let left = until.saturating_duration_since(Instant::now());
            let bytes = self
                .bytes
                .recv_timeout(left)
                .with_context(|| format!("never shown: {wanted}\n{:#?}", self.rows()))?;
            // Little by little: what is shown for a moment must be seen too.
            let mut seen = false;
            for piece in bytes.chunks(64) {
                self.terminal.process(piece);
                seen |= self.shows(wanted);
            }
            self.all.extend(bytes);
            if seen {
                return Ok(());
            }
        }
        Ok(())
    }

    fn left_alternate(&mut self) -> bool {
        while let Ok(bytes) = self.bytes.recv_timeout(Duration::from_secs(1)) {
            self.all.extend(bytes);
        }
        let leaves = b"\x1b[?1049l";
        self.all
            .windows(leaves.len())
            .any(|window| window == leaves)
    }
}

/// The way of the sound through rings and resamplers, without models: what the microphone hears
/// goes straight to the headphones.
#[test]
fn a_click_takes_hardly_longer_than_the_buffers_that_the_sound_system_was_asked_for() -> Result<()>
{
    /// Buffers of 20 ms at the microphone, and twice that at the headphones.
    const BUFFERS: Duration = Duration::from_millis(60);
    let server = SoundServer::start()?;
    let bridge = server
        .command(program("examples/device_bridge")?)
        .args(["microphone", "headphones"])
        .stdout(Stdio::null())
        .spawn()
        .map(Tool::new)?;
    thread::sleep(Duration::from_secs(2));
    let mut delays = click_delays(&server)?;
    drop(bridge);
    delays.sort();
    println!("click to click: {delays:?}");
    let median = delays[delays.len() / 2];
    // What is ours is 50 to 60 ms; twice that is something else than a busy machine.
    assert!(median < BUFFERS + Duration::from_millis(120), "{delays:?}");
    Ok(())
}

/// From a click in the room to the same click in the headphones.
fn click_delays(server: &SoundServer) -> Result<Vec<Duration>> {
    let folder = tempfile::TempDir::new()?;
    let click = folder.path().join("click.wav");
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 48_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::create(&click, spec)?;
    for n in 0..24_000 {
        let loud = (9600..9700).contains(&n);
        writer.write_sample(if loud { 24_000_i16 } else { 0 })?;
    }
    writer.finalize()?;
    let room = clicks(server, "room")?;
    let headphones = clicks(server, "headphones")?;
    thread::sleep(Duration::from_secs(1));
    let mut delays = Vec::new();
    for _ in 0..7 {
        server.play("room", &click)?.wait()?;
        let at = room.recv_timeout(Duration::from_secs(5))?;
        let heard = headphones.recv_timeout(Duration::from_secs(5))?;
        delays.push(heard.saturating_duration_since(at));
        thread::sleep(Duration::from_millis(500));
    }
    Ok(delays)
}

/// The instants at which clicks are heard at a sink.
fn clicks(server: &SoundServer, sink: &str) -> Result<std::sync::mpsc::Receiver<Instant>> {
    let mut recorder = server
        .command("parec")
        .arg(format!("--device={sink}.monitor"))
        .args(["--raw", "--rate=48000", "--channels=1", "--format=s16le"])
        .args(["--latency-msec=5", "--process-time-msec=5"])
        .stdout(Stdio::piped())
        .spawn()
        .map(Tool::new)?;
    let mut output = recorder.process().stdout.take().context("no output")?;
    let (sender, received) = std::sync::mpsc::sync_channel(100_000);
    thread::spawn(move || {
        // Ends with the thread, which ends with the server.
        let _recorder = recorder;
        let mut buffer = [0_u8; 480];
        let mut quiet = 48_000_usize;
        while output.read_exact(&mut buffer).is_ok() {
            let now = Instant::now();
            let samples = buffer
                .as_chunks::<2>()
                .0
                .iter()
                .map(|b| i16::from_le_bytes(*b));
            for sample in samples {
                quiet += 1;
                if sample.unsigned_abs() > 4_000 {
                    if quiet > 9_600 && sender.send(now).is_err() {
                        return;
                    }
                    quiet = 0;
                }
            }
        }
    });
    Ok(received)
}
