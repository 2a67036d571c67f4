//! Captions that are written while they are spoken: final lines scroll up, the open sentence and a
//! status line are redrawn in place below them.

use std::io::{self, Write};

use crossterm::{
    QueueableCommand,
    cursor::MoveToPreviousLine,
    terminal::{self, BeginSynchronizedUpdate, Clear, ClearType, EndSynchronizedUpdate},
};

use super::{
    Line, Style, Transcript, View, clock, seconds,
    style::Role::{self, Margin},
    wrap::wrap,
};
use crate::{audio::Pace, session::Received};

/// Columns of the margin that holds time or language.
const MARGIN: usize = 9;

/// Size of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Columns.
    pub columns: usize,
    /// Rows.
    pub rows: usize,
}

impl Size {
    /// The real one; 80 by 24 where it is not known.
    #[must_use]
    pub fn of_terminal() -> Self {
        let (columns, rows) = terminal::size().unwrap_or((80, 24));
        Self {
            columns: usize::from(columns.max(20)),
            rows: usize::from(rows.max(4)),
        }
    }
}

/// Draws on a terminal.
#[derive(Debug)]
pub struct Live<W> {
    out: W,
    style: Style,
    pace: Pace,
    size: fn() -> Size,
    transcript: Transcript,
    now_ms: i64,
    sent_ms: u64,
    /// Rows below the final lines, to be drawn over.
    drawn: u16,
}

impl<W: Write> Live<W> {
    /// Draws on `out`, which is a terminal of the size that `size` tells.
    #[must_use]
    pub fn new(out: W, style: Style, pace: Pace, size: fn() -> Size) -> Self {
        Self {
            out,
            style,
            pace,
            size,
            transcript: Transcript::default(),
            now_ms: 0,
            sent_ms: 0,
            drawn: 0,
        }
    }

    /// Adds final lines and redraws what is open.
    fn draw(&mut self, lines: &[Line], with_open: bool) -> io::Result<()> {
        let size = (self.size)();
        let mut rows: Vec<String> = lines
            .iter()
            .flat_map(|line| self.final_rows(line, size.columns))
            .collect();
        let open = if with_open {
            self.open_rows(size)
        } else {
            Vec::new()
        };
        let above = self.drawn;
        self.drawn = u16::try_from(open.len()).unwrap_or(u16::MAX);
        rows.extend(open);
        self.out.queue(BeginSynchronizedUpdate)?;
        if above > 0 {
            self.out.queue(MoveToPreviousLine(above))?;
        }
        self.out.queue(Clear(ClearType::FromCursorDown))?;
        for row in rows {
            write!(self.out, "{row}\r\n")?;
        }
        self.out.queue(EndSynchronizedUpdate)?;
        self.out.flush()
    }

    fn rows(&self, margin: &str, spans: &[(Role, &str)], columns: usize) -> Vec<String> {
        // One column stays free: a full row would make some terminals wrap.
        let mut rows = wrap(spans, self.style, columns - 1, MARGIN, MARGIN);
        let margin = format!("{margin:>width$}  ", width = MARGIN - 2);
        rows[0].insert_str(0, &self.style.paint(Margin, &margin));
        rows
    }

    fn final_rows(&self, line: &Line, columns: usize) -> Vec<String> {
        match line {
            Line::Source { text, start_ms, .. } => {
                self.rows(&clock(*start_ms), &[(Role::Source, text)], columns)
            }
            Line::Translation { language, text, .. } => {
                self.rows(language, &[(Role::Translation, text)], columns)
            }
            Line::Notice(text) => self.rows("!", &[(Margin, text)], columns),
        }
    }

    /// The open sentence and the status line; the last rows where the terminal is too small.
    fn open_rows(&self, size: Size) -> Vec<String> {
        let mut rows = Vec::new();
        let transcript = &self.transcript;
        let ellipsis = |text: &str| match text.trim() {
            "" => String::new(),
            _ => format!("{}…", text.trim_end()),
        };
        let tentative = ellipsis(&transcript.source_tentative);
        if !(transcript.source.trim().is_empty() && tentative.is_empty()) {
            let source = (Role::Source, transcript.source.as_str());
            let spans = [source, (Role::TentativeSource, &tentative)];
            rows.extend(self.rows("", &spans, size.columns));
        }
        for open in &transcript.open {
            let tentative = ellipsis(&open.tentative);
            if !(open.committed.trim().is_empty() && tentative.is_empty()) {
                let committed = (Role::Translation, open.committed.as_str());
                let spans = [committed, (Role::TentativeTranslation, &tentative)];
                rows.extend(self.rows(&open.language, &spans, size.columns));
            }
        }
        rows.extend(self.rows("", &[(Margin, &self.status())], size.columns));
        let surplus = rows.len().saturating_sub(size.rows - 1);
        rows.drain(..surplus);
        rows
    }

