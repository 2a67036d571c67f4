//! Whether the machine keeps up with more work: what the models need now, and what is expected of work
//! that has just begun. So what runs is never spoilt by what comes.

mod forecast;
mod slots;

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use self::forecast::Forecast;
pub(crate) use self::slots::{Slot, Slots};
use crate::{
    engines::{Engines, LoadMeter},
    session::Refusal,
};

/// The machine's room for work. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Headroom {
    /// Most share of the models' time that may be expected.
    limit: f32,
    engines: Arc<OnceLock<Engines>>,
    forecast: Arc<Mutex<Forecast>>,
}

/// A voice takes about half of what a session does (docs/operations.md, "Size").
const VOICE: f32 = 0.5;

/// How much of the models' time something takes, in sessions with one voice.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Work(f32);

impl Work {
    /// A session whose speech is rendered in so many voices.
    pub(crate) fn session(voices: usize) -> Self {
        Self(1.0 - VOICE).and(Self::voices(voices))
    }

    /// So many voices. A language that is only written takes next to nothing.
    pub(crate) fn voices(count: usize) -> Self {
        Self(VOICE * count as f32)
    }

    /// Both together.
    pub(crate) fn and(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

/// What a session takes of the machine, until it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    headroom: Headroom,
    id: u64,
}

impl Headroom {
    /// Room up to a share of the models' time; as long as there are no engines, nothing is needed.
    pub(crate) fn new(limit: f32, engines: Arc<OnceLock<Engines>>) -> Self {
        Self {
            limit,
            engines,
            forecast: Arc::new(Mutex::new(Forecast::new())),
        }
    }

    /// Takes a share, whatever is left.
    pub(crate) fn take(&self, work: Work) -> Share {
        Share {
            headroom: self.clone(),
            id: self.forecast().begin(work),
        }
    }

    /// Takes a share if there is room for it besides what runs; the first always has.
    ///
    /// # Errors
    /// When it would not be in time, or make others late.
    pub(crate) fn ask(&self, work: Work) -> Result<Share, Refusal> {
        let mut forecast = self.forecast();
        let others = forecast.sessions();
        if let Some(occupied) = self.occupied(&mut forecast, others, work) {
            return Err(Refusal::Full(format!(
                "the machine would not keep up with one more session ({occupied}); try again in ten seconds, \
                 use a smaller model, or raise sessions.pressure_limit"
            )));
        }
        let id = forecast.begin(work);
        drop(forecast);
        Ok(Share {
            headroom: self.clone(),
            id,
        })
    }

    /// Whether there is room for one more session.
    pub(crate) fn is_there(&self) -> bool {
        let mut forecast = self.forecast();
        let others = forecast.sessions();
        self.occupied(&mut forecast, others, Work::session(1))
            .is_none()
    }

    /// What keeps `work` from being in time without making `others` late; nothing, where there are none.
    fn occupied(&self, forecast: &mut Forecast, others: usize, work: Work) -> Option<String> {
        let needed = self.load(LoadMeter::needed);
        let full = others > 0 && forecast.expected(work, needed) > self.limit;
        full.then(|| {
            format!(
                "{} run now, and need {:.0} % of the models' time",
                forecast.sessions(),
                // It may be a negative nought.
                needed.abs() * 100.0
            )
        })
    }

    /// How busy the models are.
    pub(crate) fn pressure(&self) -> f32 {
        self.load(LoadMeter::pressure)
    }

    fn load(&self, measure: impl Fn(&LoadMeter) -> f32) -> f32 {
        let engines = self.engines.get();
        engines.map_or(0.0, |engines| measure(engines.load()))
    }

    fn forecast(&self) -> MutexGuard<'_, Forecast> {
        // Nothing panics while it is held.
        self.forecast.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Share {
    /// Takes more, if there is room for it besides what others do. Who runs alone always has, and nothing
    /// is always given.
    ///
    /// # Errors
    /// When it would make others late.
    pub(crate) fn grow(&self, work: Work) -> Result<(), Refusal> {
        let mut forecast = self.headroom.forecast();
        let others = forecast.sessions() - 1;
        if work.0 > 0.0
            && let Some(occupied) = self.headroom.occupied(&mut forecast, others, work)
        {
            return Err(Refusal::Full(format!(
                "the machine would not keep up with one more voice ({occupied}); ask for captions only, or \
                 try again later"
            )));
        }
        forecast.grow(self.id, work);
        Ok(())
    }

    /// Takes more, whatever is left.
    pub(crate) fn take(&self, work: Work) {
        self.headroom.forecast().grow(self.id, work);
    }

    /// Takes less.
    pub(crate) fn shrink(&self, work: Work) {
        self.headroom.forecast().shrink(self.id, work);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.headroom.forecast().end(self.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Without engines nothing is measured; what is expected of those that begin remains.
    fn headroom(limit: f32) -> Headroom {
        Headroom::new(limit, Arc::default())
    }

    #[test]
    fn the_first_is_always_taken_and_the_next_only_with_room() {
        let headroom = headroom(0.01);
        assert!(headroom.is_there());
        let first = headroom.ask(Work::session(5)).unwrap();
        assert!(!headroom.is_there());
        let refused = headroom.ask(Work::session(1)).unwrap_err();
        assert!(
            matches!(&refused, Refusal::Full(why) if why.contains("1 run now")),
            "{refused}"
        );
        drop(first);
        assert!(headroom.ask(Work::session(1)).is_ok());
    }

    #[test]
    fn a_session_grows_as_it_likes_when_alone_and_within_bounds_beside_others() {
        let headroom = headroom(0.01);
        let first = headroom.take(Work::session(1));
        first.grow(Work::voices(1)).unwrap();
        let second = headroom.take(Work::session(1));
        let refused = first.grow(Work::voices(1)).unwrap_err();
        assert!(
            matches!(&refused, Refusal::Full(why) if why.contains("captions only")),
            "{refused}"
        );
        drop(second);
        first.grow(Work::voices(1)).unwrap();
    }
}
