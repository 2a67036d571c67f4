//! What a process holds and has used, as Linux tells it in `/proc`.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// What a process holds at a moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Resources {
    /// Memory in bytes (resident set).
    pub resident_bytes: u64,
    /// Threads.
    pub threads: u64,
    /// Open files, sockets among them.
    pub files: usize,
    /// Processor time of all its threads so far, in seconds.
    pub processor_s: f64,
}

impl Resources {
    /// Those of the process `id`.
    ///
    /// # Errors
    /// When it has ended, or the system is none that has `/proc`.
    pub fn of(id: u32) -> Result<Self> {
        let folder = Path::new("/proc").join(id.to_string());
        let status = std::fs::read_to_string(folder.join("status"))?;
        let number = |name: &str| -> Result<u64> {
            let mut lines = status.lines();
            let line = lines.find_map(|line| line.strip_prefix(name));
            let value = line.and_then(|line| line.split_whitespace().next());
            Ok(value.with_context(|| format!("no {name}"))?.parse()?)
        };
        Ok(Self {
            resident_bytes: number("VmRSS:")? * 1024,
            threads: number("Threads:")?,
            files: std::fs::read_dir(folder.join("fd"))?.count(),
            processor_s: processor_seconds(folder.join("stat"))?,
        })
    }
}

/// User's and system's.
fn processor_seconds(stat: PathBuf) -> Result<f64> {
    /// Of `/proc` (`sysconf(_SC_CLK_TCK)`): 100 on every Linux that anybody runs this on.
    const TICKS_A_SECOND: f64 = 100.0;
    let stat = std::fs::read_to_string(stat)?;
    // The name of the program stands in brackets, and may hold spaces.
    let (_, fields) = stat.rsplit_once(") ").context("no stat")?;
    let fields: Vec<&str> = fields.split(' ').collect();
    let ticks = |at: usize| -> Result<f64> { Ok(fields.get(at).context("no time")?.parse()?) };
    Ok((ticks(11)? + ticks(12)?) / TICKS_A_SECOND)
}
