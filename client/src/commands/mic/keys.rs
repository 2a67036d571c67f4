//! What the person presses while the full screen is shown.

use std::{thread, time::Duration};

use crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use tokio::sync::mpsc;

/// How soon the thread notices that nobody listens any more.
const LOOK_EVERY: Duration = Duration::from_millis(200);
/// Keys that wait.
const WAITING: usize = 16;

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::commands) enum Key {
    /// Hear nothing, or hear again.
    Pause,
    /// Say nothing aloud, or speak again.
    Mute,
    /// Say the last sentence again.
    Again,
    /// Take the next mode.
    Mode,
    /// Interpret into the next language.
    Target,
    /// Write captions of all that was said.
    Save,
    /// Draw again: the window has another size.
    Redraw,
    /// End.
    Quit,
}

impl Key {
    fn of(key: KeyEvent) -> Option<Self> {
        if key.kind == KeyEventKind::Release {
            return None;
        }
        let control = key.modifiers.contains(KeyModifiers::CONTROL);
        Some(match key.code {
            KeyCode::Char('c') if control => Self::Quit,
            KeyCode::Char('p' | 'P' | ' ') => Self::Pause,
            KeyCode::Char('m' | 'M') => Self::Mute,
            KeyCode::Char('r' | 'R') => Self::Again,
            KeyCode::Char('d' | 'D') => Self::Mode,
            KeyCode::Char('t' | 'T') => Self::Target,
            KeyCode::Char('s' | 'S') => Self::Save,
            KeyCode::Char('q' | 'Q') | KeyCode::Esc => Self::Quit,
            _ => return None,
        })
    }
}

/// Keys as they are pressed.
#[derive(Debug)]
pub(super) struct Keys(mpsc::Receiver<Key>);

impl Keys {
    /// Starts to listen. The terminal must be in raw mode.
    pub(super) fn listen() -> Self {
        let (keys, received) = mpsc::channel(WAITING);
        thread::spawn(move || {
            while !keys.is_closed() {
                let pressed = match event::poll(LOOK_EVERY) {
                    Ok(false) => continue,
                    Ok(true) => event::read(),
                    Err(error) => Err(error),
                };
                let key = match pressed {
                    Ok(Event::Key(key)) => Key::of(key),
                    Ok(Event::Resize(..)) => Some(Key::Redraw),
                    Ok(_) => None,
                    // The terminal is gone: SIGHUP says so too.
                    Err(_) => return,
                };
                if let Some(key) = key
                    && keys.blocking_send(key).is_err()
                {
                    return;
                }
            }
        });
        Self(received)
    }

    /// The next one; waits for ever once the terminal is gone.
    pub(super) async fn next(&mut self) -> Key {
        match self.0.recv().await {
            Some(key) => key,
            None => std::future::pending().await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_mean_what_the_help_says() {
        let plain = |c| Key::of(KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE));
        assert_eq!(plain('p'), Some(Key::Pause));
        assert_eq!(plain('c'), None);
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(Key::of(control), Some(Key::Quit));
    }
}