    fn status(&self) -> String {
        let elapsed = match self.pace.is_live() {
            true => u64::try_from(self.now_ms).unwrap_or(0),
            false => self.sent_ms,
        };
        let mut status = clock(elapsed);
        if let (true, Some(lag)) = (self.pace.is_live(), self.transcript.lag_ms) {
            status.push_str(&format!(" · lag {}", seconds(lag)));
        }
        status.push_str(" · Ctrl-C ends");
        status
    }
}

impl<W: Write + Send> View for Live<W> {
    fn show(&mut self, received: &Received) -> io::Result<()> {
        self.now_ms = self.now_ms.max(received.at_ms);
        let lines = self.transcript.take(received);
        self.draw(&lines, true)
    }

    fn tick(&mut self, now_ms: i64, sent_ms: u64) -> io::Result<()> {
        self.now_ms = now_ms;
        self.sent_ms = sent_ms;
        self.draw(&[], true)
    }

    fn note(&mut self, text: &str) -> io::Result<()> {
        self.draw(&[Line::Notice(text.to_owned())], true)
    }

    fn close(&mut self) -> io::Result<()> {
        self.draw(&[], false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::transcript::tests_support::{source, translated};

    const SIZE: Size = Size {
        columns: 40,
        rows: 10,
    };

    /// What a real terminal shows after these bytes.
    fn screen(bytes: &[u8]) -> Vec<String> {
        let mut terminal = vt100::Parser::new(10, 40, 100);
        terminal.process(bytes);
        let text = terminal.screen().contents();
        text.lines()
            .map(|line| line.trim_end().to_owned())
            .collect()
    }

    fn live(out: &mut Vec<u8>, styled: bool) -> Live<&mut Vec<u8>> {
        Live::new(out, Style::new(styled), Pace::RealTime, || SIZE)
    }

    #[test]
    fn open_text_is_redrawn_in_place_and_final_text_stays() {
        let mut out = Vec::new();
        let mut view = live(&mut out, true);
        view.show(&source("", "Bon")).unwrap();
        view.show(&source("", "Bonjour Jean")).unwrap();
        view.show(&source(
            " Bonjour.",
            " Je suis une phrase bien plus longue que la rangée",
        ))
        .unwrap();
        view.tick(2_500, 2_500).unwrap();
        let expected = [
            "         Bonjour. Je suis une phrase",
            "         bien plus longue que la",
            "         rangée…",
            "         0:02 · Ctrl-C ends",
        ];
        assert_eq!(screen(&out), expected);

        let mut view = live(&mut out, true);
        view.drawn = 4;
        view.transcript.take(&source(" Bonjour.", " Je"));
        view.show(&translated("en", 1, "Bonjour.", " Hello."))
            .unwrap();
        let expected = [
            "   0:00  Bonjour.",
            "     en  Hello.",
            "         Je…",
            "         0:04 · lag 2.2 s · Ctrl-C ends",
        ];
        assert_eq!(screen(&out), expected);
    }

    #[test]
    fn nothing_tentative_is_left_at_the_end() {
        let mut out = Vec::new();
        let mut view = live(&mut out, false);
        view.show(&translated("en", 1, "Bonjour.", " Hello."))
            .unwrap();
        view.show(&source("", "Je suis")).unwrap();
        view.close().unwrap();
        assert_eq!(screen(&out), ["   0:00  Bonjour.", "     en  Hello."]);
        let text = String::from_utf8(out).unwrap();
        assert!(!text.contains("\u{1b}[1m"), "unstyled");
    }

    #[test]
    fn more_open_text_than_the_terminal_has_rows_does_not_break_the_drawing() {
        let mut out = Vec::new();
        let mut view = live(&mut out, false);
        view.show(&translated("en", 1, "Bonjour.", " Hello."))
            .unwrap();
        for words in 1..120 {
            view.show(&source("", &"mot ".repeat(words))).unwrap();
        }
        view.close().unwrap();
        let mut terminal = vt100::Parser::new(10, 40, 100);
        terminal.process(&out);
        terminal.screen_mut().set_scrollback(100);
        let seen = terminal.screen().contents();
        assert_eq!(seen.matches("Hello.").count(), 1, "{seen}");
        assert_eq!(seen.matches("mot").count(), 0, "{seen}");
    }
}
