//! What the owner of a token has used.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use jiff::{Timestamp, civil::Date, tz::TimeZone};

use super::file::Entry;
use crate::session::Refusal;

/// What the owner of a token may use, and has used. Lives on when the file of tokens is read again.
#[derive(Debug)]
pub struct Allowance {
    entry: Entry,
    usage: Arc<Usage>,
}

/// What has been used.
#[derive(Debug, Default)]
pub(super) struct Usage {
    sessions: AtomicUsize,
    spoken: std::sync::Mutex<Spoken>,
}

/// Speech of one day.
#[derive(Debug, Default)]
struct Spoken {
    day: Date,
    time: Duration,
}

impl Usage {
    /// The speech of today.
    fn with_today<T>(&self, act: impl FnOnce(&mut Duration) -> T) -> T {
        let today = Timestamp::now().to_zoned(TimeZone::UTC).date();
        // A panic while it was held can only have left it as it was.
        let mut spoken = self
            .spoken
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        if spoken.day != today {
            *spoken = Spoken {
                day: today,
                time: Duration::ZERO,
            };
        }
        act(&mut spoken.time)
    }
}

impl Allowance {
    pub(super) fn new(entry: Entry, usage: Arc<Usage>) -> Self {
        Self { entry, usage }
    }

    pub(super) fn entry(&self) -> &Entry {
        &self.entry
    }

    pub(super) fn usage(&self) -> Arc<Usage> {
        Arc::clone(&self.usage)
    }

    /// Whose it is.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.entry.name
    }

    /// Checks that `room` is one of those that are allowed.
    pub(super) fn check_room(&self, room: &str) -> Result<(), Refusal> {
        let allows = |allowed: &String| match allowed.strip_suffix('*') {
            Some(beginning) => room.starts_with(beginning),
            None => room == allowed,
        };
        match &self.entry.rooms {
            Some(rooms) if !rooms.iter().any(allows) => Err(Refusal::NotAllowed(format!(
                "the token '{}' is not for the room '{room}'",
                self.entry.name
            ))),
            _ => Ok(()),
        }
    }

    /// Takes `sessions` of what is allowed.
    pub(super) fn admit(this: &Arc<Self>, sessions: usize) -> Result<Admission, Refusal> {
        let Entry {
            name,
            sessions: most,
            minutes_per_day,
            ..
        } = &this.entry;
        if let Some(minutes) = minutes_per_day {
            let spoken = this.usage.with_today(|time| *time);
            if spoken >= Duration::from_secs(minutes.saturating_mul(60)) {
                return Err(Refusal::Quota(format!(
                    "the token '{name}' has used its {minutes} minutes of today"
                )));
            }
        }
        let most = most.unwrap_or(usize::MAX);
        let taken = this
            .usage
            .sessions
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |now| {
                now.checked_add(sessions).filter(|sum| *sum <= most)
            });
        if taken.is_err() {
            return Err(Refusal::Quota(format!(
                "the token '{name}' may have {most} sessions at once, and has them"
            )));
        }
        Ok(Admission {
            name: name.clone(),
            usage: Some(this.usage()),
            sessions: AtomicUsize::new(sessions),
            heard: AtomicU64::new(0),
        })
    }
}

/// Leave to run some sessions, until they leave or it is dropped.
#[derive(Debug)]
pub struct Admission {
    name: String,
    usage: Option<Arc<Usage>>,
    /// Sessions that it still holds.
    sessions: AtomicUsize,
    /// Microseconds of speech.
    heard: AtomicU64,
}

impl Admission {
    pub(super) fn unlimited() -> Self {
        Self {
            name: String::new(),
            usage: None,
            sessions: AtomicUsize::new(0),
            heard: AtomicU64::new(0),
        }
    }

    /// The token's name; empty: none was needed.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Gives the sessions back, before it is dropped. What is still heard counts.
    pub fn leave(&self) {
        let sessions = self.sessions.swap(0, Ordering::AcqRel);
        if let Some(usage) = &self.usage {
            usage.sessions.fetch_sub(sessions, Ordering::AcqRel);
        }
    }

    /// Speech so far.
    #[must_use]
    pub fn total(&self) -> Duration {
        Duration::from_micros(self.heard.load(Ordering::Relaxed))
    }

    /// Counts so much speech. A session that runs is never ended for it.
    pub fn heard(&self, speech: Duration) {
        let micros = u64::try_from(speech.as_micros()).unwrap_or(u64::MAX);
        self.heard.fetch_add(micros, Ordering::Relaxed);
        if let Some(usage) = &self.usage {
            usage.with_today(|time| *time += speech);
        }
    }
}

impl Drop for Admission {
    fn drop(&mut self) {
        self.leave();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowance(sessions: Option<usize>, minutes_per_day: Option<u64>) -> Arc<Allowance> {
        let entry = Entry {
            name: "desk".to_owned(),
            sha256: [0; 32],
            sessions,
            minutes_per_day,
            rooms: None,
            expires: None,
        };
        Arc::new(Allowance::new(entry, Arc::default()))
    }

    #[test]
    fn sessions_are_given_back() {
        let allowance = allowance(Some(2), None);
        let first = Allowance::admit(&allowance, 1).unwrap();
        assert!(matches!(
            Allowance::admit(&allowance, 2),
            Err(Refusal::Quota(_))
        ));
        let second = Allowance::admit(&allowance, 1).unwrap();
        assert!(Allowance::admit(&allowance, 1).is_err());
        drop(first);
        let call = Allowance::admit(&allowance, 1).unwrap();
        call.leave();
        // Not twice.
        drop((second, call));
        assert!(Allowance::admit(&allowance, 3).is_err());
        assert!(Allowance::admit(&allowance, 2).is_ok());
    }

    #[test]
    fn rooms_are_named_in_full_or_by_their_beginning() {
        let entry = |rooms: Option<&[&str]>| Entry {
            name: "desk".to_owned(),
            sha256: [0; 32],
            sessions: None,
            minutes_per_day: None,
            rooms: rooms.map(|rooms| rooms.iter().map(|&room| room.to_owned()).collect()),
            expires: None,
        };
        let allows = |rooms, room| {
            Allowance::new(entry(rooms), Arc::default())
                .check_room(room)
                .is_ok()
        };
        assert!(allows(None, "any"));
        let some: &[&str] = &["lobby", "hall-*"];
        assert!(allows(Some(some), "lobby") && allows(Some(some), "hall-7"));
        assert!(!allows(Some(some), "lobby-2") && !allows(Some(some), "hall"));
        assert!(!allows(Some(&[]), "lobby"));
    }

    #[test]
    fn minutes_run_out_for_new_sessions_only() {
        let allowance = allowance(None, Some(1));
        let running = Allowance::admit(&allowance, 1).unwrap();
        running.heard(Duration::from_secs(59));
        assert!(Allowance::admit(&allowance, 1).is_ok());
        running.heard(Duration::from_secs(1));
        let error = Allowance::admit(&allowance, 1).unwrap_err();
        assert!(error.to_string().contains("1 minutes"), "{error}");
    }

    #[test]
    fn what_was_used_outlives_the_file() {
        let before = allowance(Some(1), None);
        let _running = Allowance::admit(&before, 1).unwrap();
        let after = Arc::new(Allowance::new(before.entry().clone(), before.usage()));
        assert!(Allowance::admit(&after, 1).is_err());
    }
}
