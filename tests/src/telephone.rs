//! A telephone line, and a call over it.

use std::{collections::VecDeque, time::Duration};

use anyhow::{Context as _, Result};
use interpret_proto::v1::{
    AudioEncoding, AudioFormat, CallAudio, CallConfig, CallEnded, CallEvent, CallLeg, CallRequest,
    Dtmf, SetGlossary, call_request, call_response, interpret_response::Response,
    interpreter_client::InterpreterClient,
};
use interpretd::audio::{Encoding, Format, Resampler};
use tokio::{
    sync::mpsc,
    time::{Instant, sleep_until},
};
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Status, transport::Channel};

/// Samples a second of a telephone.
pub const RATE: usize = 8_000;
/// Samples of a frame: 20 ms.
pub const FRAME: usize = 160;

/// G.711 at 8 kHz.
#[must_use]
pub fn mulaw() -> Format {
    Format {
        encoding: Encoding::Mulaw,
        sample_rate_hz: RATE as u32,
        channels: 1,
    }
}

/// 16 kHz samples as a telephone carries them.
///
/// # Errors
/// When they cannot be resampled.
pub fn narrow_band(samples: &[f32]) -> Result<Vec<f32>> {
    let mut resampler = Resampler::new(16_000, RATE as u32)?;
    let mut narrow = resampler.push(samples)?;
    narrow.extend(resampler.finish()?);
    Ok(narrow)
}

/// The far end of a line that gives back what is played into it.
#[derive(Debug, Clone)]
pub struct Echo {
    gain: f32,
    /// How late frames come back, around which the delay wanders by a frame.
    delay_frames: usize,
    seed: u32,
    line: VecDeque<Vec<f32>>,
}

impl Echo {
    /// An echo of so many milliseconds and decibels.
    #[must_use]
    pub fn new(delay_ms: usize, gain_db: f32, seed: u32) -> Self {
        let delay_frames = (delay_ms / 20).max(1);
        Self {
            gain: 10.0_f32.powf(gain_db / 20.0),
            delay_frames,
            seed: seed | 1,
            line: VecDeque::from(vec![vec![0.0; FRAME]; delay_frames]),
        }
    }

    /// Takes a frame that is played, and gives the one that comes back. Twice through G.711.
    pub fn pass(&mut self, played: &[f32]) -> Vec<f32> {
        let coded = mulaw();
        let again = |samples: &[f32]| coded.decode(&coded.encode(samples)).unwrap_or_default();
        let quiet: Vec<f32> = again(played).iter().map(|s| s * self.gain).collect();
        self.line.push_back(again(&quiet));
        // A packet network's jitter: now and then a frame is late, and caught up with later.
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 17;
        self.seed ^= self.seed << 5;
        if self.seed.is_multiple_of(50) && self.line.len() <= self.delay_frames + 2 {
            return vec![0.0; FRAME];
        }
        if self.seed.is_multiple_of(51) && self.line.len() > self.delay_frames + 1 {
            self.line.pop_front();
        }
        self.line.pop_front().unwrap_or_else(|| vec![0.0; FRAME])
    }
}

/// A leg of a call as telephones have it.
#[must_use]
pub fn leg(language: &str) -> CallLeg {
    CallLeg {
        language: language.to_owned(),
        audio_format: Some(AudioFormat {
            encoding: AudioEncoding::Mulaw.into(),
            sample_rate_hz: RATE as u32,
            channels: 1,
        }),
        ..CallLeg::default()
    }
}

/// How a leg's samples are laid out; where there is no such format, as telephones have it.
fn format(leg: &CallLeg) -> Format {
    let Some(format) = leg.audio_format else {
        return mulaw();
    };
    let encoding = match format.encoding() {
        AudioEncoding::Alaw => Encoding::Alaw,
        AudioEncoding::Linear16 => Encoding::Linear16,
        _ => return mulaw(),
    };
    Format {
        encoding,
        sample_rate_hz: format.sample_rate_hz,
        channels: 1,
    }
}

/// What came of a call.
#[derive(Debug, Default)]
pub struct Called {
    /// What each leg's ear heard, at the leg's rate.
    pub heard: [Vec<f32>; 2],
    /// Everything that was told, in order.
    pub events: Vec<CallEvent>,
    /// Keys that were pressed.
    pub keys: Vec<Dtmf>,
    /// How it ended.
    pub ended: Option<CallEnded>,
}

impl Called {
    /// What was told of a leg, in order.
    pub fn of(&self, leg: u32) -> impl Iterator<Item = &Response> {
        let events = self.events.iter().filter(move |event| event.leg == leg);
        events.filter_map(|event| event.event.as_ref()?.response.as_ref())
    }

