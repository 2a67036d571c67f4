//! The processor, its memory, and programs that are called.

use std::{fs, path::Path, thread};

use super::Report;

/// The program that gives phonemes of languages other than English.
const ESPEAK: &str = "espeak-ng";

pub(super) fn look(report: &mut Report) {
    let cores = thread::available_parallelism().map_or(1, usize::from);
    report.line("cores", cores.to_string());
    report.line("vectors", vectors());
    if let Some(gib) = memory_gib() {
        let enough = if gib < 2.0 {
            " (a session needs about 1 GiB: close other programs)"
        } else {
            ""
        };
        report.line("memory", format!("{gib:.1} GiB{enough}"));
    }
    let there = on_path(ESPEAK);
    report.line(
        ESPEAK,
        if there {
            "there"
        } else {
            "missing: only English is spoken; install the package espeak-ng"
        },
    );
}

/// The instructions that our kernels choose among.
fn vectors() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        if is_x86_feature_detected!("avx512vnni") {
            "AVX-512 with VNNI: as fast as it gets"
        } else if is_x86_feature_detected!("avx2") {
            "AVX2"
        } else {
            "neither AVX2 nor AVX-512: about four times slower"
        }
    }
    #[cfg(not(target_arch = "x86_64"))]
    {
        "no x86: the portable kernels run"
    }
}

/// All memory, where the system tells.
fn memory_gib() -> Option<f64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    let line = text.lines().find(|line| line.starts_with("MemTotal:"))?;
    let kib: f64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kib / 1024.0 / 1024.0)
}

fn on_path(program: &str) -> bool {
    let Some(path) = std::env::var_os("PATH") else {
        return false;
    };
    std::env::split_paths(&path).any(|folder| Path::new(&folder).join(program).is_file())
}
