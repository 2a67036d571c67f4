//! One session from top to bottom: what was said, shown and spoken, and when.

use super::{
    COLOURS,
    svg::{Anchor, Svg, wrapped},
};
use crate::evaluation::{
    listener::Clause,
    log::Log,
    score::listen,
    transcript::{TimedWord, Transcript},
};

/// Pixels a second.
const SCALE: f64 = 34.0;
/// What is later is left out, so that the picture stays one that can be looked at.
const LONGEST_S: f64 = 300.0;
const TOP: f64 = 76.0;
/// Left edges of the columns, and their width.
const COLUMNS: [f64; 3] = [60.0, 440.0, 820.0];
const WIDTH: f64 = 320.0;
const LETTERS: f64 = 12.0;
const LINE: f64 = 15.0;
/// Words that come together, or follow one another within this time, are one block of text.
const TOGETHER_MS: i64 = 700;

/// Text that stands at a time, and where what it renders was said.
struct Block {
    text: String,
    from_ms: f64,
    to_ms: f64,
    /// End in source time of what it renders.
    renders_ms: Option<f64>,
}

/// The session in `language`, time running downwards, in three columns: words said, at the time they
/// were said; committed translation, at the time it arrived; clauses spoken, as bars for as long as
/// they play. A line leads to each from the end of what it renders: the steeper, the later.
#[must_use]
pub fn timeline(name: &str, log: &Log, language: &str) -> String {
    let said = said(&Transcript::of_source(log).words());
    let shown = shown(&Transcript::of_translation(log, language).words());
    let listener = listen(log, language);
    let spoken = spoken(listener.as_ref().map_or(&[], |listener| listener.clauses()));
    let all = || said.iter().chain(&shown).chain(&spoken);
    let end_s = all().map(|block| block.to_ms / 1000.0).fold(1.0, f64::max) + 2.0;
    let shown_s = end_s.min(LONGEST_S);
    let mut svg = Svg::new(COLUMNS[2] + WIDTH + 20.0, TOP + shown_s * SCALE + 30.0);
    frame(&mut svg, name, shown_s, end_s);
    lines(&mut svg, 2, &spoken, shown_s);
    lines(&mut svg, 1, &shown, shown_s);
    column(&mut svg, 0, &said, shown_s);
    column(&mut svg, 1, &shown, shown_s);
    column(&mut svg, 2, &spoken, shown_s);
    svg.finish()
}

fn y(ms: f64) -> f64 {
    TOP + ms / 1000.0 * SCALE
}

fn frame(svg: &mut Svg, name: &str, shown_s: f64, end_s: f64) {
    let title = if shown_s < end_s {
        format!("{name}: the first {:.0} minutes", LONGEST_S / 60.0)
    } else {
        name.to_owned()
    };
    svg.text((16.0, 26.0), 16.0, Anchor::Start, &title);
    let right = COLUMNS[2] + WIDTH;
    for second in 0..=shown_s as usize {
        let at = y(second as f64 * 1000.0);
        let grey = if second % 5 == 0 {
            "#cccccc"
        } else {
            "#f2f2f2"
        };
        svg.line((COLUMNS[0] - 8.0, at), (right, at), grey, 1.0);
        if second % 5 == 0 {
            svg.text(
                (COLUMNS[0] - 14.0, at + 4.0),
                11.0,
                Anchor::End,
                &format!("{second} s"),
            );
        }
    }
    for (column, heading) in [
        "said (source time)",
        "shown (wall time)",
        "spoken (wall time)",
    ]
    .into_iter()
    .enumerate()
    {
        svg.coloured_text(
            (COLUMNS[column], 56.0),
            14.0,
            Anchor::Start,
            COLOURS[column],
            heading,
        );
    }
}

/// Draws the blocks of one column. Text that would lie on the text before it moves down; its mark
/// stays where its time is.
fn column(svg: &mut Svg, column: usize, blocks: &[Block], until_s: f64) {
    let (left, colour) = (COLUMNS[column], COLOURS[column]);
    let mut free = 0.0;
    for block in blocks
        .iter()
        .filter(|block| block.from_ms < until_s * 1000.0)
    {
        let top = y(block.from_ms);
        let bottom = y(block.to_ms.min(until_s * 1000.0)).max(top + 2.0);
        svg.rectangle((left, top), (4.0, bottom - top - 1.0), colour, 1.0);
        if column == 2 {
            svg.rectangle((left, top), (WIDTH, bottom - top - 1.0), colour, 0.12);
        }
        let mut line_at = (top + 0.8 * LINE).max(free);
        for line in wrapped(&block.text, WIDTH - 12.0, LETTERS) {
            svg.text((left + 9.0, line_at), LETTERS, Anchor::Start, &line);
            line_at += LINE;
        }
        free = line_at;
    }
}

/// Draws a line to each block from the end of what it renders: level through the column of the source,
/// then down, and, for speech, level behind the text that is shown.
fn lines(svg: &mut Svg, column: usize, blocks: &[Block], until_s: f64) {
    for block in blocks
        .iter()
        .filter(|block| block.from_ms < until_s * 1000.0)
    {
        let Some(renders) = block.renders_ms else {
            continue;
        };
        let (said, told) = (y(renders), y(block.from_ms));
        let points = [
            (COLUMNS[0] + 4.0, said),
            (COLUMNS[0] + WIDTH * 0.8, said),
            (COLUMNS[1] - 8.0, told),
            (COLUMNS[column], told),
        ];
        svg.polyline(&points, COLOURS[column], 0.7);
    }
}

fn said(words: &[TimedWord]) -> Vec<Block> {
    let timed: Vec<(&TimedWord, (u64, u64))> = words
        .iter()
        .filter_map(|word| Some((word, word.source_ms?)))
        .collect();
    let close = |a: &(&TimedWord, (u64, u64)), b: &(&TimedWord, (u64, u64))| {
        let apart = b.1.0.saturating_sub(a.1.1) < 400;
        apart && !a.0.text.ends_with(['.', '!', '?', ',', ';', ':'])
    };
    timed
        .chunk_by(close)
        .filter_map(|run| {
            let ((_, (from, _)), (_, (_, to))) = (run.first()?, run.last()?);
            Some(Block {
                text: joined(run.iter().map(|(word, _)| *word)),
                from_ms: *from as f64,
                to_ms: *to as f64,
                renders_ms: None,
            })
        })
        .collect()
}

fn shown(words: &[TimedWord]) -> Vec<Block> {
    let together = |a: &TimedWord, b: &TimedWord| b.at_ms - a.at_ms < TOGETHER_MS;
    words
        .chunk_by(together)
        .filter_map(|run| {
            let (first, last) = (run.first()?, run.last()?);
            let renders = run.iter().rev().find_map(|word| word.source_ms);
            Some(Block {
                text: joined(run.iter()),
                from_ms: first.at_ms as f64,
                to_ms: last.at_ms as f64,
                renders_ms: renders.map(|(_, end)| end as f64),
            })
        })
        .collect()
}

fn spoken(clauses: &[Clause]) -> Vec<Block> {
    clauses
        .iter()
        .map(|clause| Block {
            text: clause.text.clone(),
            from_ms: clause.start_ms as f64,
            to_ms: clause.end_ms as f64,
            renders_ms: Some(clause.source_end_ms as f64),
        })
        .collect()
}

fn joined<'a>(words: impl Iterator<Item = &'a TimedWord>) -> String {
    let words: Vec<&str> = words.map(|word| word.text.as_str()).collect();
    words.join(" ")
}
