//! The audit log: one line for each session and call that has ended, without anything that was said.
//!
//! Lines have the target `interpretd::audit`, so that a log filter can send them somewhere of their own.

use std::time::{Duration, Instant};

use tonic::{Code, Status};

use crate::access::Admission;

/// What is written of a session or call.
#[derive(Debug)]
pub(crate) struct Audit {
    kind: &'static str,
    id: String,
    /// Name of the token; empty: none was needed.
    caller: String,
    /// "fr to en, pt".
    languages: String,
    began: Instant,
}

impl Audit {
    /// A session or call begins.
    pub(crate) fn begin(
        kind: &'static str,
        id: &str,
        admission: &Admission,
        languages: String,
    ) -> Self {
        tracing::info!(target: "interpretd::audit", kind, id, caller = admission.name(), languages, "begun");
        Self {
            kind,
            id: id.to_owned(),
            caller: admission.name().to_owned(),
            languages,
            began: Instant::now(),
        }
    }

    /// It has ended, after so much speech.
    pub(crate) fn end(self, heard: Duration, outcome: &Result<(), Status>) {
        let code = outcome.as_ref().map_or_else(Status::code, |()| Code::Ok);
        let reason = outcome.as_ref().err().map_or("", Status::message);
        tracing::info!(
            target: "interpretd::audit",
            kind = self.kind,
            id = self.id,
            caller = self.caller,
            languages = self.languages,
            lasted_s = self.began.elapsed().as_secs(),
            heard_s = heard.as_secs(),
            ?code,
            reason,
            "ended"
        );
    }
}
