//! Who may use the daemon over TCP, and how much.
//!
//! A token is a random string that a client shows with every call. The daemon keeps only its SHA-256,
//! so that whoever reads the file of tokens cannot use them. Clients of the Unix socket, and of this very
//! process, show none: the file system says who they are.

mod file;
mod quota;
mod tokens;

use std::sync::Arc;

use tonic::{Request, Status, service::Interceptor};

pub use self::{
    file::TokenFileError,
    quota::{Admission, Allowance},
    tokens::{Tokens, digest},
};
use crate::session::Refusal;

/// Who calls: the owner of a token, or somebody who needs none.
#[derive(Debug, Clone, Default)]
pub struct Caller(Option<Arc<Allowance>>);

impl Caller {
    /// Lets the caller open `sessions` more sessions, as long as what is returned is kept.
    ///
    /// # Errors
    /// When the token's quota is used up.
    pub fn admit(&self, sessions: usize) -> Result<Admission, Refusal> {
        match &self.0 {
            None => Ok(Admission::unlimited()),
            Some(allowance) => Allowance::admit(allowance, sessions),
        }
    }

    /// Checks that the caller may open `room`, or listen to it. Says the same whether it is there or not.
    ///
    /// # Errors
    /// When the token is for other rooms.
    pub fn check_room(&self, room: &str) -> Result<(), Refusal> {
        match &self.0 {
            None => Ok(()),
            Some(allowance) => allowance.check_room(room),
        }
    }

    /// The owner of a token of this name that allows everything.
    #[cfg(test)]
    pub(crate) fn named(name: &str) -> Self {
        let entry = file::Entry {
            name: name.to_owned(),
            sha256: [0; 32],
            sessions: None,
            minutes_per_day: None,
            rooms: None,
            expires: None,
        };
        Self(Some(Arc::new(Allowance::new(entry, Arc::default()))))
    }

    /// The token's name; empty: none is needed.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.as_ref().map_or("", |allowance| allowance.name())
    }
}

/// Checks the token of every call that comes over a socket.
#[derive(Debug, Clone)]
pub struct Gate(Option<Arc<Tokens>>);

impl Gate {
    /// Asks for one of `tokens`; none: lets everybody through.
    #[must_use]
    pub fn new(tokens: Option<Arc<Tokens>>) -> Self {
        Self(tokens)
    }
}

impl Interceptor for Gate {
    fn call(&mut self, mut request: Request<()>) -> Result<Request<()>, Status> {
        let caller = match &self.0 {
            None => Caller::default(),
            Some(tokens) => {
                let shown = request.metadata().get("authorization");
                let shown = shown.and_then(|value| value.to_str().ok());
                let allowance = tokens.owner(shown);
                Caller(Some(allowance.inspect_err(|refusal| {
                    crate::admin::measure::refused(refusal.code().1);
                })?))
            }
        };
        request.extensions_mut().insert(caller);
        Ok(request)
    }
}
