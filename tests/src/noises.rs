//! Sounds that nobody speaks in, 16 kHz mono, the same each time.

use std::f32::consts::TAU;

/// Samples a second.
const RATE: f32 = 16_000.0;

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    /// A quiet room through a microphone.
    Silence,
    /// All frequencies alike, loud.
    White,
    /// Traffic, wind, fans: the deeper the louder.
    Brown,
    /// The mains and their harmonics.
    Hum,
    /// Chords and a tune above them, with overtones and vibrato.
    Music,
    /// Somebody breathing into a headset.
    Breath,
    /// Somebody typing near the microphone.
    Keyboard,
}

impl Noise {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Silence,
        Self::White,
        Self::Brown,
        Self::Hum,
        Self::Music,
        Self::Breath,
        Self::Keyboard,
    ];

    /// So many seconds of it.
    #[must_use]
    pub fn samples(self, seconds: usize) -> Vec<f32> {
        let mut random = Random(0x2545_F491_4F6C_DD1D);
        let (mut deep, mut band) = (0.0, Band::default());
        let mut key = Key::default();
        (0..seconds * RATE as usize)
            .map(|at| {
                let time = at as f64 / f64::from(RATE);
                let white = random.next();
                match self {
                    Self::Silence => white * 0.0003,
                    Self::White => white * 0.1,
                    Self::Brown => {
                        deep = deep * 0.99 + white * 0.05;
                        deep * 0.8
                    }
                    Self::Hum => (1..8_u8)
                        .map(|n| wave(50.0 * f32::from(n), time, 0.0) * 0.08 / f32::from(n))
                        .sum(),
                    Self::Music => music(time),
                    // In and out within four seconds, the way out louder.
                    Self::Breath => {
                        let swell = wave(0.25, time, 0.0);
                        let loud = if swell > 0.0 {
                            swell * 0.06
                        } else {
                            -swell * 0.12
                        };
                        band.pass(white, 900.0, 0.9) * loud
                    }
                    Self::Keyboard => key.press(&mut random, white) + white * 0.0005,
                }
            })
            .collect()
    }
}

/// A pseudo-random generator (xorshift): the same numbers on every machine.
struct Random(u64);

impl Random {
    /// Between -1 and 1.
    fn next(&mut self) -> f32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 40) as f32 / 8_388_608.0 - 1.0
    }
}

/// Lets through what lies around a frequency.
#[derive(Default)]
struct Band {
    before: [f32; 2],
}

impl Band {
    /// `width` near 1 is narrow.
    fn pass(&mut self, sample: f32, frequency: f32, width: f32) -> f32 {
        let turn = 2.0 * width * (TAU * frequency / RATE).cos();
        let now = sample + turn * self.before[0] - width * width * self.before[1];
        self.before = [now, self.before[0]];
        now * (1.0 - width)
    }
}

/// Keys that click when they are pressed, at odd intervals.
#[derive(Default)]
struct Key {
    until_next: u32,
    loud: f32,
    body: Band,
}

impl Key {
    fn press(&mut self, random: &mut Random, white: f32) -> f32 {
        if self.until_next == 0 {
            // 80 to 380 ms.
            self.until_next = 1_280 + ((random.next() + 1.0) * 2_400.0) as u32;
            self.loud = 0.3 + random.next().abs() * 0.3;
        }
        self.until_next -= 1;
        self.loud *= 0.996;
        self.body.pass(white, 2_600.0, 0.8) * self.loud
    }
}

/// Four chords, half a second to a note of the tune.
fn music(time: f64) -> f32 {
    const CHORDS: [[f32; 3]; 4] = [
        [220.0, 277.2, 329.6],
        [174.6, 220.0, 261.6],
        [130.8, 164.8, 196.0],
        [196.0, 246.9, 293.7],
    ];
    let tone = |frequency: f32, loud: f32, bend: f32| -> f32 {
        (1..6_u8)
            .map(|n| {
                wave(frequency * f32::from(n), time, bend * f32::from(n)) * loud / f32::from(n)
            })
            .sum()
    };
    let beat = (time * 2.0) as usize;
    let chord = CHORDS[beat / 4 % 4];
    let fade = (-3.0 * (time * 2.0).fract()).exp() as f32;
    let vibrato = 0.1 * wave(5.5, time, 0.0);
    let tune = tone(chord[(beat * 7 + beat / 3) % 3] * 2.0, 0.12 * fade, vibrato);
    tune + chord.iter().map(|note| tone(*note, 0.03, 0.0)).sum::<f32>()
}

/// A sine at a moment in seconds, ahead by so many turns.
fn wave(frequency: f32, time: f64, ahead: f32) -> f32 {
    let turns = (f64::from(frequency) * time + f64::from(ahead)).fract();
    (TAU * turns as f32).sin()
}
