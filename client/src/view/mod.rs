//! What a person sees while a session runs: captions as they come, and a summary at the end.

mod desk;
mod live;
mod plain;
mod screen;
mod style;
mod summary;
mod transcript;
mod wrap;

use std::io::{self, IsTerminal};

pub use desk::{DeskStatus, DeviceSummary};
pub use live::{Live, Size};
pub use plain::Plain;
pub use screen::Screen;
pub use style::Style;
pub use summary::Summary;
pub use transcript::{Line, Transcript};

use crate::{audio::Pace, session::Received};

/// Where captions go.
pub trait View: Send {
    /// Shows what this event adds.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    fn show(&mut self, received: &Received) -> io::Result<()>;

    /// Tells the time: wall milliseconds since the first sample, and audio sent.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    fn tick(&mut self, now_ms: i64, sent_ms: u64) -> io::Result<()>;

    /// Tells how microphone and loudspeakers do, where there are any.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    fn desk(&mut self, _status: &DeskStatus) -> io::Result<()> {
        Ok(())
    }

    /// Whether it has taken the keyboard: keys are commands then.
    fn takes_keys(&self) -> bool {
        false
    }

    /// Says something about the session itself.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    fn note(&mut self, text: &str) -> io::Result<()>;

    /// Ends the view, leaving only final text.
    ///
    /// # Errors
    ///
    /// Where standard output cannot be written.
    fn close(&mut self) -> io::Result<()>;
}

/// The view for standard output: live on a terminal, plain lines elsewhere.
#[must_use]
pub fn for_stdout(pace: Pace) -> Box<dyn View> {
    let stdout = io::stdout();
    if stdout.is_terminal() {
        Box::new(Live::new(
            stdout,
            Style::from_env(),
            pace,
            Size::of_terminal,
        ))
    } else {
        Box::new(Plain::new(stdout, pace))
    }
}

/// The view for a microphone: a full screen on a terminal, unless the person wants lines.
///
/// # Errors
///
/// Where the terminal cannot be taken.
pub fn for_mic(plain: bool, from: &str) -> io::Result<Box<dyn View>> {
    let stdout = io::stdout();
    if plain || !stdout.is_terminal() || !io::stdin().is_terminal() {
        return Ok(Box::new(Plain::new(stdout, Pace::Device)));
    }
    Ok(Box::new(Screen::open(from)?))
}

/// `1:02` or `1:02:03`.
fn clock(ms: u64) -> String {
    let seconds = ms / 1000;
    let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    if hours > 0 {
        format!("{hours}:{minutes:02}:{seconds:02}")
    } else {
        format!("{minutes}:{seconds:02}")
    }
}

/// `2.4 s`.
fn seconds(ms: i64) -> String {
    format!("{:.1} s", ms as f64 / 1000.0)
}
