//! What a stage has computed.

use std::time::Duration;

use crate::engines::Timing;

/// Computing done by one stage of one session.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StageReport {
    /// "detect", "recognise", "translate:en", "speak:en".
    pub stage: String,
    /// Times its model ran.
    pub calls: u64,
    /// Wall time its model ran.
    pub busy: Duration,
    /// Time its requests waited for the model.
    pub waited: Duration,
}

impl StageReport {
    pub(super) fn new(stage: impl Into<String>) -> Self {
        Self {
            stage: stage.into(),
            ..Self::default()
        }
    }

    pub(super) fn add(&mut self, timing: Timing) {
        self.calls += 1;
        self.busy += timing.busy;
        self.waited += timing.waited;
    }
}
