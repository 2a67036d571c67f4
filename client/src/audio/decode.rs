//! The compressed file as blocks of mono samples at its own rate.

use std::{
    fs::File,
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use symphonia::core::{
    codecs::audio::{
        AudioDecoder, AudioDecoderOptions,
        well_known::{CODEC_ID_OPUS, CODEC_ID_SPEEX, CODEC_ID_WMA},
    },
    errors::Error as SymphoniaError,
    formats::{FormatOptions, FormatReader, Track, TrackType, probe::Hint},
    io::MediaSourceStream,
    meta::MetadataOptions,
};

use super::{AudioError, mixdown::mix_to_mono};

/// WAV lengths from here up are what programs write that do not know the length yet.
const UNKNOWN_WAV_BYTES: u64 = 0x7fff_0000;

/// Mono samples and their rate.
#[derive(Debug)]
pub(super) struct Block {
    pub(super) rate: u32,
    pub(super) samples: Vec<f32>,
}

/// Reads one track of one file, block by block.
pub(super) struct Decoder {
    path: PathBuf,
    format: Box<dyn FormatReader>,
    decoder: Box<dyn AudioDecoder>,
    track_id: u32,
    /// What the header says the sound lasts.
    promised: Option<Duration>,
    decoded: Duration,
    interleaved: Vec<f32>,
}

impl Decoder {
    pub(super) fn open(path: PathBuf) -> Result<Self, AudioError> {
        let read_error = |path: &Path, source| AudioError::Read {
            path: path.to_path_buf(),
            source,
        };
        let file = File::open(&path).map_err(|error| read_error(&path, error))?;
        let metadata = file.metadata().map_err(|error| read_error(&path, error))?;
        if metadata.is_dir() {
            return Err(read_error(&path, io::ErrorKind::IsADirectory.into()));
        }
        if metadata.is_file() && metadata.len() == 0 {
            return Err(AudioError::Empty { path });
        }
        let stream = MediaSourceStream::new(Box::new(file), Default::default());
        let format = symphonia::default::get_probe()
            .probe(
                &Hint::new(),
                stream,
                FormatOptions::default(),
                MetadataOptions::default(),
            )
            .map_err(|error| refused(&path, error))?;
        let (track_id, decoder, promised) = choose_track(&path, format.as_ref())?;
        Ok(Self {
            path,
            format,
            decoder,
            track_id,
            promised,
            decoded: Duration::ZERO,
            interleaved: Vec::new(),
        })
    }

    pub(super) fn promised(&self) -> Option<Duration> {
        self.promised
    }

    /// The next block; `None` at the proper end of the sound.
    pub(super) fn next_block(&mut self) -> Result<Option<Block>, AudioError> {
        loop {
            let packet = match self.format.next_packet() {
                Ok(Some(packet)) if packet.track_id == self.track_id => packet,
                Ok(Some(_)) => continue,
                Ok(None) => return self.at_end(),
                Err(SymphoniaError::ResetRequired) => {
                    // Chained streams: a new track list, perhaps another rate.
                    let (track_id, decoder, _) = choose_track(&self.path, self.format.as_ref())?;
                    self.track_id = track_id;
                    self.decoder = decoder;
                    self.promised = None;
                    continue;
                }
                Err(SymphoniaError::IoError(error))
                    if error.kind() == io::ErrorKind::UnexpectedEof =>
                {
                    return self.at_unexpected_end();
                }
                Err(SymphoniaError::IoError(source)) => {
                    return Err(AudioError::Read {
                        path: self.path.clone(),
                        source,
                    });
                }
                Err(error) => return Err(self.damaged(&error)),
            };
            let mut samples = Vec::new();
            let rate = match self.decoder.decode(&packet) {
                Ok(buffer) => {
                    buffer.copy_to_vec_interleaved(&mut self.interleaved);
                    let spec = buffer.spec();
                    mix_to_mono(&self.interleaved, spec.channels(), &mut samples);
                    spec.rate()
                }
                Err(SymphoniaError::DecodeError(reason)) if !self.decoded.is_zero() => {
                    // One bad packet: silence in its place keeps source time right.
                    tracing::warn!(reason, at = ?self.decoded, "a damaged packet becomes silence");
                    let last = self.decoder.last_decoded();
                    let frames = usize::try_from(packet.dur.get()).unwrap_or(0);
                    samples.resize(frames.min(1 << 16), 0.0);
                    last.spec().rate()
                }
                // Nothing decoded yet: some formats start with packets that cannot stand alone.
                Err(SymphoniaError::DecodeError(reason)) => {
                    tracing::debug!(reason, "a packet before the first sound was skipped");
                    continue;
                }
                Err(error) => return Err(self.damaged(&error)),
            };
            if samples.is_empty() || rate == 0 {
                continue;
            }
            self.decoded += Duration::from_secs_f64(samples.len() as f64 / f64::from(rate));
            return Ok(Some(Block { rate, samples }));
        }
    }

    fn at_end(&self) -> Result<Option<Block>, AudioError> {
        let tolerance = self.tolerance();
        match self.promised {
            Some(promised) if self.decoded + tolerance < promised => Err(self.truncated()),
            _ if self.decoded.is_zero() => Err(AudioError::Empty {
                path: self.path.clone(),
            }),
            _ => Ok(None),
        }
    }

    /// The container wanted more bytes. Harmless where all the sound was there already, or where
    /// the format has no length and simply goes on until the file ends.
    fn at_unexpected_end(&self) -> Result<Option<Block>, AudioError> {
        let complete = match self.promised {
            Some(promised) => self.decoded + self.tolerance() >= promised,
            None => matches!(
                self.format.format_info().short_name,
                "wave" | "mp1" | "mp2" | "mp3" | "aac"
            ),
        };
        if complete && !self.decoded.is_zero() {
            Ok(None)
        } else {
            Err(self.truncated())
        }
    }

    /// Headers of lossless formats count samples; those of others are known to be a packet off.
    fn tolerance(&self) -> Duration {
        match self.format.format_info().short_name {
            "wave" | "flac" | "aiff" => Duration::from_millis(1),
            _ => Duration::from_millis(250),
        }
    }

    fn truncated(&self) -> AudioError {
        AudioError::Truncated {
            path: self.path.clone(),
            had: self.decoded,
            promised: self.promised,
        }
    }

    fn damaged(&self, error: &SymphoniaError) -> AudioError {
        if self.decoded.is_zero() {
            return AudioError::NotAudio {
                path: self.path.clone(),
                reason: error.to_string(),
            };
        }
        AudioError::Damaged {
            path: self.path.clone(),
            had: self.decoded,
            reason: error.to_string(),
        }
    }
}

type Chosen = (u32, Box<dyn AudioDecoder>, Option<Duration>);

fn choose_track(path: &Path, format: &dyn FormatReader) -> Result<Chosen, AudioError> {
    let info = format.format_info();
    let no_track = || AudioError::NoAudioTrack {
        path: path.to_path_buf(),
        format: info.long_name.to_owned(),
    };
    let track = format
        .default_track(TrackType::Audio)
        .ok_or_else(no_track)?;
    let params = track
        .codec_params
        .as_ref()
        .and_then(|params| params.audio());
    let params = params.ok_or_else(no_track)?;
    let decoder = symphonia::default::get_codecs()
        .make_audio_decoder(params, &AudioDecoderOptions::default())
        .map_err(|error| AudioError::UnsupportedCodec {
            path: path.to_path_buf(),
            codec: match params.codec {
                CODEC_ID_OPUS => "Opus".to_owned(),
                CODEC_ID_SPEEX => "Speex".to_owned(),
                CODEC_ID_WMA => "WMA".to_owned(),
                other => format!("{other} ({error})"),
            },
        })?;
    let promised = promised_duration(track, info.short_name);
    Ok((track.id, decoder, promised))
}

fn promised_duration(track: &Track, format: &str) -> Option<Duration> {
    let params = track.codec_params.as_ref()?.audio()?;
    let rate = params.sample_rate.filter(|rate| *rate > 0)?;
    let frames = match track.num_frames {
        Some(frames) => frames,
        None => {
            let time = track.time_base?.calc_duration(track.duration?)?;
            return Duration::try_from_secs_f64(time.as_secs_f64()).ok();
        }
    };
    if format == "wave" {
        let bits = params.bits_per_coded_sample.unwrap_or(8);
        let channels = params.channels.as_ref().map_or(1, |c| c.count().max(1)) as u64;
        if frames.saturating_mul(u64::from(bits.div_ceil(8)) * channels) >= UNKNOWN_WAV_BYTES {
            return None;
        }
    }
    Duration::try_from_secs_f64(frames as f64 / f64::from(rate)).ok()
}

/// The error for a file that no format reader takes.
fn refused(path: &Path, error: SymphoniaError) -> AudioError {
    let path = path.to_path_buf();
    match error {
        SymphoniaError::IoError(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            AudioError::Truncated {
                path,
                had: Duration::ZERO,
                promised: None,
            }
        }
        SymphoniaError::IoError(source) => AudioError::Read { path, source },
        SymphoniaError::Unsupported(reason) if reason.contains("no suitable format") => {
            AudioError::NotAudio {
                path,
                reason: "no audio format recognises its beginning".to_owned(),
            }
        }
        other => AudioError::NotAudio {
            path,
            reason: other.to_string(),
        },
    }
}
