//! Does not interpret itself: takes out of what the microphone hears what the loudspeaker says.
//!
//! The canceller is AEC3, the one in web browsers (crate `sonora-aec3`). It has two stages. The first
//! knows what is played, learns how the room changes it, and subtracts that: speech that is heard at the
//! same time stays whole, and some echo is left. The second suppresses whatever may be echo: nothing of
//! it is left, and not enough of the speech for a recogniser. An interpreter speaks nearly always while
//! the speaker does, so we pass on what the first stage gives, and only ask the second whether anybody
//! speaks at all: while something is being played (and for as long as a room may return it), a gate is
//! open only if the second stage left enough. Somebody who speaks loses little there, an echo nearly
//! everything, except just after its way has changed, while the canceller has still to learn: so the gate
//! stays closed, too, where what is heard is plainly what was played.

mod likeness;

use sonora_aec3::{block::Block, block_processor::BlockProcessor, config::EchoCanceller3Config};

use self::likeness::Likeness;

/// Samples in a frame at 16 kHz: 4 ms, a block of the canceller.
pub const FRAME: usize = 64;
const RATE_HZ: u32 = interpret_models::SOURCE_SAMPLE_RATE;
/// The canceller works with samples of the size of 16-bit ones.
const SCALE: f32 = 32_768.0;

/// Loudness (root mean square, full scale 1) from which something counts as played: -60 dB.
const PLAYED: f32 = 1e-3;
/// Frames for which a room may return what was played: the delay of devices, and reverberation (.6 s).
const RETURNS_FOR: u32 = 150;
/// An interruption is at least this loud: -50 dB.
const LEAST_SPEECH: f32 = 3.2e-3;
/// Share of the loudness that the canceller must leave for it to be an interruption: -10 dB.
const LEAST_LEFT: f32 = 0.32;
/// Weight of a new frame in the averages: about 30 ms.
const SMOOTHING: f32 = 0.15;
/// Frames in a row that must say so: 20 ms.
const SURE_AFTER: u32 = 5;
/// What is heard is what was played where they are so much alike: with .6, interruptions lose a word in eleven
/// more; with .7, an echo that comes on another way than before is not always known.
const ALIKE: f32 = 0.65;
/// Frames for which the gate stays open after an interruption was last heard: .3 s.
const OPEN_FOR: u32 = 75;
/// Frames of a little past that are passed on when the gate opens, so that no first sound is lost: 20 ms.
const LOOK_BACK: usize = 5;

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

/// Guards one microphone against what is played, 4 ms at a time. What it gives is
/// [`delay_ms`](Self::delay_ms) late.
pub struct EchoGuard {
    mode: EchoMode,
    canceller: BlockProcessor,
    /// What is played, what is heard (and what is left of it), and what the first stage makes of it.
    played: Block,
    heard: Block,
    subtracted: Block,
    /// Frames for which what was played may still return.
    returns: u32,
    before: f32,
    after: f32,
    sure: u32,
    open: u32,
    likeness: Likeness,
    delayed: std::collections::VecDeque<[f32; FRAME]>,
}

impl EchoGuard {
    /// A guard for sound at 16 kHz.
    #[must_use]
    pub fn new(mode: EchoMode) -> Self {
        let mut config = EchoCanceller3Config::default();
        config.filter.export_linear_aec_output = true;
        let delayed = match mode {
            EchoMode::Cancel => std::iter::repeat_n([0.0; FRAME], LOOK_BACK).collect(),
            EchoMode::Off | EchoMode::HalfDuplex => std::collections::VecDeque::new(),
        };
        Self {
            mode,
            canceller: BlockProcessor::new(&config, RATE_HZ as usize, 1, 1),
            played: Block::new(1, 1),
            heard: Block::new(1, 1),
            subtracted: Block::new(1, 1),
            returns: 0,
            before: 0.0,
            after: 0.0,
            sure: 0,
            open: 0,
            likeness: Likeness::new(),
            delayed,
        }
    }

    /// How much later sound comes out than it goes in.
    #[must_use]
    pub fn delay_ms(&self) -> u32 {
        u32::try_from(self.delayed.len() * FRAME * 1000 / RATE_HZ as usize).unwrap_or(u32::MAX)
    }

    /// Takes what was heard and what was played in the same 4 ms; leaves in `heard` what is to
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
        scaled(played, self.played.view_mut(0, 0));
        scaled(heard, self.heard.view_mut(0, 0));
        let saturated = heard.iter().any(|sample| sample.abs() >= 0.999);
        self.canceller.buffer_render(&self.played);
        self.canceller.process_capture(
            false,
            saturated,
            Some(&mut self.subtracted),
            &mut self.heard,
        );
        let mut left = [0.0_f32; FRAME];
        for (left, sample) in left.iter_mut().zip(self.heard.view(0, 0)) {
            *left = sample / SCALE;
        }
        let mut speech = [0.0_f32; FRAME];
        for (speech, sample) in speech.iter_mut().zip(self.subtracted.view(0, 0)) {
            *speech = (sample / SCALE).clamp(-1.0, 1.0);
        }
        self.before += SMOOTHING * (loudness(heard) - self.before);
        self.after += SMOOTHING * (loudness(&left) - self.after);
        let interrupts = self.after > LEAST_SPEECH && self.after > LEAST_LEFT * self.before;
        self.likeness.take(heard, played);
        self.sure = if interrupts { self.sure + 1 } else { 0 };
        // Nobody speaks where what is heard is what was played. It need not be asked at every frame.
        let asked = self.returns > 0 && self.sure > 0 && self.sure.is_multiple_of(SURE_AFTER);
        if asked && self.likeness.now() > ALIKE {
            self.sure = 0;
        }
        if self.sure >= SURE_AFTER {
            self.open = OPEN_FOR;
        } else {
            self.open = self.open.saturating_sub(1);
        }
        self.delayed.push_back(speech);
        if let Some(oldest) = self.delayed.pop_front() {
            *heard = oldest;
        }
        if self.returns > 0 && self.open == 0 {
            heard.fill(0.0);
        }
    }
}

fn scaled(from: &[f32; FRAME], into: &mut [f32]) {
    for (into, sample) in into.iter_mut().zip(from) {
        *into = sample * SCALE;
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
