//! Keys that are pressed: pairs of tones (ITU-T Q.23, Q.24).

/// Tones of the rows and columns of keys, in Hz.
const ROWS: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
const COLUMNS: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
const KEYS: [[char; 4]; 4] = [
    ['1', '2', '3', 'A'],
    ['4', '5', '6', 'B'],
    ['7', '8', '9', 'C'],
    ['*', '0', '#', 'D'],
];
/// Length of what is judged at once: 205 samples at 8 kHz, where the tones fall between no two of the
/// transform's frequencies.
const BLOCK_SECONDS: f32 = 205.0 / 8_000.0;
/// Share of the power that both tones together have at least: voices spread theirs.
const PURITY: f32 = 0.75;
/// How much stronger one tone may be than the other: 10 dB.
const TWIST: f32 = 10.0;
/// Faintest mean power of a key: -40 dB of full scale.
const FAINTEST: f32 = 1e-4;
/// Blocks in a row for a key to be pressed, or let go.
const SURE: u32 = 2;

/// Finds keys in the sound of one leg.
#[derive(Debug)]
pub(super) struct DtmfDetector {
    sample_rate_hz: f32,
    block: usize,
    pending: Vec<f32>,
    /// The key in the last blocks, and in how many.
    seen: (Option<char>, u32),
    /// The key that is being pressed.
    pressed: Option<char>,
}

impl DtmfDetector {
    pub(super) fn new(sample_rate_hz: u32) -> Self {
        let rate = sample_rate_hz as f32;
        Self {
            sample_rate_hz: rate,
            block: (rate * BLOCK_SECONDS) as usize,
            pending: Vec::new(),
            seen: (None, 0),
            pressed: None,
        }
    }

    /// The key that is, or may be, pressed now: its tone is not speech.
    pub(super) fn current(&self) -> Option<char> {
        self.pressed.or(self.seen.0)
    }

    /// Takes sound, and tells keys that were pressed in it.
    pub(super) fn push(&mut self, samples: &[f32]) -> Vec<char> {
        self.pending.extend_from_slice(samples);
        let whole = self.pending.len() / self.block * self.block;
        let blocks: Vec<f32> = self.pending.drain(..whole).collect();
        blocks
            .chunks(self.block)
            .filter_map(|block| self.block(block))
            .collect()
    }

    fn block(&mut self, block: &[f32]) -> Option<char> {
        let key = self.key(block);
        self.seen = if self.seen.0 == key {
            (key, self.seen.1.saturating_add(1))
        } else {
            (key, 1)
        };
        if self.seen.1 < SURE || self.pressed == key {
            return None;
        }
        self.pressed = key;
        key
    }

    /// The key whose tones fill a block.
    fn key(&self, block: &[f32]) -> Option<char> {
        let length = block.len() as f32;
        let power = block.iter().map(|s| s * s).sum::<f32>() / length;
        if power < FAINTEST {
            return None;
        }
        let strongest = |tones: &[f32; 4]| {
            let powers = tones.map(|hz| self.tone(block, hz));
            let best = (0..4)
                .max_by(|a, b| powers[*a].total_cmp(&powers[*b]))
                .unwrap_or(0);
            (best, powers[best])
        };
        let (row, low) = strongest(&ROWS);
        let (column, high) = strongest(&COLUMNS);
        let pure = low + high > PURITY * power;
        let even = low < high * TWIST && high < low * TWIST;
        (pure && even).then(|| KEYS[row][column])
    }

    /// Mean power of a tone (Goertzel, 1958).
    fn tone(&self, block: &[f32], hz: f32) -> f32 {
        let coefficient = 2.0 * (std::f32::consts::TAU * hz / self.sample_rate_hz).cos();
        let (mut before, mut last) = (0.0_f32, 0.0_f32);
        for sample in block {
            (before, last) = (last, sample + coefficient * last - before);
        }
        let power = last * last + before * before - coefficient * last * before;
        // A sine of amplitude a has the power a²/2, and gives (a n / 2)² here.
        2.0 * power / (block.len() as f32).powi(2)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tones(rate: u32, ms: u32, hz: &[f32], amplitude: f32) -> Vec<f32> {
        let samples = rate * ms / 1_000;
        let sample = |n: u32| {
            let time = n as f32 / rate as f32;
            hz.iter()
                .map(|hz| (std::f32::consts::TAU * hz * time).sin())
                .sum::<f32>()
                * amplitude
        };
        (0..samples).map(sample).collect()
    }

    #[test]
    fn each_key_is_told_once() {
        for rate in [8_000, 16_000, 48_000] {
            for (row, low) in ROWS.iter().enumerate() {
                for (column, high) in COLUMNS.iter().enumerate() {
                    let mut detector = DtmfDetector::new(rate);
                    let mut keys = Vec::new();
                    for _ in 0..2 {
                        let mut sound = tones(rate, 100, &[*low, *high], 0.2);
                        sound.extend(vec![0.0; rate as usize / 10]);
                        for frame in sound.chunks(rate as usize / 50) {
                            keys.extend(detector.push(frame));
                        }
                    }
                    assert_eq!(keys, [KEYS[row][column]; 2], "{rate}");
                }
            }
        }
    }

    #[test]
    fn single_tones_noise_and_silence_are_no_keys() {
        let mut detector = DtmfDetector::new(8_000);
        let mut state = 1_u32;
        let noise: Vec<f32> = (0..80_000)
            .map(|_| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 8) as f32 / (1 << 23) as f32 - 1.0) * 0.3
            })
            .collect();
        assert!(detector.push(&noise).is_empty());
        assert!(detector.push(&tones(8_000, 500, &[697.0], 0.3)).is_empty());
        assert!(
            detector
                .push(&tones(8_000, 500, &[1_209.0], 0.3))
                .is_empty()
        );
        assert!(detector.push(&tones(8_000, 500, &[425.0], 0.3)).is_empty());
        assert!(detector.push(&vec![0.0; 8_000]).is_empty());
        assert!(detector.current().is_none());
    }
}
