//! How busy the models are.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// Time over which load is measured.
pub const OVER: Duration = Duration::from_secs(10);
/// Parts of it, of which the oldest is forgotten.
const PARTS: usize = 20;

/// Measures the share of time that models work. Cheap to clone; clones are the same meter.
#[derive(Debug, Clone)]
pub struct LoadMeter(Arc<Mutex<State>>);

#[derive(Debug)]
struct State {
    /// Whether one model works at a time, so that their times add up.
    in_turn: bool,
    begun: Instant,
    engines: BTreeMap<&'static str, [Part; PARTS]>,
}

/// An engine's time in one part.
#[derive(Debug, Clone, Copy, Default)]
struct Part {
    /// Which part it is.
    number: u64,
    busy: Duration,
    /// What of it could have been spared.
    spare: Duration,
}

impl LoadMeter {
    /// A meter for models that work one after the other, or at once.
    pub(super) fn new(in_turn: bool) -> Self {
        Self(Arc::new(Mutex::new(State {
            in_turn,
            begun: Instant::now(),
            engines: BTreeMap::new(),
        })))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `engine` has just worked for so long.
    pub(super) fn worked(&self, engine: &'static str, busy: Duration) {
        self.add(Instant::now(), engine, busy, Duration::ZERO);
    }

    /// So much of what `engine` has just worked could have been spared: a recogniser that has time runs more
    /// often than it must.
    pub fn could_spare(&self, engine: &'static str, spare: Duration) {
        self.add(Instant::now(), engine, Duration::ZERO, spare);
    }

    fn add(&self, now: Instant, engine: &'static str, busy: Duration, spare: Duration) {
        let mut state = self.state();
        let number = state.part(now);
        let parts = state.engines.entry(engine).or_default();
        let part = &mut parts[number as usize % PARTS];
        if part.number != number {
            *part = Part {
                number,
                ..Part::default()
            };
        }
        part.busy += busy;
        part.spare += spare;
    }

    /// Share of the last ten seconds that models worked; that of the busiest, where they work at once.
    #[must_use]
    pub fn pressure(&self) -> f32 {
        self.share(Instant::now(), |part| part.busy)
    }

    /// The same without what could have been spared.
    #[must_use]
    pub fn needed(&self) -> f32 {
        self.share(Instant::now(), |part| part.busy.saturating_sub(part.spare))
    }

    fn share(&self, now: Instant, time: impl Fn(&Part) -> Duration) -> f32 {
        let state = self.state();
        let number = state.part(now);
        let shares = state.engines.values().map(|parts| {
            let recent = parts
                .iter()
                .filter(|part| number < part.number + PARTS as u64);
            let busy: Duration = recent.map(&time).sum();
            busy.as_secs_f32() / OVER.as_secs_f32()
        });
        let pressure = if state.in_turn {
            shares.sum::<f32>()
        } else {
            shares.fold(0.0, f32::max)
        };
        // The sum of nothing is -0.
        pressure.clamp(0.0, 1.0)
    }
}

impl State {
    fn part(&self, now: Instant) -> u64 {
        let since = now.saturating_duration_since(self.begun);
        (since.as_millis() / (OVER.as_millis() / PARTS as u128)) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after(meter: &LoadMeter, ms: u64) -> Instant {
        meter.state().begun + Duration::from_millis(ms)
    }

    #[test]
    fn work_counts_for_ten_seconds() {
        let meter = LoadMeter::new(true);
        for second in 0..5 {
            let now = after(&meter, second * 1_000);
            meter.add(
                now,
                "recognition",
                Duration::from_millis(500),
                Duration::from_millis(200),
            );
        }
        let close = |a: f32, b: f32| (a - b).abs() < 0.01;
        let pressure = |ms| meter.share(after(&meter, ms), |part| part.busy);
        assert!(close(pressure(5_000), 0.25));
        assert!(close(pressure(12_400), 0.10));
        assert!(close(pressure(20_000), 0.0));
        let spare = meter.share(after(&meter, 5_000), |part| part.spare);
        assert!(close(spare, 0.10));
    }

    #[test]
    fn times_add_up_only_where_models_work_in_turn() {
        for (in_turn, pressure) in [(true, 0.5), (false, 0.3)] {
            let meter = LoadMeter::new(in_turn);
            let now = after(&meter, 1_000);
            meter.add(now, "recognition", Duration::from_secs(3), Duration::ZERO);
            meter.add(now, "synthesis", Duration::from_secs(2), Duration::ZERO);
            assert!(
                (meter.share(now, |part| part.busy) - pressure).abs() < 0.01,
                "{in_turn}"
            );
        }
    }
}
