//! A WAV file of what a listener of one language would have heard.

use std::{
    fs::File,
    io::{self, BufWriter},
    path::PathBuf,
};

use hound::{SampleFormat, WavSpec, WavWriter};
use interpret_models::Language;
use interpret_proto::v1::{AudioEncoding, AudioFormat, SessionStarted, TranslatedAudio};

use super::{Output, file::OutputFile, frame_bytes};
use crate::{
    audio::Pace,
    playback::{Timeline, ready_ms},
    session::{Event, Received},
};

/// Most bytes of sound in a WAV file: its lengths are 32 bits wide.
const MOST_BYTES: u64 = u32::MAX as u64 - 4096;

/// Writes the translated audio of one language on the timeline of the source, with silence between
/// the pieces (see [`crate::playback`]).
pub struct TranslatedAudioFile {
    file: OutputFile,
    /// Until the session tells the format.
    handle: Option<File>,
    sound: Option<Sound>,
    language: Language,
    pace: Pace,
}

struct Sound {
    writer: WavWriter<BufWriter<File>>,
    format: AudioFormat,
    timeline: Timeline,
    bytes: u64,
}

impl TranslatedAudioFile {
    /// Opens a WAV file.
    ///
    /// # Errors
    ///
    /// Where the file cannot be created.
    pub fn create(path: PathBuf, language: Language, pace: Pace) -> io::Result<Self> {
        let (file, handle) = OutputFile::create(path)?;
        Ok(Self {
            file,
            handle: Some(handle),
            sound: None,
            language,
            pace,
        })
    }

    fn start(&mut self, started: &SessionStarted) -> io::Result<()> {
        if self.sound.is_some() {
            // A session that goes on in another: the file goes on too.
            return Ok(());
        }
        let target = started
            .targets
            .iter()
            .find(|target| target.language == self.language.code());
        match (
            target.and_then(|target| target.audio_format),
            self.handle.take(),
        ) {
            (Some(format), Some(handle)) => {
                self.sound = Some(Sound::new(handle, format)?);
                Ok(())
            }
            _ => Err(io::Error::other(format!(
                "the daemon does not speak {}: it announced no audio",
                self.language.name()
            ))),
        }
    }
}

impl Output for TranslatedAudioFile {
    fn path(&self) -> &PathBuf {
        self.file.path()
    }

    fn write(&mut self, received: &Received) -> io::Result<()> {
        match &received.event {
            Event::SessionStarted(started) => self.start(started),
            Event::TranslatedAudio(audio) if audio.language == self.language.code() => {
                let ready = ready_ms(self.pace, received.at_ms, audio.source_end_ms);
                match &mut self.sound {
                    Some(sound) => sound.write(audio, ready),
                    None => Ok(()),
                }
            }
            _ => Ok(()),
        }
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        match self.sound {
            Some(sound) => sound.writer.finalize().map_err(from_hound)?,
            // No session, no sound: an empty file helps nobody.
            None => return Err(io::Error::other("the session never started")),
        }
        self.file.finish()
    }
}

impl Sound {
    fn new(handle: File, format: AudioFormat) -> io::Result<Self> {
        let (bits_per_sample, sample_format) = match format.encoding() {
            AudioEncoding::Linear16 => (16, SampleFormat::Int),
            AudioEncoding::F32 => (32, SampleFormat::Float),
            other => {
                let name = other.as_str_name();
                return Err(io::Error::other(format!("cannot write {name} as WAV")));
            }
        };
        let spec = WavSpec {
            channels: u16::try_from(format.channels.max(1)).unwrap_or(u16::MAX),
            sample_rate: format.sample_rate_hz,
            bits_per_sample,
            sample_format,
        };
        Ok(Self {
            writer: WavWriter::new(BufWriter::new(handle), spec).map_err(from_hound)?,
            format,
            timeline: Timeline::new(format.sample_rate_hz),
            bytes: 0,
        })
    }

