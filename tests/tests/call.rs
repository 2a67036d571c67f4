//! Telephone calls: both directions, through G.711, over lines that give back what is played.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test says what is wrong by failing"
)]

use anyhow::Result;
use interpret_proto::v1::{
    AudioEncoding, AudioFormat, BargeIn, CallConfig, CallLeg, EndReason, GlossaryTerm, NoticeKind,
    SetGlossary, interpret_response::Response,
};
use interpret_tests::{
    daemon_process::DaemonProcess,
    ears, pipeline,
    scores::{WordErrors, word_errors},
    speech::recording,
    telephone::{Echo, FRAME, RATE, call, call_and_change, leg, narrow_band, wide},
};
use interpretd::{Config, Daemon, call::EchoGate, engines::Engines};
use tokio::runtime::Runtime;

const RUNS: usize = 20;

/// What is committed of what comes over a line.
fn committed(runtime: &Runtime, engines: &Engines, line: &[f32], language: &str) -> String {
    runtime
        .block_on(pipeline::committed(engines, &wide(line).unwrap(), language))
        .unwrap()
}

/// What passes the gate of a line on which `said` is said and `played` is played.
fn gated(said: &[f32], played: &[f32], mut echo: Echo, gate: bool) -> Vec<f32> {
    let mut gate = gate.then(|| EchoGate::new(RATE as u32));
    let mut passed = Vec::new();
    for (played, said) in played.chunks_exact(FRAME).zip(said.chunks_exact(FRAME)) {
        let mut frame = echo.pass(played);
        for (sample, said) in frame.iter_mut().zip(said) {
            *sample += said;
        }
        if let Some(gate) = &mut gate {
            gate.pass(&mut frame);
            gate.play(played);
        }
        passed.extend(frame);
    }
    passed
}

#[test]
fn line_echo_is_never_interpreted_and_who_interrupts_is_heard() -> Result<()> {
    let runtime = Runtime::new()?;
    let daemon = Daemon::new(Config::default());
    runtime.block_on(daemon.load_models())?;
    let engines = daemon.engines().unwrap();
    let voice = narrow_band(&recording("docs-a-en")?.samples()?)?;
    let speaker = recording("read-cheetah-fr")?;
    let interruption = as_loud_as_a_telephone(narrow_band(&speaker.samples()?)?);
    let mut loops = Vec::new();
    let mut unguarded = 0;
    let mut errors = WordErrors::default();
    for n in 0..RUNS {
        let delay_ms = 20 + n * 480 / (RUNS - 1);
        // All gains at all delays, from -6 to -20 dB.
        let gain_db = -6.0 - (n * 7 % RUNS) as f32 * 14.0 / (RUNS - 1) as f32;
        let echo = Echo::new(delay_ms, gain_db, n as u32 + 1);
        let mut played = voice[n * RATE / 2..n * RATE / 2 + 8 * RATE].to_vec();
        played.resize(11 * RATE, 0.0);
        let silence = vec![0.0; played.len()];
        let line = gated(&silence, &played, echo.clone(), true);
        let text = committed(&runtime, engines, &line, "fr");
        if !text.trim().is_empty() {
            loops.push((delay_ms, gain_db, text));
        }
        if n < 3 {
            let line = gated(&silence, &played, echo.clone(), false);
            unguarded += usize::from(!committed(&runtime, engines, &line, "fr").trim().is_empty());
        }
        if n % 2 == 1 {
            continue;
        }
        // Somebody speaks while the voice does, and goes on.
        let start = 3 * RATE;
        let length = start + interruption.len() + RATE;
        let mut played = voice[..length].to_vec();
        played[5 * RATE..].fill(0.0);
        let mut said = vec![0.0; start];
        said.extend(&interruption);
        said.resize(length, 0.0);
        let line = gated(&said, &played, echo, true);
        let text = committed(&runtime, engines, &line, "fr");
        let missed = word_errors(&text, &speaker.transcript);
        println!(
            "{delay_ms} ms, {gain_db:.0} dB: {:.0} % errors: {text}",
            missed.percent()
        );
        errors = errors + missed;
    }
    println!("interruptions: {:.1} % word errors", errors.percent());
    assert_eq!(unguarded, 3, "without a gate it does interpret itself");
    assert!(
        loops.is_empty(),
        "{} of {RUNS} runs loop: {loops:#?}",
        loops.len()
    );
    assert!(errors.percent() <= 50.0, "{:.1} %", errors.percent());
    Ok(())
}

/// Speech at -20 dB of full scale: a telephone levels what is said, and a level is all that tells speech
/// from its echo.
fn as_loud_as_a_telephone(speech: Vec<f32>) -> Vec<f32> {
    let power = speech.iter().map(|s| s * s).sum::<f32>() / speech.len().max(1) as f32;
    let gain = 0.1 / power.sqrt().max(1e-6);
    speech
        .into_iter()
        .map(|s| (s * gain).clamp(-1.0, 1.0))
        .collect()
}

