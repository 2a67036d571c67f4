//! How much of the time there is interpreting takes on this machine.

use std::io::Write;

use super::{Report, ServerArgs};
use crate::{
    audio::{AudioFile, Pace},
    connect::connect,
    error::ClientError,
    measure::{Measure, Stage},
    session::{Config, Session, Source, Target},
};

/// Four seconds of somebody reading French (`NOTICE` says whose).
const SPEECH: &[u8] = include_bytes!("../../../../tests/speech/read-cheetah-fr.flac");

/// Above this share of the time there is, the voice falls behind whenever the speaker does not
/// pause: what is left is needed for everything else on the machine.
const COMFORTABLE: f64 = 0.9;
/// Share that recognition takes with Whisper tiny in place of base (docs/streaming.md).
const TINY: f64 = 0.5;

/// Compute time over audio time, by stage.
#[derive(Debug)]
pub(super) struct Speed(Vec<Stage>);

/// Interprets a recording as fast as it goes, twice: the first time warms everything up.
pub(super) async fn measure(server: &ServerArgs) -> Result<Speed, ClientError> {
    let connection = connect(&server.endpoint()?).await?;
    let unwritten = |source| ClientError::Output {
        path: std::env::temp_dir(),
        source,
    };
    let mut file = tempfile::NamedTempFile::with_suffix(".flac").map_err(unwritten)?;
    file.write_all(SPEECH).map_err(unwritten)?;
    let mut stages = Vec::new();
    for _ in 0..2 {
        let config =
            Config::new(Source::Language("fr".parse()?)).target(Target::new("en".parse()?));
        let audio = AudioFile::open(file.path())?.into_stream();
        let mut session = Session::open(connection.clone(), config, audio, Pace::Fast).await?;
        let mut measure = Measure::new(Pace::Fast);
        while let Some(received) = session.next().await? {
            measure.take(&received);
        }
        stages = measure.stages().to_vec();
    }
    Ok(Speed(stages))
}

impl Speed {
    fn share(&self, stage: &str) -> f64 {
        let of = self.0.iter().filter(|s| s.name.starts_with(stage));
        of.map(|stage| stage.ratio).sum()
    }

    pub(super) fn tell(&self, report: &mut Report) {
        let total: f64 = self.0.iter().map(|stage| stage.ratio).sum();
        let parts: Vec<String> = self
            .0
            .iter()
            .map(|stage| format!("{} {:.2}", stage.name, stage.ratio))
            .collect();
        let parts = parts.join(", ");
        report.line(
            "speed",
            format!("French to English takes {total:.2} of the time there is ({parts})"),
        );
        report.line("advice", advice(total, self.share("recognise")));
    }
}

/// What to choose, from compute time over audio time: of all, and of recognition with Whisper base.
fn advice(total: f64, recognition: f64) -> &'static str {
    let with_tiny = total - recognition * (1.0 - TINY);
    if total <= COMFORTABLE / 2.0 {
        "--mode low-latency; there is room for a larger recogniser: --recognition whisper-small"
    } else if total <= COMFORTABLE {
        "--mode low-latency with whisper-base, as by default"
    } else if with_tiny <= COMFORTABLE {
        "--recognition whisper-tiny with --mode low-latency: whisper-base leaves no room to speak"
    } else {
        "--captions-only with --recognition whisper-tiny, or a faster machine's daemon with --server"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slower_the_machine_the_smaller_the_choice() {
        let words = |total, recognition| advice(total, recognition);
        assert!(words(0.3, 0.2).contains("whisper-small"));
        assert!(words(0.8, 0.5).contains("whisper-base"));
        assert!(words(1.1, 0.6).contains("whisper-tiny with"));
        assert!(words(2.5, 1.5).contains("captions-only"));
    }
}
