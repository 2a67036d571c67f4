use std::f64::consts::TAU;

use ringbuf::{
    HeapProd, HeapRb,
    traits::{Producer, Split},
};

use super::*;

/// Samples at 48 kHz after which a tone of 440 Hz repeats.
const PERIOD: usize = 1200;

/// A device whose crystal is `ppm` off, delivering 10 ms at a time.
struct Writer {
    ring: HeapProd<f32>,
    rate_hz: f64,
    tone: Vec<f32>,
    sample: u64,
    lost: usize,
}

impl Writer {
    /// Brings everything that is due by `now_s`, in whole callbacks.
    fn run_until(&mut self, now_s: f64) {
        while (self.sample + 480) as f64 <= now_s * self.rate_hz {
            let mut block = [0.0_f32; 480];
            for (index, value) in block.iter_mut().enumerate() {
                // The tone is counted in the writer's own samples: it is what is heard, not when.
                *value = self.tone[(self.sample + index as u64) as usize % PERIOD];
            }
            self.lost += 480 - self.ring.push_slice(&block);
            self.sample += 480;
        }
    }
}

/// What hours of a tone through the ring come to.
struct Run {
    overrun: usize,
    underruns: u64,
    /// Greatest second difference of the output: a click makes a large one.
    roughest: f32,
    /// Least and most in the ring after the first ten minutes, in milliseconds.
    fill_ms: (f64, f64),
}

fn run(ppm: f64, hours: f64) -> Run {
    let (producer, consumer) = HeapRb::new(48_000 / 4).split();
    let health = Arc::new(Health::default());
    let mut follower = Follower::new(consumer, 48_000, 160, 0.06, Arc::clone(&health)).unwrap();
    let mut writer = Writer {
        ring: producer,
        rate_hz: 48_000.0 * (1.0 + ppm * 1e-6),
        tone: (0..PERIOD)
            .map(|n| (0.5 * (TAU * 440.0 * n as f64 / 48_000.0).sin()) as f32)
            .collect(),
        sample: 0,
        lost: 0,
    };
    let mut piece = [0.0_f32; 160];
    let (mut before, mut last) = (0.0_f32, 0.0_f32);
    let mut roughest = 0.0_f32;
    let mut fill_ms = (f64::MAX, 0.0_f64);
    let pieces = (hours * 3600.0 * 100.0) as u64;
    for n in 0..pieces {
        let now_s = n as f64 * 0.01;
        writer.run_until(now_s);
        follower.read(&mut piece).unwrap();
        // The tone begins out of nothing: not a click of ours.
        if n > 100 {
            for sample in piece {
                roughest = roughest.max((sample - 2.0 * last + before).abs());
                (before, last) = (last, sample);
            }
        } else {
            (before, last) = (piece[158], piece[159]);
        }
        if now_s > 600.0 {
            let ms = follower.ring.occupied_len() as f64 / 48.0;
            fill_ms = (fill_ms.0.min(ms), fill_ms.1.max(ms));
        }
    }
    Run {
        overrun: writer.lost,
        underruns: health.report().underruns,
        roughest,
        fill_ms,
    }
}

/// The second difference of a clean tone of .5 at 440 Hz, sampled at 16 kHz.
fn clean() -> f32 {
    (0.5 * (TAU * 440.0 / 16_000.0).powi(2)) as f32
}

#[test]
fn six_hours_of_drift_lose_nothing_and_do_not_click() {
    let runs = [100.0, -100.0].map(|ppm| (ppm, std::thread::spawn(move || run(ppm, 6.0))));
    for (ppm, run) in runs {
        let run = run.join().unwrap();
        assert_eq!((run.overrun, run.underruns), (0, 0), "{ppm} ppm");
        assert!(
            run.roughest < clean() * 1.1,
            "{ppm} ppm: {} where a clean tone has {}",
            run.roughest,
            clean()
        );
        // 60 ms are meant; callbacks of 10 ms come and go.
        let (least, most) = run.fill_ms;
        assert!(
            least > 38.0 && most < 72.0,
            "{ppm} ppm: {least} to {most} ms"
        );
    }
}

/// The measure above must be able to fail.
#[test]
fn without_correction_the_same_hours_would_click() {
    let mut tone =
        (0..16_000).map(|n| (0.5 * (TAU * 440.0 * f64::from(n) / 16_000.0).sin()) as f32);
    let mut samples: Vec<f32> = tone.by_ref().take(1000).collect();
    samples.extend(tone.skip(3));
    let roughest = samples
        .windows(3)
        .map(|w| (w[2] - 2.0 * w[1] + w[0]).abs())
        .fold(0.0, f32::max);
    assert!(roughest > clean() * 1.1, "{roughest}");
}

#[test]
fn a_writer_that_stops_gives_silence_and_may_come_back() {
    let (mut producer, consumer) = HeapRb::new(12_000).split();
    let health = Arc::new(Health::default());
    let mut follower = Follower::new(consumer, 48_000, 160, 0.06, Arc::clone(&health)).unwrap();
    let mut piece = [1.0_f32; 160];
    follower.read(&mut piece).unwrap();
    assert_eq!(piece, [0.0; 160], "nothing yet");
    for _ in 0..2 {
        producer.push_slice(&[0.3; 6000]);
        let mut loudest = 0.0_f32;
        for _ in 0..30 {
            follower.read(&mut piece).unwrap();
            loudest = piece.iter().fold(loudest, |a, b| a.max(*b));
        }
        assert!((loudest - 0.3).abs() < 0.05, "{loudest}");
        assert_eq!(piece, [0.0; 160]);
    }
    assert_eq!(health.report().underruns, 2);
}
