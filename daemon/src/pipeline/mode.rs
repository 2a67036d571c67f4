//! What the three modes are made of.

use interpret_models::{Language, vad::EndpointConfig};

use super::{CommitPolicy, TranscriberSettings, WindowLimits};

/// Longest utterance while words are committed within it. The window of recognition is cut by
/// itself long before; this bounds what detection keeps.
const LONGEST_STREAMED_MS: u32 = 28_000;

/// Trade between delay and quality: docs/streaming.md has the measurements.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Starts soonest.
    LowLatency,
    /// Between the two.
    #[default]
    Balanced,
    /// Whole utterances and whole sentences.
    Accurate,
}

impl Mode {
    /// How recognition works.
    pub(super) fn transcriber(self, sources: &[Language]) -> TranscriberSettings {
        let (policy, step_ms) = match self {
            Self::LowLatency => (CommitPolicy::AlignAtt { hold_ms: 300 }, 480),
            Self::Balanced => (CommitPolicy::AlignAtt { hold_ms: 500 }, 640),
            Self::Accurate => (CommitPolicy::AtEnd, 960),
        };
        TranscriberSettings {
            sources: sources.to_vec(),
            policy,
            step_ms,
            limits: WindowLimits::default(),
            prompt: false,
        }
    }

    /// When utterances begin and end, given what is configured.
    pub(super) fn endpoint(self, configured: &EndpointConfig) -> EndpointConfig {
        match self {
            Self::Accurate => configured.clone(),
            Self::LowLatency | Self::Balanced => EndpointConfig {
                max_utterance_ms: LONGEST_STREAMED_MS.max(configured.max_utterance_ms),
                ..configured.clone()
            },
        }
    }
}
