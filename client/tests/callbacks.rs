//! What runs on the sound system's thread never allocates.
//!
//! The allocator of this program ends it when memory is asked for, or given back, where that is
//! forbidden: a test that fails here aborts.

#![allow(clippy::unwrap_used, reason = "a test says what is wrong by failing")]

use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

use assert_no_alloc::{AllocDisabler, assert_no_alloc};
use interpret::device::{CaptureCallback, Health, Level, Pick, PlaybackCallback};
use ringbuf::{
    HeapRb,
    traits::{Consumer as _, Producer as _, Split as _},
};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

/// Also where it goes wrong: full rings and empty ones, buffers of any length, broken samples.
#[test]
fn callbacks_do_not_allocate() {
    let health = Arc::new(Health::default());
    let (producer, mut consumer) = HeapRb::new(4_800).split();
    let mut capture = CaptureCallback::new(
        producer,
        2,
        Pick::All,
        1.5,
        Arc::new(Level::default()),
        Arc::clone(&health),
    );
    let (mut speech, ring) = HeapRb::new(4_800).split();
    let (reference, _played) = HeapRb::new(960).split();
    let speaking = Arc::new(AtomicBool::new(true));
    let mut playback = PlaybackCallback::new(
        ring,
        2,
        Arc::clone(&speaking),
        Some(reference),
        Arc::clone(&health),
    );
    let heard_floats = vec![f32::NAN; 3_001];
    let heard_words: Vec<i16> = (0..9_600).map(|n| (n % 2_000) as i16).collect();
    let mut played_floats = vec![0.0_f32; 3_001];
    let mut played_words = vec![0_i16; 9_600];
    let mut taken = vec![0.0_f32; 1_000];
    assert_no_alloc(|| {
        for round in 0..200 {
            capture.take(&heard_words);
            capture.take(&heard_floats[..round * 15]);
            capture.take::<f32>(&[]);
            consumer.pop_slice(&mut taken);
            speech.push_slice(&taken[..round * 5]);
            speaking.store(round % 3 != 0, Ordering::Relaxed);
            playback.give(&mut played_floats[..round * 15]);
            playback.give(&mut played_words);
            playback.give::<f32>(&mut []);
        }
    });
    let report = health.report();
    assert!(
        report.overrun_frames > 0 && report.underruns > 0,
        "{report:?}"
    );
    assert!(played_floats.iter().all(|sample| sample.is_finite()));
}

/// The allocator is really in place. In a process of its own: it ends.
#[test]
fn the_guard_notices_an_allocation() {
    if std::env::var_os("INTERPRET_TEST_ALLOCATE").is_some() {
        assert_no_alloc(|| {
            std::hint::black_box(vec![1_u8; 64]);
        });
        return;
    }
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "the_guard_notices_an_allocation"])
        .env("INTERPRET_TEST_ALLOCATE", "1")
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(!status.success());
}
