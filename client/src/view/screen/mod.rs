//! A full screen: what is said on the left, its translation on the right, the desk below.

mod history;
mod layout;
mod terminal;

use std::io::{self, Write};

use ratatui::{Terminal, backend::CrosstermBackend};

use self::{history::History, terminal::FullScreen};
use super::{DeskStatus, View};
use crate::session::{Event, Received};

/// Draws on the whole terminal until it is closed.
pub struct Screen<W: Write> {
    terminal: Terminal<CrosstermBackend<W>>,
    /// Gives the terminal back, also in a panic.
    full_screen: Option<FullScreen>,
    shown: Shown,
}

/// Everything that is on the screen.
#[derive(Debug, Default)]
struct Shown {
    history: History,
    /// "fr" or "auto", and the languages interpreted into.
    languages: (String, Vec<String>),
    mode: &'static str,
    now_ms: u64,
    lag_ms: Option<i64>,
    desk: DeskStatus,
    note: Option<String>,
    captions_only: bool,
}

impl Screen<io::Stdout> {
    /// Takes the whole terminal. `from` is the language spoken, as the person wrote it.
    ///
    /// # Errors
    ///
    /// Where it cannot be put into raw mode.
    pub fn open(from: &str) -> io::Result<Self> {
        let full_screen = FullScreen::enter()?;
        let mut screen = Self::on(io::stdout())?;
        screen.full_screen = Some(full_screen);
        from.clone_into(&mut screen.shown.languages.0);
        Ok(screen)
    }
}

impl<W: Write> Screen<W> {
    /// Draws on `out`, which is a terminal that the caller has made ready.
    ///
    /// # Errors
    ///
    /// Where the size of the terminal is not known.
    pub fn on(out: W) -> io::Result<Self> {
        Ok(Self {
            terminal: Terminal::new(CrosstermBackend::new(out))?,
            full_screen: None,
            shown: Shown::default(),
        })
    }

    fn draw(&mut self) -> io::Result<()> {
        if self.full_screen.is_some() && !FullScreen::is_ours() {
            return Ok(());
        }
        let shown = &self.shown;
        self.terminal
            .draw(|frame| layout::draw(frame, shown))
            .map(|_| ())
    }
}

impl Shown {
    fn take(&mut self, received: &Received) {
        match &received.event {
            Event::SessionStarted(started) => {
                let targets = started.targets.iter();
                self.languages.1 = targets.map(|target| target.language.clone()).collect();
                self.mode = match started.mode() {
                    crate::session::Mode::LowLatency => "low-latency",
                    crate::session::Mode::Accurate => "accurate",
                    crate::session::Mode::Balanced | crate::session::Mode::Unspecified => {
                        "balanced"
                    }
                };
            }
            Event::Pace(pace) if !pace.language.is_empty() => {
                self.captions_only = pace.captions_only;
            }
            _ => {}
        }
        if let Some(note) = self.history.take(received) {
            self.note = Some(note);
        }
        self.lag_ms = self.history.lag_ms();
    }
}

impl<W: Write + Send> View for Screen<W> {
    fn show(&mut self, received: &Received) -> io::Result<()> {
        self.shown.take(received);
        self.draw()
    }

    fn tick(&mut self, now_ms: i64, _sent_ms: u64) -> io::Result<()> {
        self.shown.now_ms = u64::try_from(now_ms).unwrap_or(0);
        self.draw()
    }

    fn desk(&mut self, status: &DeskStatus) -> io::Result<()> {
        self.shown.desk = *status;
        self.draw()
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        self.shown.note = Some(text.to_owned());
        self.draw()
    }

    fn close(&mut self) -> io::Result<()> {
        match self.full_screen.take() {
            Some(full_screen) => full_screen.leave(),
            None => Ok(()),
        }
    }

    fn takes_keys(&self) -> bool {
        true
    }
}

impl<W: Write> std::fmt::Debug for Screen<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Screen").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
