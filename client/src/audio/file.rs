//! An audio file as a stream of 16 kHz chunks.

use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};

use futures_util::Stream;
use tokio::sync::mpsc;
use tokio_stream::wrappers::ReceiverStream;

use super::{
    AudioError, CHUNK_SAMPLES, Resampler,
    decode::{Block, Decoder},
};

/// Chunks decoded ahead of the sender: 640 ms. A full queue makes the decoder wait.
const AHEAD: usize = 16;

/// An audio file, decoded as it is read: mono, 16 kHz, full scale +-1, in chunks of
/// [`CHUNK_SAMPLES`] (the last one may be shorter).
///
/// Takes WAV, AIFF, FLAC, MP3, Ogg Vorbis, M4A/AAC/ALAC and Matroska, of any rate and channel
/// count. Where the file is cut short or damaged, all that can be heard comes first, then one
/// error, then nothing.
///
/// ```no_run
/// let file = interpret::audio::AudioFile::open("talk.mp3")?;
/// for chunk in file {
///     let samples: Vec<f32> = chunk?;
/// }
/// # Ok::<(), interpret::audio::AudioError>(())
/// ```
pub struct AudioFile {
    path: PathBuf,
    decoder: Decoder,
    resampler: Resampler,
    ready: Vec<f32>,
    /// `ready[..taken]` has been given out.
    taken: usize,
    end: End,
}

/// Whether more comes.
enum End {
    No,
    /// The decoder is done; this is still to be said after the last chunk.
    Decoded(Option<AudioError>),
    Said,
}

impl AudioFile {
    /// Opens `path` and decodes its first block, so that a file without sound is refused here.
    ///
    /// # Errors
    ///
    /// Where the file cannot be read, is no audio, has no track or codec that this build can
    /// decode, or holds not one sample.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, AudioError> {
        let path = path.into();
        let mut decoder = guarded(&path, || Decoder::open(path.clone()))?;
        let Some(first) = guarded(&path, || decoder.next_block())? else {
            return Err(AudioError::Empty { path });
        };
        let resampler = resampler(&path, first.rate)?;
        let mut file = Self {
            path,
            decoder,
            resampler,
            ready: Vec::new(),
            taken: 0,
            end: End::No,
        };
        file.push_block(&first)?;
        Ok(file)
    }

    /// What the header says the sound lasts; `None` where it does not tell.
    #[must_use]
    pub fn duration(&self) -> Option<Duration> {
        self.decoder.promised()
    }

    /// Decodes on a thread of its own, a bounded piece ahead of whoever reads the stream. Must be
    /// called within a tokio runtime. Dropping the stream ends the thread.
    pub fn into_stream(self) -> impl Stream<Item = Result<Vec<f32>, AudioError>> + Send + 'static {
        let (sender, receiver) = mpsc::channel(AHEAD);
        tokio::task::spawn_blocking(move || {
            for chunk in self {
                if sender.blocking_send(chunk).is_err() {
                    break;
                }
            }
        });
        ReceiverStream::new(receiver)
    }

    fn push_block(&mut self, block: &Block) -> Result<(), AudioError> {
        if block.rate != self.resampler.from_hz() {
            self.flush()?;
            self.resampler = resampler(&self.path, block.rate)?;
        }
        self.resampler
            .push(&block.samples, &mut self.ready)
            .map_err(|error| self.not_resampled(&error))
    }

    fn flush(&mut self) -> Result<(), AudioError> {
        self.resampler
            .finish(&mut self.ready)
            .map_err(|error| self.not_resampled(&error))
    }

    fn not_resampled(&self, error: &dyn std::error::Error) -> AudioError {
        not_resampled(&self.path, error)
    }

    /// Decodes until a chunk is ready or the file has ended.
    fn fill(&mut self) {
        while matches!(self.end, End::No) && self.ready.len() - self.taken < CHUNK_SAMPLES {
            self.ready.drain(..self.taken);
            self.taken = 0;
            let outcome = match guarded(&self.path, || self.decoder.next_block()) {
                Ok(Some(block)) => match self.push_block(&block) {
                    Ok(()) => continue,
                    Err(error) => Some(error),
                },
                Ok(None) => None,
                Err(error) => Some(error),
            };
            let flushed = self.flush();
            self.end = End::Decoded(outcome.or(flushed.err()));
        }
    }
}

/// Reads a file with code that is not ours and may panic at what it finds: that is an error of the file then, and not
/// the end of its sound.
fn guarded<T>(path: &Path, read: impl FnOnce() -> Result<T, AudioError>) -> Result<T, AudioError> {
    // Nothing is read with the decoder afterwards.
    catch_unwind(AssertUnwindSafe(read)).unwrap_or_else(|_panic| {
        Err(AudioError::NotAudio {
            path: path.to_path_buf(),
            reason: "its decoder cannot cope with it".to_owned(),
        })
    })
}

fn resampler(path: &Path, rate: u32) -> Result<Resampler, AudioError> {
    Resampler::new(rate).map_err(|error| not_resampled(path, &error))
}

fn not_resampled(path: &Path, error: &dyn std::error::Error) -> AudioError {
    AudioError::NotAudio {
        path: path.to_path_buf(),
        reason: error.to_string(),
    }
}

