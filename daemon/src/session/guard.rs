//! A panic ends the session or call that it happens in, with an error, and no other.

use std::panic::AssertUnwindSafe;

use futures_util::FutureExt as _;
use tonic::Status;

use super::Refusal;

/// Runs a session's work to its end; where that is a panic, it is an error like any other, so that the client is
/// told and the end is counted.
pub(crate) async fn guarded(work: impl Future<Output = Result<(), Status>>) -> Result<(), Status> {
    // All that the work holds goes with it. Engines catch panics by themselves, and where sessions share a lock,
    // the lock's user says why a panic leaves what it guards whole.
    let outcome = AssertUnwindSafe(work).catch_unwind().await;
    outcome.unwrap_or_else(|_panic| {
        Err(
            Refusal::EngineFailed("the session failed; the daemon's log says where".to_owned())
                .into(),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_is_an_error_without_what_it_says() {
        let panics = async {
            tokio::task::yield_now().await;
            panic!("poison input")
        };
        let status = guarded(panics).await.unwrap_err();
        assert_eq!(status.code(), tonic::Code::Internal);
        assert!(!status.message().contains("poison"), "{status}");
        assert!(guarded(async { Ok(()) }).await.is_ok());
    }
}
