//! How a fetch shows on the terminal: bars, or plain lines where standard error is not one.

use std::{
    collections::HashMap,
    io::{IsTerminal, Write},
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use interpret_models::{
    error::Bytes,
    fetch::{Event, Observer, Unit},
};

/// Between two plain lines about the same work.
const PLAIN_EVERY: Duration = Duration::from_secs(10);

/// Bars for a terminal, plain lines otherwise.
pub(super) fn observer() -> Arc<dyn Observer> {
    if std::io::stderr().is_terminal() {
        Arc::new(Bars::default())
    } else {
        Arc::new(Lines::default())
    }
}

#[derive(Default)]
struct Bars {
    all: MultiProgress,
    bars: Mutex<HashMap<u64, ProgressBar>>,
}

impl Observer for Bars {
    fn on(&self, event: Event) {
        let mut bars = self.bars.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            // A terminal that cannot be written is no reason to stop the work.
            Event::Note(note) => drop(self.all.println(note)),
            Event::Installed { model } => drop(self.all.println(format!("{model}: installed"))),
            Event::Began {
                task,
                what,
                unit,
                total,
            } => {
                let bar = ProgressBar::new(total.unwrap_or(0)).with_style(style(unit, total));
                let bar = self.all.add(bar.with_message(what));
                bar.enable_steady_tick(Duration::from_millis(200));
                bars.insert(task, bar);
            }
            Event::At { task, position } => {
                if let Some(bar) = bars.get(&task) {
                    bar.set_position(position);
                }
            }
            Event::Ended { task } => {
                if let Some(bar) = bars.remove(&task) {
                    bar.finish_and_clear();
                }
            }
        }
    }
}

fn style(unit: Unit, total: Option<u64>) -> ProgressStyle {
    let template = match (unit, total) {
        (_, None) => "{spinner} {wide_msg}",
        (Unit::Bytes, Some(_)) => {
            "{wide_msg} {bar:24} {decimal_bytes:>10}/{decimal_total_bytes} {decimal_bytes_per_sec:>12}"
        }
        (Unit::Percent, Some(_)) => "{wide_msg} {bar:24} {pos:>3} %",
    };
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}

#[derive(Default)]
struct Lines {
    tasks: Mutex<HashMap<u64, Line>>,
}

struct Line {
    what: String,
    unit: Unit,
    total: Option<u64>,
    said: Instant,
}

impl Observer for Lines {
    fn on(&self, event: Event) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        match event {
            Event::Note(note) => say(&note),
            Event::Installed { model } => say(&format!("{model}: installed")),
            Event::Began {
                task,
                what,
                unit,
                total,
            } => {
                match (unit, total) {
                    (Unit::Bytes, Some(total)) => say(&format!("{what} ({})", Bytes(total))),
                    _ => say(&what),
                }
                let said = Instant::now();
                let line = Line {
                    what,
                    unit,
                    total,
                    said,
                };
                tasks.insert(task, line);
            }
            Event::At { task, position } => {
                if let Some(line) = tasks.get_mut(&task)
                    && line.said.elapsed() > PLAIN_EVERY
                {
                    line.said = Instant::now();
                    say(&line.at(position));
                }
            }
            Event::Ended { task } => drop(tasks.remove(&task)),
        }
    }
}

impl Line {
    fn at(&self, position: u64) -> String {
        match (self.unit, self.total) {
            (Unit::Percent, _) => format!("{}: {position} %", self.what),
            (Unit::Bytes, Some(total)) => {
                format!("{}: {} of {}", self.what, Bytes(position), Bytes(total))
            }
            (Unit::Bytes, None) => format!("{}: {}", self.what, Bytes(position)),
        }
    }
}

/// Standard error that is gone is no reason to stop the work.
fn say(line: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}