    fn write(&mut self, audio: &TranslatedAudio, ready_ms: u64) -> io::Result<()> {
        let frame_bytes = frame_bytes(self.format);
        let frames = (audio.data.len() / frame_bytes) as u64;
        let silence = self.timeline.place(ready_ms, frames).silence;
        self.bytes += (silence + frames) * frame_bytes as u64;
        if self.bytes > MOST_BYTES {
            return Err(io::Error::new(
                io::ErrorKind::FileTooLarge,
                "a WAV file cannot pass 4 GiB",
            ));
        }
        let silent_samples = silence * u64::from(self.format.channels.max(1));
        match self.format.encoding() {
            AudioEncoding::F32 => {
                self.silence(silent_samples, 0.0_f32)?;
                for bytes in audio.data.as_chunks::<4>().0 {
                    self.sample(f32::from_le_bytes(*bytes))?;
                }
            }
            _ => {
                self.silence(silent_samples, 0_i16)?;
                for bytes in audio.data.as_chunks::<2>().0 {
                    self.sample(i16::from_le_bytes(*bytes))?;
                }
            }
        }
        if audio.clause_complete {
            // A readable header even if the process is killed.
            self.writer.flush().map_err(from_hound)?;
        }
        Ok(())
    }

    fn silence<S: hound::Sample + Copy>(&mut self, samples: u64, zero: S) -> io::Result<()> {
        (0..samples).try_for_each(|_| self.sample(zero))
    }

    fn sample<S: hound::Sample>(&mut self, sample: S) -> io::Result<()> {
        self.writer.write_sample(sample).map_err(from_hound)
    }
}

fn from_hound(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}

impl std::fmt::Debug for TranslatedAudioFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TranslatedAudioFile")
            .field("path", self.file.path())
            .field("language", &self.language)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::Target;
    use tempfile::TempDir;

    use super::*;

    fn started() -> Received {
        let format = AudioFormat {
            encoding: AudioEncoding::Linear16.into(),
            sample_rate_hz: 1000,
            channels: 1,
        };
        let target = Target {
            language: "en".to_owned(),
            audio_format: Some(format),
            ..Target::default()
        };
        Received {
            at_ms: -5,
            event: Event::SessionStarted(SessionStarted {
                targets: vec![target],
                ..SessionStarted::default()
            }),
        }
    }

    fn piece(at_ms: i64, source_end_ms: u64, value: i16, samples: usize) -> Received {
        Received {
            at_ms,
            event: Event::TranslatedAudio(TranslatedAudio {
                language: "en".to_owned(),
                data: value.to_le_bytes().repeat(samples),
                source_end_ms,
                ..TranslatedAudio::default()
            }),
        }
    }

    fn written(pace: Pace, events: &[Received]) -> Vec<i16> {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("out.wav");
        let english = "en".parse().unwrap();
        let mut file = TranslatedAudioFile::create(path.clone(), english, pace).unwrap();
        for event in events {
            file.write(event).unwrap();
        }
        Box::new(file).finish().unwrap();
        let mut reader = hound::WavReader::open(path).unwrap();
        reader.samples().map(Result::unwrap).collect()
    }

    #[test]
    fn the_wav_is_what_a_listener_would_have_heard() {
        let events = [
            started(),
            piece(3, 1, 7, 2),
            piece(4, 2, 8, 2),
            piece(9, 6, 9, 1),
        ];
        assert_eq!(
            written(Pace::RealTime, &events),
            [0, 0, 0, 7, 7, 8, 8, 0, 0, 9]
        );
        assert_eq!(written(Pace::Fast, &events), [0, 7, 7, 8, 8, 0, 9]);
    }

    #[test]
    fn a_language_that_is_not_spoken_is_an_error_and_no_empty_file() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("out.wav");
        let french = "fr".parse().unwrap();
        let mut file = TranslatedAudioFile::create(path.clone(), french, Pace::Fast).unwrap();
        assert!(file.write(&started()).is_err());
        drop(file);
        assert!(!path.exists());
    }
}