/// A key's two tones.
fn key(low: f32, high: f32) -> Vec<f32> {
    let sample = |n: usize| {
        let time = n as f32 / RATE as f32;
        let wave = |hz: f32| (std::f32::consts::TAU * hz * time).sin() * 0.2;
        wave(low) + wave(high)
    };
    (0..RATE / 5).map(sample).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn both_sides_of_a_call_understand_each_other_over_lines_that_echo() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en,en-fr"]).await?;
    let mut client = daemon.client().await?;
    let (french, english) = (recording("read-cheetah-fr")?, recording("jfk-en")?);
    // One speaks, then the other answers: each waits for the interpretation.
    let mut caller = as_loud_as_a_telephone(narrow_band(&french.samples()?)?);
    let spoken = caller.len();
    let mut agent = vec![0.0; spoken + 7 * RATE];
    agent.extend(narrow_band(&english.samples()?)?);
    caller.resize(agent.len() + RATE, 0.0);
    caller.extend(key(770.0, 1_336.0));
    caller.resize(caller.len() + 10 * RATE, 0.0);
    let config = CallConfig {
        legs: vec![
            CallLeg {
                comfort_tone: true,
                ..leg("fr")
            },
            leg("en"),
        ],
        ..CallConfig::default()
    };
    let echoes = [(180, -12.0), (60, -15.0)].map(|(ms, db)| Some(Echo::new(ms, db, 7)));
    let called = call(&mut client, config, [caller, agent], echoes).await?;

    let (said, answered) = (called.said(0), called.said(1));
    println!("leg 0: {said}\nleg 1: {answered}");
    // Both together: a single sentence is a matter of one or two words.
    let errors =
        word_errors(&said, &french.transcript) + word_errors(&answered, &english.transcript);
    assert!(errors.percent() <= 30.0, "{:.0} %", errors.percent());
    // Each ear hears what was committed for it, in its own language.
    let mut errors = WordErrors::default();
    for (ear, language) in [(0, "fr"), (1, "en")] {
        let mut committed = String::new();
        for event in &called.events {
            if let Some(Response::TranslatedAudio(audio)) = event
                .event
                .as_ref()
                .and_then(|event| event.response.as_ref())
                && event.leg == 1 - ear
            {
                assert!(audio.data.is_empty());
                assert!(event.heard_ms + 500 > audio.source_start_ms);
                committed.push_str(&audio.text);
            }
        }
        let heard = ears::listen_in_pieces(&wide(&called.heard[ear as usize])?, language)?;
        println!("ear {ear}: {heard}");
        println!("committed for it: {committed}");
        errors = errors + word_errors(&heard, &committed);
    }
    assert!(errors.percent() <= 25.0, "{:.0} %", errors.percent());
    let keys: Vec<_> = called
        .keys
        .iter()
        .map(|k| (k.leg, k.key.as_str()))
        .collect();
    assert_eq!(keys, [(0, "5")]);
    let ended = called.ended.unwrap();
    assert_eq!(ended.legs.len(), 2);
    for leg in &ended.legs {
        assert_eq!(leg.reason(), EndReason::Finished);
        assert!(leg.stages.iter().any(|stage| stage.stage == "recognise"));
    }
    Ok(())
}

/// How loud a piece of sound is (RMS).
fn loudness(sound: &[f32]) -> f32 {
    (sound.iter().map(|s| s * s).sum::<f32>() / sound.len().max(1) as f32).sqrt()
}

/// The words of a text, in no order.
fn sorted_words(text: &str) -> Vec<&str> {
    let mut words: Vec<&str> = text.split_whitespace().collect();
    words.sort_unstable();
    words
}

