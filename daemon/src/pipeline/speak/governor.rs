//! The lag governor of one target's speech: what is done so that the voice does not fall further and
//! further behind the speaker.
//!
//! Pure logic on two numbers: how much speech waits to be heard, and how long ago the source of what
//! is to be spoken next will have been said when it is heard. In this order: pauses are shortened, speech gets faster (up to
//! [`FASTEST`]), speech is left out. Each is undone by itself when the lag goes down, later than it
//! was done (hysteresis), so that it does not flutter.

use std::time::Duration;

/// Fastest speech: above it listeners tire.
pub(super) const FASTEST: f32 = 1.35;
/// Most that the speed changes from one phrase to the next.
const SLEW: f32 = 0.08;
/// Less of a change of speed is not told.
const TOLD: f32 = 0.05;

/// When the governor acts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct SpeechLimits {
    /// Speech waiting to be heard from which pauses are shortened; half of it, and they are not.
    pub(crate) short_pauses: Duration,
    /// Speech waiting to be heard from which speech gets faster ...
    pub(crate) faster: Duration,
    /// ... and at which it is fastest.
    pub(crate) fastest: Duration,
    /// Lag from which speech gets faster while the voice does not pause, as it can only catch up then
    /// by being fast ...
    pub(crate) late: Duration,
    /// ... and at which it is fastest.
    pub(crate) latest: Duration,
    /// Lag from which speech is left out ...
    pub(crate) silent: Duration,
    /// ... until the lag is no more than this.
    pub(crate) speaks_again: Duration,
}

/// How to speak.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Manner {
    pub(super) rate: f32,
    pub(super) pauses_shortened: bool,
    pub(super) captions_only: bool,
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            rate: 1.0,
            pauses_shortened: false,
            captions_only: false,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Governor {
    limits: SpeechLimits,
    manner: Manner,
    told: Manner,
}

impl Governor {
    pub(super) fn new(limits: SpeechLimits) -> Self {
        Self {
            limits,
            manner: Manner::default(),
            told: Manner::default(),
        }
    }

    /// How to speak the next phrase, when so much speech waits to be heard before it, and its source
    /// will have been said `lag` before it is heard.
    pub(super) fn manner(&mut self, backlog: Duration, lag: Duration) -> Manner {
        let limits = self.limits;
        let behind = if backlog.is_zero() {
            0.0
        } else {
            part(lag, limits.late, limits.latest)
        };
        let part = part(backlog, limits.faster, limits.fastest).max(behind);
        let wanted = 1.0 + part * (FASTEST - 1.0);
        let rate = self.manner.rate;
        self.manner.rate = wanted.clamp(rate - SLEW, rate + SLEW);
        self.manner.pauses_shortened = if self.manner.pauses_shortened {
            backlog > limits.short_pauses / 2
        } else {
            backlog >= limits.short_pauses
        };
        self.manner.captions_only = if self.manner.captions_only {
            lag > limits.speaks_again
        } else {
            lag >= limits.silent
        };
        self.manner
    }

    /// The manner in force, if it has changed enough since it was last asked for here to be told.
    pub(super) fn change(&mut self) -> Option<Manner> {
        let (now, told) = (self.manner, self.told);
        let back = now.rate == 1.0 && told.rate != 1.0;
        let changed = (now.rate - told.rate).abs() >= TOLD
            || back
            || now.pauses_shortened != told.pauses_shortened
            || now.captions_only != told.captions_only;
        if changed {
            self.told = now;
        }
        changed.then_some(now)
    }
}

/// Where `value` lies between two limits: 0 at the lower one or below, 1 at the upper one or above.
fn part(value: Duration, from: Duration, to: Duration) -> f32 {
    let (value, from, to) = (value.as_secs_f32(), from.as_secs_f32(), to.as_secs_f32());
    ((value - from) / (to - from)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const fn s(tenths: u64) -> Duration {
        Duration::from_millis(tenths * 100)
    }

    const LIMITS: SpeechLimits = SpeechLimits {
        short_pauses: s(10),
        faster: s(10),
        fastest: s(40),
        late: s(50),
        latest: s(70),
        silent: s(120),
        speaks_again: s(50),
    };

    #[test]
    fn acts_in_order_and_comes_back() {
        let mut governor = Governor::new(LIMITS);
        assert_eq!(governor.manner(s(5), s(20)), Manner::default());
        assert_eq!(governor.change(), None);
        let manner = governor.manner(s(10), s(30));
        assert!(manner.pauses_shortened && manner.rate == 1.0);
        for _ in 0..5 {
            governor.manner(s(45), s(60));
        }
        let manner = governor.change().unwrap();
        assert!((manner.rate - FASTEST).abs() < 1e-6 && !manner.captions_only);
        assert!(governor.manner(s(90), s(120)).captions_only);
        assert!(
            governor.manner(s(20), s(60)).captions_only,
            "still too late"
        );
        assert!(!governor.manner(s(10), s(50)).captions_only);
        for _ in 0..8 {
            governor.manner(s(0), s(20));
        }
        assert_eq!(governor.change(), Some(Manner::default()));
    }

    #[test]
    fn a_late_voice_that_does_not_pause_gets_faster() {
        let mut governor = Governor::new(LIMITS);
        assert_eq!(governor.manner(s(0), s(70)).rate, 1.0);
        for _ in 0..5 {
            governor.manner(s(1), s(60));
        }
        let rate = governor.manner(s(1), s(60)).rate;
        assert!((rate - (1.0 + FASTEST) / 2.0).abs() < 1e-6, "{rate}");
    }

    /// Utterances of fourteen seconds without a pause between them, five sentences each, which take
    /// longer to say in the target's language.
    #[test]
    fn in_accurate_whole_utterances_are_no_reason_to_leave_anything_out() {
        const SENTENCE: f32 = 2.8;
        const LONGER: f32 = 1.15;
        let seconds = |seconds: f32| Duration::from_secs_f32(seconds.max(0.0));
        let mut governor = Governor::new(crate::pipeline::Mode::Accurate.speech().limits);
        let (mut heard, mut most) = (0.0_f32, 0.0_f32);
        for end in (1..60_u8).map(|utterance| 14.0 * f32::from(utterance)) {
            for sentence in (0..5_u8).map(f32::from) {
                let now = end + 1.0 + 0.6 * sentence;
                let unheard = (heard - now).max(0.0);
                let backlog = unheard + SENTENCE * LONGER * (4.0 - sentence);
                let lag = now - (end - 14.0 + SENTENCE * (sentence + 1.0)) + unheard;
                let manner = governor.manner(seconds(backlog), seconds(lag));
                assert!(!manner.captions_only, "{lag} s behind at {now} s");
                heard = heard.max(now) + SENTENCE * LONGER / manner.rate;
                most = most.max(lag);
            }
        }
        assert!(most < 30.0, "{most}");
    }

    proptest! {
        #[test]
        fn speed_stays_within_bounds_and_changes_smoothly(
            lags in prop::collection::vec((0_u64..200, 0_u64..300), 1..60),
        ) {
            let mut governor = Governor::new(LIMITS);
            let mut before = 1.0;
            for (backlog, lag) in lags {
                let manner = governor.manner(s(backlog), s(lag));
                prop_assert!((1.0..=FASTEST).contains(&manner.rate));
                prop_assert!((manner.rate - before).abs() <= SLEW + 1e-6);
                before = manner.rate;
            }
        }
    }
}