    /// What was said on a leg, as recognised.
    #[must_use]
    pub fn said(&self, leg: u32) -> String {
        self.of(leg)
            .filter_map(|event| match event {
                Response::SourceText(text) => Some(text.committed.as_str()),
                _ => None,
            })
            .collect()
    }
}

/// Runs a call at the speed of speech: `said` by each leg, in frames, with what each line gives back.
///
/// # Errors
/// The daemon's status, or that its stream broke.
pub async fn call(
    client: &mut InterpreterClient<Channel>,
    config: CallConfig,
    said: [Vec<f32>; 2],
    echoes: [Option<Echo>; 2],
) -> Result<Called, Status> {
    call_and_change(client, config, said, echoes, None).await
}

/// The same, in which the glossary is replaced as soon as the first frames are sent.
///
/// # Errors
/// As [`call`].
pub async fn call_and_change(
    client: &mut InterpreterClient<Channel>,
    config: CallConfig,
    said: [Vec<f32>; 2],
    mut echoes: [Option<Echo>; 2],
    mut change: Option<SetGlossary>,
) -> Result<Called, Status> {
    let formats = [0, 1].map(|leg| config.legs.get(leg).map_or_else(mulaw, format));
    let lengths = formats.map(|format| format.sample_rate_hz as usize / 50);
    let (requests, waiting) = mpsc::channel(8);
    let send = |request| {
        let requests = requests.clone();
        let request = CallRequest {
            request: Some(request),
        };
        async move {
            requests
                .send(request)
                .await
                .map_err(|_| Status::cancelled("the call has ended"))
        }
    };
    send(call_request::Request::Config(config)).await?;
    let mut responses = client
        .call(ReceiverStream::new(waiting))
        .await?
        .into_inner();
    let mut called = Called::default();
    let begun = Instant::now();
    let frames = said
        .iter()
        .zip(lengths)
        .map(|(said, length)| said.len().div_ceil(length))
        .max()
        .unwrap_or(0);
    let mut last_played = lengths.map(|length| vec![0.0; length]);
    let mut waits = 0;
    for frame in 0..frames as u64 {
        sleep_until(begun + Duration::from_millis(20) * frame as u32).await;
        for leg in 0..2 {
            let length = lengths[leg];
            let from = frame as usize * length;
            let mut samples: Vec<f32> = said[leg].iter().skip(from).take(length).copied().collect();
            samples.resize(length, 0.0);
            if let Some(echo) = &mut echoes[leg] {
                for (sample, back) in samples.iter_mut().zip(echo.pass(&last_played[leg])) {
                    *sample += back;
                }
            }
            let audio = CallAudio {
                leg: leg as u32,
                sequence: frame,
                data: formats[leg].encode(&samples),
            };
            send(call_request::Request::Audio(audio)).await?;
            waits += 1;
        }
        if let Some(terms) = change.take() {
            send(call_request::Request::SetGlossary(terms)).await?;
        }
        // Everything that has come; at least the frames that answer those sent.
        while waits > 0 {
            let Some(message) = responses.message().await? else {
                return Err(Status::cancelled("the call ended early"));
            };
            if let Some(audio) = take(&mut called, message.response) {
                let leg = usize::from(audio.leg != 0);
                let samples = formats[leg].decode(&audio.data).unwrap_or_default();
                called.heard[leg].extend(&samples);
                last_played[leg] = samples;
                waits -= 1;
            }
        }
    }
    drop(requests);
    while let Some(message) = responses.message().await? {
        if let Some(audio) = take(&mut called, message.response) {
            let leg = usize::from(audio.leg != 0);
            let samples = formats[leg].decode(&audio.data).unwrap_or_default();
            called.heard[leg].extend(samples);
        }
    }
    Ok(called)
}

/// Keeps what is no audio; gives what is.
fn take(called: &mut Called, response: Option<call_response::Response>) -> Option<CallAudio> {
    use call_response::Response as Told;
    match response? {
        Told::Audio(audio) => return Some(audio),
        Told::Event(event) => called.events.push(event),
        Told::Dtmf(dtmf) => called.keys.push(dtmf),
        Told::Ended(ended) => called.ended = Some(ended),
        Told::Started(_) => {}
    }
    None
}

/// 16 kHz samples of what an ear heard, for a recogniser.
///
/// # Errors
/// When they cannot be resampled.
pub fn wide(samples: &[f32]) -> Result<Vec<f32>> {
    let mut resampler = Resampler::new(RATE as u32, 16_000)?;
    let mut wide = resampler.push(samples).context("resampling")?;
    wide.extend(resampler.finish()?);
    Ok(wide)
}