/// A-law on one side and 16 kHz on the other, a slow voice that is interrupted, the other side's own voice, and
/// terms that are replaced while the call lasts.
#[tokio::test(flavor = "multi_thread")]
async fn legs_of_different_kinds_with_all_that_can_be_asked_for() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--preload", "fr-en,en-fr"]).await?;
    let mut client = daemon.client().await?;
    let french = recording("read-cheetah-fr")?;
    let (english, more_english) = (recording("jfk-en")?, recording("read-cheetah-en")?);
    let format = |encoding: AudioEncoding, rate: usize| {
        Some(AudioFormat {
            encoding: encoding.into(),
            sample_rate_hz: rate as u32,
            channels: 1,
        })
    };
    let config = CallConfig {
        legs: vec![
            CallLeg {
                audio_format: format(AudioEncoding::Alaw, RATE),
                // So slow that some of it is still to be said when it is interrupted.
                speed_percent: 50,
                barge_in: BargeIn::Stop.into(),
                no_echo: true,
                ..leg("fr")
            },
            CallLeg {
                audio_format: format(AudioEncoding::Linear16, 16_000),
                original_percent: 50,
                no_echo: true,
                ..leg("en")
            },
        ],
        ..CallConfig::default()
    };
    let mut agent = english.samples()?;
    agent.extend(more_english.samples()?);
    let interrupts_ms = agent.len() / 16 + 500;
    let mut caller = vec![0.0; interrupts_ms * RATE / 1_000];
    let words = narrow_band(&french.samples()?)?;
    let spoken_ms = words.len() * 1_000 / RATE;
    caller.extend(&words);
    caller.resize(caller.len() + 8 * RATE, 0.0);
    let term = GlossaryTerm {
        source: "country".to_owned(),
        target: "contrée".to_owned(),
        language: "fr".to_owned(),
    };
    let terms = SetGlossary {
        glossary: vec![term],
        hot_words: vec!["Americans".to_owned()],
    };
    let said = [caller, agent];
    let called = call_and_change(&mut client, config, said, [None, None], Some(terms)).await?;

    let answered = format!("{} {}", english.transcript, more_english.transcript);
    let errors =
        word_errors(&called.said(0), &french.transcript) + word_errors(&called.said(1), &answered);
    println!("leg 0: {}\nleg 1: {}", called.said(0), called.said(1));
    assert!(errors.percent() <= 30.0, "{:.0} %", errors.percent());
    // The terms are replaced for both, and are followed.
    for (leg, glossary_terms) in [(0, 1), (1, 1)] {
        let changed = called.of(leg).find_map(|event| match event {
            Response::SessionChanged(changed) => Some((changed.glossary_terms, changed.hot_words)),
            _ => None,
        });
        assert_eq!(changed, Some((glossary_terms, 1)), "leg {leg}");
    }
    let (mut committed, mut spoken, mut skipped) = (String::new(), String::new(), String::new());
    let (mut interrupted, mut honoured, mut hot) = (false, 0, 0);
    for event in called.of(1) {
        match event {
            Response::SourceText(text) => hot += text.words.iter().filter(|w| w.hot).count(),
            Response::TranslatedText(text) => {
                committed.push_str(&text.committed);
                honoured += text.terms.iter().filter(|term| term.honoured).count();
            }
            Response::TranslatedAudio(audio) => spoken.push_str(&audio.text),
            Response::Notice(notice) if notice.kind() == NoticeKind::SpeechSkipped => {
                interrupted |= notice.message.contains("has begun to speak");
                skipped.push_str(&notice.text);
            }
            _ => {}
        }
    }
    println!("committed: {committed}\nspoken: {spoken}\nskipped: {skipped}");
    assert!(honoured >= 1, "{committed}");
    assert_eq!(hot, 1, "{}", called.said(1));
    // What the interruption has left out is told, and nothing is lost in between.
    // (Whether a whole clause still waits then depends on how fast it was recognised; the ear's own tests do not.)
    assert_eq!(interrupted, !skipped.is_empty(), "{skipped}");
    let all = format!("{spoken}{skipped}");
    assert_eq!(sorted_words(&all), sorted_words(&committed));
    // The agent hears the caller's own voice at once, and half as loud; the caller does not hear the agent's.
    let at = |ms: usize| &called.heard[1][ms * 16..(ms + 1_000) * 16];
    let original = loudness(&words[..RATE]);
    let overheard = loudness(at(interrupts_ms));
    let share = overheard / original;
    // (It is some 80 ms late, and a quarter of that while a translation is spoken.)
    assert!((0.3..0.55).contains(&share), "{share:.2}");
    assert!(loudness(at(interrupts_ms - 1_200)) < 0.001);
    assert!(loudness(&called.heard[0][..RATE]) < 0.001);
    assert!(called.heard[1].len() >= (interrupts_ms + spoken_ms + 8_000) * 16);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn senseless_calls_are_refused_with_what_to_change() -> Result<()> {
    let daemon = DaemonProcess::ready(&["--max-sessions", "2"]).await?;
    let mut client = daemon.client().await?;
    let opus = |mut leg: CallLeg| {
        if let Some(format) = &mut leg.audio_format {
            format.set_encoding(AudioEncoding::Opus);
        }
        leg
    };
    let loud = CallLeg {
        original_percent: 101,
        ..leg("en")
    };
    for (legs, said) in [
        (vec![leg("fr")], "a call has two"),
        (vec![leg("fr"), leg("fr")], "both fr"),
        (vec![leg("fr"), leg("xx")], "xx"),
        (vec![leg("fr"), leg("")], ""),
        (vec![leg("fr"), opus(leg("en"))], "no Opus"),
        (vec![leg("fr"), loud], "original_percent"),
    ] {
        let config = CallConfig {
            legs,
            ..CallConfig::default()
        };
        let refused = call(&mut client, config, Default::default(), [None, None]).await;
        let status = refused.unwrap_err();
        assert!(status.message().contains(said), "{said}: {status}");
    }
    // None of them keeps a place.
    let config = CallConfig {
        legs: vec![leg("fr"), leg("en")],
        ..CallConfig::default()
    };
    let silence = vec![0.0; RATE];
    let called = call(
        &mut client,
        config,
        [silence.clone(), silence],
        [None, None],
    )
    .await?;
    assert!(called.ended.is_some());
    assert_eq!(called.heard[0].len(), RATE);
    Ok(())
}
