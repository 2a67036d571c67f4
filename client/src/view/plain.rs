//! Captions as plain lines, for pipes and files: committed text only.

use std::io::{self, Write};

use super::{Line, Transcript, View, clock, seconds};
use crate::{audio::Pace, session::Received};

/// Writes one line a sentence and language.
#[derive(Debug)]
pub struct Plain<W> {
    out: W,
    pace: Pace,
    transcript: Transcript,
}

impl<W: Write> Plain<W> {
    /// Writes to `out`.
    #[must_use]
    pub fn new(out: W, pace: Pace) -> Self {
        Self {
            out,
            pace,
            transcript: Transcript::default(),
        }
    }
}

impl<W: Write + Send> View for Plain<W> {
    fn show(&mut self, received: &Received) -> io::Result<()> {
        for line in self.transcript.take(received) {
            match line {
                Line::Source {
                    language,
                    text,
                    start_ms,
                } => writeln!(self.out, "{:>7}  {language}  {text}", clock(start_ms))?,
                Line::Translation {
                    language,
                    text,
                    lag_ms,
                } => {
                    let lag = match self.pace.is_live() {
                        true => format!("+{}", seconds(lag_ms)),
                        false => String::new(),
                    };
                    writeln!(self.out, "{lag:>7}  {language}  {text}")?;
                }
                Line::Notice(text) => self.note(&text)?,
            }
        }
        self.out.flush()
    }

    fn tick(&mut self, _now_ms: i64, _sent_ms: u64) -> io::Result<()> {
        Ok(())
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        writeln!(self.out, "      !  {text}")?;
        self.out.flush()
    }

    fn close(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::transcript::tests_support::{source, translated};

    #[test]
    fn lines_carry_source_time_and_lag() {
        let mut out = Vec::new();
        let mut view = Plain::new(&mut out, Pace::RealTime);
        view.show(&source(" Bonjour.", "Je")).unwrap();
        view.tick(1500, 1500).unwrap();
        view.show(&translated("en", 1, "Bonjour.", " Hello."))
            .unwrap();
        view.close().unwrap();
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "   0:00  fr  Bonjour.\n +2.2 s  en  Hello.\n");
    }
}
