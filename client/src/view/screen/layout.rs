//! Where things stand on the screen.

use ratatui::{
    Frame,
    layout::{Constraint, Layout, Rect},
    style::{Modifier, Style},
    text::{Line, Span},
    widgets::{Block, Borders, Paragraph},
};

use super::{Shown, history::Pair};
use crate::view::{clock, seconds};

/// Narrower than this, source and translation stand below each other.
const TWO_COLUMNS_FROM: u16 = 60;
/// Lower than this, there is no room for frames and keys.
const FRAMES_FROM: u16 = 10;
/// Columns of the level meter and of the lag gauge.
const GAUGE: usize = 12;
/// The meter's lowest level; its highest is 0 dB.
const QUIETEST_DB: f32 = -60.0;
/// A lag that fills the gauge.
const LONGEST_LAG_MS: f64 = 6000.0;

const DIM: Style = Style::new().add_modifier(Modifier::DIM);
const BOLD: Style = Style::new().add_modifier(Modifier::BOLD);
const OPEN: Style = Style::new()
    .add_modifier(Modifier::DIM)
    .add_modifier(Modifier::ITALIC);

pub(super) fn draw(frame: &mut Frame<'_>, shown: &Shown) {
    let area = frame.area();
    let roomy = area.height >= FRAMES_FROM;
    let below = if roomy { 3 } else { 1 };
    let [above, middle, bottom] = Layout::vertical([
        Constraint::Length(u16::from(roomy)),
        Constraint::Min(1),
        Constraint::Length(below),
    ])
    .areas(area);
    if roomy {
        frame.render_widget(Paragraph::new(title(shown)), above);
    }
    if area.width >= TWO_COLUMNS_FROM {
        two_columns(frame, middle, shown, roomy);
    } else {
        one_column(frame, middle, shown);
    }
    frame.render_widget(Paragraph::new(status(shown, roomy)), bottom);
}

/// "fr → en · low-latency · 1:02".
fn title(shown: &Shown) -> Line<'static> {
    let (from, to) = &shown.languages;
    let text = format!(
        "{from} → {} · {} · {}",
        to.join(", "),
        shown.mode,
        clock(shown.now_ms)
    );
    Line::from(Span::styled(text, BOLD))
}

/// Meter, lag, warnings; then the keys. One line on a small screen.
fn status(shown: &Shown, roomy: bool) -> Vec<Line<'static>> {
    let desk = &shown.desk;
    let microphone = if desk.paused {
        "mic PAUSED".to_owned()
    } else {
        let share = f64::from((desk.level_db - QUIETEST_DB) / -QUIETEST_DB);
        format!("mic {}", gauge(share))
    };
    let lag = match shown.lag_ms {
        Some(lag) if roomy => {
            format!(
                " · lag {} {}",
                gauge(lag as f64 / LONGEST_LAG_MS),
                seconds(lag)
            )
        }
        Some(lag) => format!(" · {}", seconds(lag)),
        None => String::new(),
    };
    let mut text = microphone + &lag;
    if desk.muted {
        text.push_str(" · voice MUTED");
    } else if shown.captions_only {
        text.push_str(" · late: captions only");
    }
    if desk.waiting_ms > 3000 && roomy {
        let waiting = i64::try_from(desk.waiting_ms).unwrap_or(i64::MAX);
        text.push_str(&format!(" · {} of speech waits", seconds(waiting)));
    }
    if desk.xruns > 0 {
        text.push_str(&format!(" · {} gaps", desk.xruns));
    }
    if !roomy {
        return vec![Line::from(text)];
    }
    let keys = "p pause  m mute  r again  d mode  t target  s save  q end";
    let note = shown.note.clone().unwrap_or_default();
    vec![
        Line::from(text),
        Line::from(Span::styled(note, BOLD)),
        Line::from(Span::styled(keys, DIM)),
    ]
}

/// `████░░░░` with a share of 0 to 1.
fn gauge(share: f64) -> String {
    let full = ((share.clamp(0.0, 1.0) * GAUGE as f64).round() as usize).min(GAUGE);
    "█".repeat(full) + &"░".repeat(GAUGE - full)
}

