//! A pseudo-terminal for the output of a child process.
//!
//! A C program buffers what it writes to a pipe by the block, so that an answer of one line would
//! never arrive; to a terminal it writes line by line.

use std::os::fd::OwnedFd;

use rustix::{
    fs::{Mode, OFlags},
    io,
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{OptionalActions, tcgetattr, tcsetattr},
};

/// Both ends of a terminal that changes no byte.
pub(super) struct Terminal {
    /// Where we read.
    pub(super) ours: OwnedFd,
    /// Where the child writes.
    pub(super) theirs: OwnedFd,
}

impl Terminal {
    /// Opens one; it controls no process.
    pub(super) fn open() -> io::Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name = ptsname(&ours, Vec::new())?;
        let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
        let theirs = rustix::fs::open(name, flags, Mode::empty())?;
        let mut modes = tcgetattr(&theirs)?;
        modes.make_raw();
        tcsetattr(&theirs, OptionalActions::Now, &modes)?;
        Ok(Self { ours, theirs })
    }
}
