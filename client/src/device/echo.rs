//! Does not interpret itself: takes out of what the microphone hears what the loudspeaker says.
//!
//! Two steps. The first is an adaptive canceller (AEC3, the one in web browsers, in the crate
//! `sonora`): it knows what is played, learns how the room changes it, and subtracts that. What it
//! leaves is too little to disturb a telephone call, but a recogniser finds words in very little.
//! The second step therefore is a gate: while something is being played (and for as long as a room
//! may return it), what is left is passed on only if enough was left: somebody who interrupts
//! loses little in the canceller, an echo loses nearly everything.

use sonora::{AudioProcessing, Config, StreamConfig, config::EchoCanceller};

/// Samples in a frame at 16 kHz: 10 ms.
pub(super) const FRAME: usize = 160;
const RATE_HZ: u32 = interpret_models::SOURCE_SAMPLE_RATE;

/// Loudness (root mean square, full scale 1) from which something counts as played: -60 dB.
const PLAYED: f32 = 1e-3;
/// Frames for which a room may return what was played: the delay of devices, and reverberation.
const RETURNS_FOR: u32 = 60;
/// An interruption is at least this loud: -50 dB.
const LEAST_SPEECH: f32 = 3.2e-3;
/// Share of the loudness that the canceller must leave for it to be an interruption: -10 dB.
const LEAST_LEFT: f32 = 0.32;
/// Weight of a new frame in the averages: about 30 ms.
const SMOOTHING: f32 = 0.35;
/// Frames in a row that must say so.
const SURE_AFTER: u32 = 2;
/// Frames for which the gate stays open after an interruption was last heard.
const OPEN_FOR: u32 = 30;
/// Frames of a little past that are passed on when the gate opens, so that no first sound is lost.
const LOOK_BACK: usize = 2;

/// How much to guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EchoMode {
    /// Headphones: the microphone cannot hear what is played.
    Off,
    /// Cancel the echo; whoever interrupts is heard.
    #[default]
    Cancel,
    /// Hear nothing while something is played, and shortly after.
    HalfDuplex,
}

/// Guards one microphone against one loudspeaker, 10 ms at a time. What it gives is
/// [`delay_ms`](Self::delay_ms) late.
pub struct EchoGuard {
    mode: EchoMode,
    canceller: AudioProcessing,
    /// Frames for which what was played may still return.
    returns: u32,
    before: f32,
    after: f32,
    sure: u32,
    open: u32,
    delayed: std::collections::VecDeque<[f32; FRAME]>,
}

impl EchoGuard {
    /// A guard for sound at 16 kHz.
    #[must_use]
    pub fn new(mode: EchoMode) -> Self {
        let config = Config {
            echo_canceller: Some(EchoCanceller::default()),
            ..Config::default()
        };
        let format = StreamConfig::new(RATE_HZ, 1);
        let canceller = AudioProcessing::builder()
            .config(config)
            .capture_config(format)
            .render_config(format)
            .build();
        let delayed = match mode {
            EchoMode::Cancel => std::iter::repeat_n([0.0; FRAME], LOOK_BACK).collect(),
            EchoMode::Off | EchoMode::HalfDuplex => std::collections::VecDeque::new(),
        };
        Self {
            mode,
            canceller,
            returns: 0,
            before: 0.0,
            after: 0.0,
            sure: 0,
            open: 0,
            delayed,
        }
    }

    /// How much later sound comes out than it goes in.
    #[must_use]
    pub fn delay_ms(&self) -> u32 {
        u32::try_from(self.delayed.len() * 10).unwrap_or(u32::MAX)
    }

    /// Takes what was heard and what was played in the same 10 ms; leaves in `heard` what is to
    /// be interpreted.
    pub fn guard(&mut self, heard: &mut [f32; FRAME], played: &[f32; FRAME]) {
        if self.mode == EchoMode::Off {
            return;
        }
        if loudness(played) > PLAYED {
            self.returns = RETURNS_FOR;
        } else {
            self.returns = self.returns.saturating_sub(1);
        }
        match self.mode {
            EchoMode::HalfDuplex if self.returns > 0 => heard.fill(0.0),
            EchoMode::Cancel => self.cancel(heard, played),
            EchoMode::HalfDuplex | EchoMode::Off => {}
        }
    }

    fn cancel(&mut self, heard: &mut [f32; FRAME], played: &[f32; FRAME]) {
        let mut left = [0.0_f32; FRAME];
        let mut unused = [0.0_f32; FRAME];
        let rendered = self
            .canceller
            .process_render_f32(&[played], &mut [&mut unused]);
        let captured = self
            .canceller
            .process_capture_f32(&[&heard[..]], &mut [&mut left]);
        if let Err(error) = rendered.and(captured) {
            // Frames of one size and rate cannot fail; if they did, better deaf than a loop.
            tracing::warn!(?error, "the echo canceller failed");
            left.fill(0.0);
        }
        self.before += SMOOTHING * (loudness(heard) - self.before);
        self.after += SMOOTHING * (loudness(&left) - self.after);
        let interrupts = self.after > LEAST_SPEECH && self.after > LEAST_LEFT * self.before;
        self.sure = if interrupts { self.sure + 1 } else { 0 };
        if self.sure >= SURE_AFTER {
            self.open = OPEN_FOR;
        } else {
            self.open = self.open.saturating_sub(1);
        }
        self.delayed.push_back(left);
        if let Some(oldest) = self.delayed.pop_front() {
            *heard = oldest;
        }
        if self.returns > 0 && self.open == 0 {
            heard.fill(0.0);
        }
    }
}

fn loudness(frame: &[f32; FRAME]) -> f32 {
    (frame.iter().map(|s| s * s).sum::<f32>() / FRAME as f32).sqrt()
}

impl std::fmt::Debug for EchoGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("EchoGuard")
            .field("mode", &self.mode)
            .field("returns", &self.returns)
            .field("open", &self.open)
            .finish_non_exhaustive()
    }
}
