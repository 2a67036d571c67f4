//! What a session came to.

use std::{fmt, path::PathBuf};

use super::{DeviceSummary, clock, seconds};
use crate::measure::Measure;

/// Prints the measure of a session for a person.
#[derive(Debug)]
pub struct Summary<'a> {
    /// What was measured.
    pub measure: &'a Measure,
    /// How microphone and loudspeakers did, where there were any.
    pub devices: Option<&'a DeviceSummary>,
    /// Files that are complete.
    pub files: &'a [PathBuf],
}

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let measure = self.measure;
        writeln!(f, "audio            {}", clock(measure.source_ms()))?;
        let total: f64 = measure.stages().iter().map(|stage| stage.ratio).sum();
        if !measure.stages().is_empty() {
            writeln!(f, "compute          {total:.2} of audio time")?;
        }
        for stage in measure.stages() {
            let (name, ratio, calls) = (&stage.name, stage.ratio, stage.calls);
            writeln!(f, "  {name:<14} {ratio:.3} ({calls} calls)")?;
        }
        let words = measure.source_words();
        writeln!(f, "words committed  {words} heard")?;
        for (language, words) in measure.translated_words() {
            writeln!(f, "  {language:<14} {words} translated")?;
        }
        for spoken in measure.spoken() {
            let language = &spoken.language;
            write!(f, "speech {language:<9} first after ")?;
            writeln!(
                f,
                "{}",
                seconds(i64::try_from(spoken.first_ms).unwrap_or(i64::MAX))
            )?;
            if let Some(span) = &spoken.ear_voice_span {
                let (median, p95) = (seconds(span.median_ms), seconds(span.p95_ms));
                writeln!(f, "  ear-voice span median {median}, 95th percentile {p95}")?;
            }
        }
        if measure.lost_ms() > 0 {
            let lost = seconds(i64::try_from(measure.lost_ms()).unwrap_or(i64::MAX));
            writeln!(f, "lost             {lost}")?;
        }
        if let Some(devices) = self.devices {
            write_devices(f, devices)?;
        }
        for file in self.files {
            writeln!(f, "wrote            {}", file.display())?;
        }
        Ok(())
    }
}

/// Gaps are always told; what was lost, only where something was.
fn write_devices(f: &mut fmt::Formatter<'_>, devices: &DeviceSummary) -> fmt::Result {
    let gaps = devices.underruns + devices.device_xruns;
    writeln!(f, "gaps in sound    {gaps}")?;
    let lost = |ms: u64| seconds(i64::try_from(ms).unwrap_or(i64::MAX));
    if devices.overrun_frames > 0 {
        let frames = devices.overrun_frames;
        writeln!(f, "  not heard      {frames} frames of the microphone")?;
    }
    if devices.unsent_ms > 0 {
        writeln!(f, "  not sent       {}", lost(devices.unsent_ms))?;
    }
    if devices.unheard_ms > 0 {
        writeln!(f, "  not spoken     {}", lost(devices.unheard_ms))?;
    }
    Ok(())
}
