//! A sign of life: a soft tone while somebody waits for an interpretation.

/// Silence before the first tone, and from tone to tone.
const FIRST_SECONDS: f32 = 1.5;
const EVERY_SECONDS: f32 = 3.0;
/// A tone is so long.
const TONE_SECONDS: f32 = 0.12;
/// Its pitch: that of telephone tones in most countries (ITU-T E.180).
const HZ: f32 = 425.0;
/// Its loudness, about -36 dB of full scale.
const AMPLITUDE: f32 = 0.022;
/// Its edges.
const EDGE_SECONDS: f32 = 0.02;

/// The tone of one ear.
#[derive(Debug)]
pub(super) struct Comfort {
    rate: f32,
    /// Whether the other side is being interpreted.
    expected: bool,
    /// Samples of silence so far.
    silent: u32,
}

impl Comfort {
    pub(super) fn new(rate: u32) -> Self {
        Self {
            rate: rate as f32,
            expected: false,
            silent: 0,
        }
    }

    pub(super) fn expect(&mut self, interpreted: bool) {
        if self.expected != interpreted {
            self.expected = interpreted;
            self.silent = 0;
        }
    }

    /// The next sample; `voiced` where a translation is being heard.
    pub(super) fn next(&mut self, voiced: bool) -> f32 {
        if voiced || !self.expected {
            self.silent = 0;
            return 0.0;
        }
        let silent = self.silent as f32 / self.rate;
        self.silent = self.silent.saturating_add(1);
        if silent < FIRST_SECONDS {
            return 0.0;
        }
        let at = (silent - FIRST_SECONDS) % EVERY_SECONDS;
        if at > TONE_SECONDS {
            return 0.0;
        }
        let edge = (at.min(TONE_SECONDS - at) / EDGE_SECONDS).clamp(0.0, 1.0);
        AMPLITUDE * edge * (std::f32::consts::TAU * HZ * at).sin()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_sounds_only_while_somebody_waits_in_silence() {
        let mut comfort = Comfort::new(8_000);
        let heard = |comfort: &mut Comfort, seconds: usize, voiced: bool| {
            let samples = (0..seconds * 8_000).map(|_| comfort.next(voiced));
            samples.filter(|s| s.abs() > 0.001).count()
        };
        assert_eq!(heard(&mut comfort, 10, false), 0);
        comfort.expect(true);
        assert_eq!(heard(&mut comfort, 1, false), 0);
        assert!(heard(&mut comfort, 3, false) > 400);
        assert_eq!(heard(&mut comfort, 10, true), 0);
        comfort.expect(false);
        assert_eq!(heard(&mut comfort, 10, false), 0);
    }
}
