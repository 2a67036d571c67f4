use ratatui::{Terminal, backend::TestBackend, style::Modifier};

use super::*;
use crate::view::transcript::tests_support::{source, translated};

fn shown() -> Shown {
    let mut shown = Shown {
        languages: ("fr".to_owned(), vec!["en".to_owned()]),
        mode: "low-latency",
        now_ms: 62_000,
        ..Shown::default()
    };
    shown.take(&source(" Bonjour.", ""));
    shown.take(&translated("en", 1, "Bonjour.", " Hello."));
    shown.take(&source(" Je suis", " peut-être"));
    shown.desk.level_db = -30.0;
    shown
}

fn drawn(shown: &Shown, columns: u16, rows: u16) -> Terminal<TestBackend> {
    let mut terminal = Terminal::new(TestBackend::new(columns, rows)).unwrap();
    terminal.draw(|frame| layout::draw(frame, shown)).unwrap();
    terminal
}

fn text(shown: &Shown, columns: u16, rows: u16) -> Vec<String> {
    let terminal = drawn(shown, columns, rows);
    let buffer = terminal.backend().buffer();
    (0..rows)
        .map(|y| {
            (0..columns)
                .map(|x| buffer[(x, y)].symbol())
                .collect::<String>()
        })
        .map(|row: String| row.trim_end().to_owned())
        .collect()
}

#[test]
fn source_and_translation_stand_beside_each_other() {
    let rows = text(&shown(), 60, 10);
    assert_eq!(rows[0], "fr → en · low-latency · 1:02");
    assert!(rows[1].starts_with("┌fr"), "{rows:?}");
    let pair = rows.iter().find(|row| row.contains("Bonjour.")).unwrap();
    assert!(pair.contains("Hello."), "{pair}");
    let status = rows.iter().find(|row| row.starts_with("mic ")).unwrap();
    assert!(status.contains("██████░░░░░░"), "{status}");
    assert!(status.contains("lag"), "{status}");
    assert!(rows[9].contains("q end"), "{rows:?}");
}

#[test]
fn committed_and_tentative_are_told_apart() {
    let terminal = drawn(&shown(), 60, 10);
    let buffer = terminal.backend().buffer();
    let cell = |wanted: &str| {
        let mut places = (0..10).flat_map(|y| (0..60).map(move |x| (x, y)));
        let found = places.find(|(x, y)| {
            wanted.chars().enumerate().all(|(i, c)| {
                let x = x + u16::try_from(i).unwrap();
                x < 60 && buffer[(x, *y)].symbol() == c.to_string()
            })
        });
        buffer[found.unwrap()].modifier
    };
    assert!(!cell("suis").contains(Modifier::ITALIC));
    assert!(cell("peut-être").contains(Modifier::ITALIC));
    assert!(cell("Hello").contains(Modifier::BOLD));
}

#[test]
fn the_newest_stays_on_a_small_window() {
    let mut shown = shown();
    for id in 2..40 {
        shown.take(&source(&format!(" Phrase numéro {id}."), ""));
        let french = format!("Phrase numéro {id}.");
        shown.take(&translated(
            "en",
            id,
            &french,
            &format!(" Sentence number {id}."),
        ));
    }
    for (columns, rows) in [(20, 4), (30, 6), (60, 4), (80, 24), (5, 2), (1, 1)] {
        let drawn = text(&shown, columns, rows);
        if columns >= 20 {
            let all = drawn.join(" ");
            assert!(all.contains("number 39"), "{columns}x{rows}: {drawn:#?}");
            assert!(
                drawn.last().unwrap().contains("mic") || rows >= 10,
                "{drawn:#?}"
            );
        }
    }
}

#[test]
fn what_the_person_must_know_is_said() {
    let mut shown = shown();
    shown.desk = DeskStatus {
        paused: true,
        muted: true,
        xruns: 3,
        ..DeskStatus::default()
    };
    shown.note = Some("the microphone 'USB' is gone".to_owned());
    let all = text(&shown, 80, 12).join("\n");
    for wanted in ["PAUSED", "MUTED", "3 gaps", "'USB' is gone"] {
        assert!(all.contains(wanted), "{wanted}: {all}");
    }
}
