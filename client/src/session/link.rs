//! How a session's connection is.

use tokio::sync::watch;

/// The connection of a [resumable](super::Config::resumable) session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It carries the session.
    Up,
    /// It is lost, for this reason; another is tried, and audio waits for it.
    Lost(String),
}

/// Tells how the connection of a session is; outlives the session.
#[derive(Debug)]
pub struct LinkWatch(watch::Receiver<Link>);

impl LinkWatch {
    pub(super) fn new(link: watch::Receiver<Link>) -> Self {
        Self(link)
    }

    /// How it is, once that is not as it was; never, when the session is gone. Safe to cancel.
    pub async fn changed(&mut self) -> Link {
        match self.0.changed().await {
            Ok(()) => self.0.borrow_and_update().clone(),
            Err(_) => std::future::pending().await,
        }
    }
}
