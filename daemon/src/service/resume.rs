//! Sessions whose clients may come back.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    access::Caller,
    session::{
        Refusal,
        link::{GRACE, Link},
    },
};

/// All of them, by token. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Resumable(Arc<Mutex<HashMap<String, Kept>>>);

#[derive(Debug)]
struct Kept {
    link: Arc<Link>,
    /// The name of the bearer token that opened the session: nobody else may go on with it.
    owner: String,
}

impl Resumable {
    /// Keeps a session, and gives the token that its client needs.
    ///
    /// # Errors
    /// When the system gives no random numbers.
    pub(super) fn keep(&self, link: &Arc<Link>, caller: &Caller) -> Result<String, Refusal> {
        let mut random = [0_u8; 16];
        getrandom::fill(&mut random)
            .map_err(|error| Refusal::EngineFailed(format!("no random numbers: {error}")))?;
        let token: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
        let kept = Kept {
            link: Arc::clone(link),
            owner: caller.name().to_owned(),
        };
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(token.clone(), kept);
        Ok(token)
    }

    /// The session of a token.
    ///
    /// # Errors
    /// When there is none, or somebody else's.
    pub(super) fn find(&self, token: &str, caller: &Caller) -> Result<Arc<Link>, Refusal> {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(token).filter(|kept| kept.owner == caller.name());
        kept.map(|kept| Arc::clone(&kept.link)).ok_or_else(|| {
            Refusal::NoSession(format!(
                "there is no session to go on with: it has ended, or was without its client for more \
                 than {} seconds",
                GRACE.as_secs()
            ))
        })
    }

    /// Forgets a session that has ended, once its client has had time to hear the end of it.
    pub(super) async fn forget(&self, token: &str) {
        tokio::time::sleep(GRACE).await;
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.remove(token);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn only_the_owner_finds_a_session_and_not_for_ever() {
        let all = Resumable::default();
        let (link, _requests) = Link::new();
        let owner = Caller::named("desk");
        let token = all.keep(&Arc::new(link), &owner).unwrap();
        assert!(all.find(&token, &owner).is_ok());
        for other in [Caller::named("hall"), Caller::default()] {
            assert!(matches!(
                all.find(&token, &other),
                Err(Refusal::NoSession(_))
            ));
        }
        all.forget(&token).await;
        assert!(matches!(
            all.find(&token, &owner),
            Err(Refusal::NoSession(_))
        ));
    }
}