fn two_columns(frame: &mut Frame<'_>, area: Rect, shown: &Shown, roomy: bool) {
    let columns =
        Layout::horizontal([Constraint::Percentage(50), Constraint::Percentage(50)]).areas(area);
    let [left, right] = columns;
    let borders = if roomy { Borders::ALL } else { Borders::NONE };
    let (from, to) = &shown.languages;
    let headings = [from.clone(), to.join(", ")];
    let blocks = headings.map(|heading| Block::new().borders(borders).title(heading));
    let inner = [blocks[0].inner(left), blocks[1].inner(right)];
    let (mut sources, mut translations) = (Vec::new(), Vec::new());
    let height = usize::from(inner[0].height);
    // From the newest back: what does not fit is not laid out.
    let (open_source, open_translation) = open(shown, to.len() > 1);
    let open = [
        rows(&open_source, inner[0].width),
        rows(&open_translation, inner[1].width),
    ];
    place_above(&mut sources, &mut translations, open);
    for pair in shown.history.pairs().rev() {
        if sources.len() >= height {
            break;
        }
        let rows = [
            rows(&[Span::raw(pair.source.as_str())], inner[0].width),
            rows(&translated(pair, to.len() > 1), inner[1].width),
        ];
        place_above(&mut sources, &mut translations, rows);
    }
    let [left_block, right_block] = blocks;
    for (block, area, mut lines) in [
        (left_block, left, sources),
        (right_block, right, translations),
    ] {
        lines.reverse();
        let surplus = lines.len().saturating_sub(height);
        lines.drain(..surplus);
        frame.render_widget(Paragraph::new(lines).block(block), area);
    }
}

/// Adds a pair above what is there, both sides equally high. Lines are kept newest first.
fn place_above<'a>(
    sources: &mut Vec<Line<'a>>,
    translations: &mut Vec<Line<'a>>,
    [mut source, mut translation]: [Vec<Line<'a>>; 2],
) {
    let height = source.len().max(translation.len());
    source.resize(height, Line::default());
    translation.resize(height, Line::default());
    sources.extend(source.into_iter().rev());
    translations.extend(translation.into_iter().rev());
}

fn one_column(frame: &mut Frame<'_>, area: Rect, shown: &Shown) {
    let several = shown.languages.1.len() > 1;
    let mut lines = Vec::new();
    let (source, translation) = open(shown, several);
    lines.extend(rows(&translation, area.width).into_iter().rev());
    lines.extend(rows(&source, area.width).into_iter().rev());
    for pair in shown.history.pairs().rev() {
        if lines.len() >= usize::from(area.height) {
            break;
        }
        let source = [Span::styled(pair.source.as_str(), DIM)];
        lines.extend(
            rows(&translated(pair, several), area.width)
                .into_iter()
                .rev(),
        );
        lines.extend(rows(&source, area.width).into_iter().rev());
    }
    lines.reverse();
    let surplus = lines.len().saturating_sub(usize::from(area.height));
    lines.drain(..surplus);
    frame.render_widget(Paragraph::new(lines), area);
}

fn translated(pair: &Pair, several: bool) -> Vec<Span<'_>> {
    let mut spans = Vec::new();
    for (language, text) in &pair.translations {
        if several {
            spans.push(Span::styled(format!(" {language}: "), DIM));
        }
        spans.push(Span::styled(text.as_str(), BOLD));
    }
    spans
}

/// The open sentence: what is committed as final text, what is tentative told apart.
fn open(shown: &Shown, several: bool) -> (Vec<Span<'_>>, Vec<Span<'_>>) {
    let (committed, tentative, translations) = shown.history.open();
    let source = vec![Span::raw(committed), Span::styled(tentative, OPEN)];
    let mut spans = Vec::new();
    for (language, committed, tentative) in translations {
        if several && !(committed.is_empty() && tentative.is_empty()) {
            spans.push(Span::styled(format!(" {language}: "), DIM));
        }
        spans.push(Span::styled(committed, BOLD));
        spans.push(Span::styled(tentative, OPEN));
    }
    (source, spans)
}

/// Text broken into rows between words; none where there is no text.
fn rows<'a>(spans: &[Span<'a>], width: u16) -> Vec<Line<'a>> {
    let whole: String = spans.iter().map(|span| span.content.as_ref()).collect();
    if whole.trim().is_empty() || width == 0 {
        return Vec::new();
    }
    // The style of every character, so that a row can be cut across spans.
    let styles: Vec<Style> = spans
        .iter()
        .flat_map(|span| span.content.chars().map(|_| span.style))
        .collect();
    let mut at = 0;
    let characters: Vec<char> = whole.chars().collect();
    let mut lines = Vec::new();
    for row in textwrap::wrap(&whole, usize::from(width)) {
        let mut line: Vec<Span<'a>> = Vec::new();
        for character in row.chars() {
            // The wrapping leaves out only white space between rows.
            while characters.get(at).is_some_and(|other| *other != character) {
                at += 1;
            }
            let style = styles.get(at).copied().unwrap_or_default();
            at += 1;
            match line.last_mut() {
                Some(span) if span.style == style => span.content.to_mut().push(character),
                _ => line.push(Span::styled(character.to_string(), style)),
            }
        }
        lines.push(Line::from(line));
    }
    lines
}
