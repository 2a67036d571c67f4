//! Rooms: sessions that others listen to.
//!
//! A session that names a room is its floor. Listeners join in one language each and get what the
//! session says in it; recognition, translation and speech run once, however many listen. Each
//! listener has a [`Mailbox`] of their own: one who reads slowly loses their own oldest audio, and
//! slows nobody.

mod mailbox;
mod room;

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};

pub(crate) use mailbox::{Mail, Mailbox};
pub(crate) use room::{Floor, Listener, Room};

use crate::session::Refusal;

/// Longest name of a room.
const LONGEST_NAME: usize = 100;

/// All rooms of a daemon, by name.
#[derive(Debug, Clone, Default)]
pub(crate) struct Rooms(Arc<Mutex<HashMap<String, Weak<Room>>>>);

impl Rooms {
    /// Opens a room for a session. It closes when the session drops it.
    ///
    /// # Errors
    /// When the name makes no sense, or another session has the room.
    pub(crate) fn open(&self, name: &str, floor: Floor) -> Result<Arc<Room>, Refusal> {
        let good = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        if name.len() > LONGEST_NAME || !name.chars().all(good) {
            return Err(Refusal::BadConfig(format!(
                "a room's name has at most {LONGEST_NAME} letters, digits, dots, dashes and underscores"
            )));
        }
        let mut rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.retain(|_, room| room.strong_count() > 0);
        if rooms.contains_key(name) {
            return Err(Refusal::RoomTaken(format!(
                "another session speaks in the room '{name}'; it is free when that session ends"
            )));
        }
        let room = Arc::new(Room::new(floor));
        rooms.insert(name.to_owned(), Arc::downgrade(&room));
        Ok(room)
    }

    /// The room of that name.
    ///
    /// # Errors
    /// When nobody speaks in it.
    pub(crate) fn find(&self, name: &str) -> Result<Arc<Room>, Refusal> {
        let rooms = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        rooms.get(name).and_then(Weak::upgrade).ok_or_else(|| {
            Refusal::NoRoom(format!(
                "nobody speaks in a room '{name}' now; a session opens it with SessionConfig.room"
            ))
        })
    }
}
