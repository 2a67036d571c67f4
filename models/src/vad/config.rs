//! How utterances are found: thresholds and lengths.

use serde::{Deserialize, Serialize};

/// When an utterance begins and ends. The defaults were chosen by measurement: see
/// `docs/recognition.md`. Lengths count in frames of 32 ms, rounded to the nearest.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EndpointConfig {
    /// Probability from which a frame begins an utterance.
    pub start_threshold: f32,
    /// Probability from which a frame of an utterance is speech; below the start threshold, so that
    /// a probability that wavers does not.
    pub stop_threshold: f32,
    /// Speech it takes to make an utterance: clicks and coughs stay below.
    pub min_speech_ms: u32,
    /// Silence that ends an utterance.
    pub min_silence_ms: u32,
    /// Audio kept in front of the first frame of speech: detection comes late for soft first
    /// phonemes.
    pub lead_padding_ms: u32,
    /// Audio kept after the last frame of speech; at most `min_silence_ms`.
    pub tail_padding_ms: u32,
    /// An utterance this long is cut.
    pub max_utterance_ms: u32,
    /// The cut lies in the frame with the least speech among the last so many milliseconds.
    pub cut_search_ms: u32,
}

impl Default for EndpointConfig {
    fn default() -> Self {
        Self {
            start_threshold: 0.5,
            stop_threshold: 0.35,
            min_speech_ms: 96,
            min_silence_ms: 500,
            lead_padding_ms: 256,
            tail_padding_ms: 256,
            max_utterance_ms: 14_000,
            cut_search_ms: 5_000,
        }
    }
}

/// An [`EndpointConfig`] that contradicts itself.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("speech detection settings: {0}")]
pub struct InvalidEndpointConfig(String);

impl EndpointConfig {
    /// Checks that the values fit each other.
    ///
    /// # Errors
    /// Names the first value that does not fit, and what would.
    pub fn validate(&self) -> Result<(), InvalidEndpointConfig> {
        let thresholds = 0.0 < self.stop_threshold
            && self.stop_threshold <= self.start_threshold
            && self.start_threshold < 1.0;
        let check = |holds: bool, message: &str| {
            if holds {
                Ok(())
            } else {
                Err(InvalidEndpointConfig(message.to_owned()))
            }
        };
        check(
            thresholds,
            "stop_threshold must lie above 0 and not above start_threshold, and that below 1",
        )?;
        check(
            self.tail_padding_ms <= self.min_silence_ms,
            "tail_padding_ms must not exceed min_silence_ms: the audio after is not there yet",
        )?;
        check(
            (1_000..=29_000).contains(&self.max_utterance_ms),
            "max_utterance_ms must lie between 1000 and 29000: recognition takes 30 s at most",
        )?;
        check(
            self.lead_padding_ms.saturating_add(self.min_speech_ms) <= self.max_utterance_ms / 2,
            "lead_padding_ms and min_speech_ms together must not exceed half of max_utterance_ms",
        )?;
        check(
            self.cut_search_ms <= self.max_utterance_ms / 2,
            "cut_search_ms must not exceed half of max_utterance_ms",
        )
    }
}
