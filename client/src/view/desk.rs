//! What a view shows of microphone and loudspeakers.

/// The devices at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DeskStatus {
    /// How loud the microphone was since the last time, in dB below full scale.
    pub level_db: f32,
    /// The microphone hears nothing, because the person wants so.
    pub paused: bool,
    /// The voice is not heard, because the person wants so.
    pub muted: bool,
    /// Speech that waits to be played, in milliseconds.
    pub waiting_ms: u64,
    /// Gaps in the sound so far.
    pub xruns: u64,
}

/// How the devices did, over a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeviceSummary {
    /// Frames of the microphone that were lost because nobody took them in time.
    pub overrun_frames: u64,
    /// Times that speech had a gap because it came too late.
    pub underruns: u64,
    /// Gaps that the sound system itself reported.
    pub device_xruns: u64,
    /// Speech that was never heard, because a loudspeaker was gone or too much waited.
    pub unheard_ms: u64,
    /// Sound of the microphone that was never sent, because the network took none.
    pub unsent_ms: u64,
}
