//! The terminal in raw mode, on its other screen; given back whatever happens.

use std::{
    io::{self, IsTerminal},
    panic,
    sync::{
        Once,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
};

use crossterm::{
    cursor::{Hide, Show},
    execute,
    terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode},
};

use crate::stderr;

/// Whether the terminal is ours now.
static OURS: AtomicBool = AtomicBool::new(false);

/// The terminal is ours until this is dropped, or something panics.
#[derive(Debug)]
pub(super) struct FullScreen(());

impl FullScreen {
    pub(super) fn enter() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        if !io::stdout().is_terminal() {
            return Err(io::Error::other("standard output is no terminal"));
        }
        enable_raw_mode()?;
        OURS.store(true, SeqCst);
        // From here on dropping it gives the terminal back.
        let full_screen = Self(());
        execute!(io::stdout(), EnterAlternateScreen, Hide)?;
        stderr::hold(true);
        HOOK.call_once(|| {
            let before = panic::take_hook();
            panic::set_hook(Box::new(move |info| {
                // A panic must be readable, and the shell usable after it.
                let _ = give_back();
                before(info);
            }));
        });
        Ok(full_screen)
    }

    /// Whether it has not been given back.
    pub(super) fn is_ours() -> bool {
        OURS.load(SeqCst)
    }

    pub(super) fn leave(self) -> io::Result<()> {
        // Dropping does it too, but cannot say that it failed.
        give_back()
    }
}

impl Drop for FullScreen {
    fn drop(&mut self) {
        let _ = give_back();
    }
}

fn give_back() -> io::Result<()> {
    if !OURS.swap(false, SeqCst) {
        return Ok(());
    }
    let left = execute!(io::stdout(), Show, LeaveAlternateScreen);
    stderr::hold(false);
    disable_raw_mode()?;
    left
}
