//! Ctrl-C, twice.

use std::{io, time::Duration};

use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    time::{Instant, sleep_until},
};

/// A session that does not end within this time of the first Ctrl-C is given up on.
const PATIENCE: Duration = Duration::from_secs(5);

/// What the person wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// Stop listening, finish what was heard.
    Finish,
    /// Stop now.
    GiveUp,
}

/// Listens for Ctrl-C (SIGINT) and SIGTERM.
#[derive(Debug)]
pub(super) struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    give_up_at: Option<Instant>,
    gave_up: bool,
}

impl Interrupts {
    /// Starts to listen; from now on no signal ends the process by itself.
    pub(super) fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            give_up_at: None,
            gave_up: false,
        })
    }

    /// Whether one has come.
    pub(super) fn any(&self) -> bool {
        self.give_up_at.is_some()
    }

    /// Waits for the next: first [`Interrupt::Finish`], then, at the second signal or after 5 s,
    /// [`Interrupt::GiveUp`]. Safe to cancel.
    pub(super) async fn next(&mut self) -> Interrupt {
        let give_up_at = self.give_up_at;
        let patience = async {
            match give_up_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
            () = patience => {}
        }
        self.ask()
    }

    /// The person asks by another way than a signal: what that means now.
    pub(super) fn ask(&mut self) -> Interrupt {
        if self.give_up_at.is_some() {
            self.gave_up = true;
            return Interrupt::GiveUp;
        }
        self.give_up_at = Some(Instant::now() + PATIENCE);
        Interrupt::Finish
    }

    /// Waits until the person has asked a second time, or asks now for the first; 5 s of patience do
    /// not count.
    pub(super) async fn give_up(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.gave_up = true;
    }

    /// Whether the work was given up on before it was done.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }
}