impl Iterator for AudioFile {
    type Item = Result<Vec<f32>, AudioError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.fill();
        let left = self.ready.len() - self.taken;
        if left > 0 {
            let start = self.taken;
            self.taken += left.min(CHUNK_SAMPLES);
            return Some(Ok(self.ready[start..self.taken].to_vec()));
        }
        match std::mem::replace(&mut self.end, End::Said) {
            End::Decoded(Some(error)) => Some(Err(error)),
            _ => None,
        }
    }
}

impl fmt::Debug for AudioFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AudioFile")
            .field("path", &self.path)
            .field("duration", &self.duration())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use hound::{SampleFormat, WavSpec, WavWriter};
    use tempfile::TempDir;

    use super::*;

    #[test]
    fn a_decoder_that_panics_is_an_error_of_the_file() {
        let outcome: Result<(), _> = guarded(Path::new("odd.wav"), || panic!("at what it says"));
        let said = outcome.unwrap_err().to_string();
        assert!(
            said.contains("odd.wav") && said.contains("decoder"),
            "{said}"
        );
        assert!(guarded(Path::new("good.wav"), || Ok(1)).is_ok());
    }

    fn fixture(name: &str) -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("tests/audio")
            .join(name)
    }

    fn all(path: &Path) -> (Vec<f32>, Option<AudioError>) {
        let mut samples = Vec::new();
        for chunk in AudioFile::open(path).unwrap() {
            match chunk {
                Ok(chunk) => samples.extend(chunk),
                Err(error) => return (samples, Some(error)),
            }
        }
        (samples, None)
    }

    /// Fraction of the power, between 50 ms from either end, that lies in a sine of `hz`.
    fn purity(samples: &[f32], hz: f64) -> f64 {
        let inner = &samples[800..samples.len() - 800];
        let (mut re, mut im, mut power) = (0.0, 0.0, 0.0);
        for (n, sample) in inner.iter().enumerate() {
            let angle = std::f64::consts::TAU * hz * n as f64 / 16_000.0;
            re += f64::from(*sample) * angle.cos();
            im += f64::from(*sample) * angle.sin();
            power += f64::from(*sample).powi(2);
        }
        2.0 * (re * re + im * im) / (inner.len() as f64 * power)
    }

    /// One second of a 440 Hz sine at half scale in all channels.
    fn write_sine(path: &Path, spec: WavSpec) {
        let mut writer = WavWriter::create(path, spec).unwrap();
        let full = match spec.sample_format {
            SampleFormat::Float => 1.0,
            SampleFormat::Int => f64::from(1_u32 << (spec.bits_per_sample - 1)),
        };
        for n in 0..spec.sample_rate {
            let angle = std::f64::consts::TAU * 440.0 * f64::from(n) / f64::from(spec.sample_rate);
            let value = 0.5 * full * angle.sin();
            for _ in 0..spec.channels {
                match spec.sample_format {
                    SampleFormat::Float => writer.write_sample(value as f32).unwrap(),
                    SampleFormat::Int => writer.write_sample(value as i32).unwrap(),
                }
            }
        }
        writer.finalize().unwrap();
    }

    fn spec(channels: u16, sample_rate: u32, bits_per_sample: u16) -> WavSpec {
        WavSpec {
            channels,
            sample_rate,
            bits_per_sample,
            sample_format: if bits_per_sample == 32 {
                SampleFormat::Float
            } else {
                SampleFormat::Int
            },
        }
    }

    #[test]
    fn wav_of_any_rate_width_and_channel_count_is_the_same_sound() {
        let dir = TempDir::new().unwrap();
        for (channels, rate, bits) in [
            (1, 8_000, 16),
            (2, 44_100, 16),
            (6, 96_000, 24),
            (1, 16_000, 8),
            (2, 48_000, 32),
            (1, 11_025, 24),
            (8, 192_000, 16),
        ] {
            let path = dir.path().join(format!("{channels}-{rate}-{bits}.wav"));
            write_sine(&path, spec(channels, rate, bits));
            let (samples, error) = all(&path);
            let what = format!("{channels} channels, {rate} Hz, {bits} bits");
            assert!(error.is_none(), "{what}: {error:?}");
            assert_eq!(samples.len(), 16_000, "{what}");
            let purity = purity(&samples, 440.0);
            assert!(purity > 0.999, "{what}: purity {purity}");
            let loudest = samples.iter().fold(0.0_f32, |a, b| a.max(b.abs()));
            assert!((0.49..0.52).contains(&loudest), "{what}: peak {loudest}");
            let duration = AudioFile::open(&path).unwrap().duration();
            assert_eq!(duration, Some(Duration::from_secs(1)), "{what}");
        }
    }

    #[test]
    fn compressed_formats_hold_the_half_second_they_were_made_of() {
        for name in ["sine.flac", "sine.mp3", "sine.ogg", "sine.m4a"] {
            let (samples, error) = all(&fixture(name));
            assert!(error.is_none(), "{name}: {error:?}");
            // Encoders pad; half a second is 8000 samples.
            assert!(
                (7_900..10_000).contains(&samples.len()),
                "{name}: {}",
                samples.len()
            );
            let purity = purity(&samples, 440.0);
            assert!(purity > 0.98, "{name}: purity {purity}");
        }
    }

    #[test]
    fn opus_and_a_film_without_sound_are_refused_by_name() {
        let opus = AudioFile::open(fixture("sine.opus")).unwrap_err();
        assert!(matches!(&opus, AudioError::UnsupportedCodec { codec, .. } if codec == "Opus"));
        let silent_film = AudioFile::open(fixture("video-only.mkv")).unwrap_err();
        assert!(
            matches!(silent_film, AudioError::NoAudioTrack { .. }),
            "{silent_film}"
        );
    }

    #[test]
    fn a_file_cut_short_gives_what_is_there_and_then_says_so() {
        let dir = TempDir::new().unwrap();
        let whole = dir.path().join("whole.wav");
        write_sine(&whole, spec(1, 44_100, 16));
        let wav = fs::read(&whole).unwrap();
        let flac = fs::read(fixture("sine.flac")).unwrap();
        for (name, bytes, least, most) in [
            ("cut.wav", &wav[..wav.len() / 2], 7_900, 8_100),
            ("cut.flac", &flac[..flac.len() * 2 / 3], 500, 7_999),
        ] {
            let path = dir.path().join(name);
            fs::write(&path, bytes).unwrap();
            let (samples, error) = all(&path);
            assert!(
                (least..most).contains(&samples.len()),
                "{name}: {}",
                samples.len()
            );
            let Some(AudioError::Truncated { had, promised, .. }) = error else {
                panic!("{name}: {error:?}");
            };
            let heard = samples.len() as f64 / 16_000.0;
            assert!((had.as_secs_f64() - heard).abs() < 0.001, "{name}: {had:?}");
            assert!(promised.unwrap() > had, "{name}: {promised:?}");
        }
    }

    #[test]
    fn cut_at_any_byte_a_wav_never_panics_and_is_never_called_whole() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("cut.wav");
        write_sine(&path, spec(2, 8_000, 16));
        let wav = fs::read(&path).unwrap();
        for end in (0..60).chain((60..wav.len()).step_by(977)) {
            fs::write(&path, &wav[..end]).unwrap();
            let outcome = AudioFile::open(&path)
                .and_then(|file| file.collect::<Result<Vec<_>, _>>())
                .map(|_| ());
            assert!(
                outcome.is_err(),
                "{end} bytes of {} passed for all",
                wav.len()
            );
        }
    }

    #[test]
    fn a_wav_from_a_pipe_has_no_length_and_is_whole_all_the_same() {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("pipe.wav");
        write_sine(&path, spec(1, 16_000, 16));
        let mut wav = fs::read(&path).unwrap();
        for unknown in [0xffff_ffff_u32, 0x7fff_f000] {
            let data = wav.windows(4).position(|four| four == b"data").unwrap() + 4;
            // As ffmpeg and sox write them: the outer length covers the header too.
            wav[4..8].copy_from_slice(&unknown.saturating_add(36).to_le_bytes());
            wav[data..data + 4].copy_from_slice(&unknown.to_le_bytes());
            fs::write(&path, &wav).unwrap();
            let (samples, error) = all(&path);
            assert!(error.is_none(), "{unknown:#x}: {error:?}");
            assert_eq!(samples.len(), 16_000);
        }
    }

    #[test]
    fn what_is_no_audio_is_refused_with_the_reason() {
        let dir = TempDir::new().unwrap();
        let text = dir.path().join("notes.txt");
        fs::write(&text, "Sound is what we lack here. ".repeat(400)).unwrap();
        let refused = AudioFile::open(&text).unwrap_err();
        assert!(matches!(refused, AudioError::NotAudio { .. }), "{refused}");

        let nothing = dir.path().join("nothing.wav");
        fs::write(&nothing, []).unwrap();
        let refused = AudioFile::open(&nothing).unwrap_err();
        assert!(matches!(refused, AudioError::Empty { .. }), "{refused}");

        let silent = dir.path().join("no-samples.wav");
        WavWriter::create(&silent, spec(1, 16_000, 16))
            .unwrap()
            .finalize()
            .unwrap();
        let refused = AudioFile::open(&silent).unwrap_err();
        assert!(matches!(refused, AudioError::Empty { .. }), "{refused}");

        let refused = AudioFile::open(dir.path()).unwrap_err();
        assert!(matches!(refused, AudioError::Read { .. }), "{refused}");
        let refused = AudioFile::open(dir.path().join("absent.wav")).unwrap_err();
        assert!(matches!(refused, AudioError::Read { .. }), "{refused}");
    }

    #[tokio::test]
    async fn the_stream_gives_the_same_samples_as_the_iterator() {
        use futures_util::StreamExt;
        let path = fixture("sine.flac");
        let stream = AudioFile::open(&path).unwrap().into_stream();
        let streamed: Vec<f32> = stream
            .map(Result::unwrap)
            .collect::<Vec<_>>()
            .await
            .concat();
        assert_eq!(streamed, all(&path).0);
    }
}
