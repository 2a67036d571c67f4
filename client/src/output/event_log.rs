//! The event log: every response as one line of proto3 JSON, so that anyone can score a session.

use std::{
    fs::File,
    io::{self, BufWriter, Write},
    path::PathBuf,
};

use interpret_proto::v1::{AudioEncoding, AudioFormat, InterpretResponse, SessionStarted};
use serde_json::{Map, Value};

use super::{Output, file::OutputFile};
use crate::session::{Event, Received};

/// Writes one line a response. A line is the proto3 JSON of an `InterpretResponse` (64-bit numbers
/// are strings and fields of default value are absent, as proto3 JSON has it) with additions:
///
/// - `receivedAtMs`, a number: wall milliseconds since the first sample of source audio was due.
///   Minus a source time, this is latency. `SessionStarted` comes before that: it is 0 or negative;
/// - in `translatedAudio`, `dataSamples`, a number: samples of `data` in each channel. `data`
///   itself is left out unless asked for.
#[derive(Debug)]
pub struct EventLog {
    file: OutputFile,
    writer: BufWriter<File>,
    keep_audio: bool,
    formats: Vec<(String, AudioFormat)>,
}

impl EventLog {
    /// Opens a log; with `keep_audio`, audio stays in as base64.
    ///
    /// # Errors
    ///
    /// Where the file cannot be created.
    pub fn create(path: PathBuf, keep_audio: bool) -> io::Result<Self> {
        let (file, handle) = OutputFile::create(path)?;
        Ok(Self {
            file,
            writer: BufWriter::new(handle),
            keep_audio,
            formats: Vec::new(),
        })
    }

    fn learn_formats(&mut self, started: &SessionStarted) {
        self.formats = started
            .targets
            .iter()
            .filter_map(|target| Some((target.language.clone(), target.audio_format?)))
            .collect();
    }
}

impl Output for EventLog {
    fn path(&self) -> &PathBuf {
        self.file.path()
    }

    fn write(&mut self, received: &Received) -> io::Result<()> {
        if let Event::SessionStarted(started) = &received.event {
            self.learn_formats(started);
        }
        let format = match &received.event {
            Event::TranslatedAudio(audio) => self
                .formats
                .iter()
                .find(|(language, _)| *language == audio.language)
                .map(|(_, format)| *format),
            _ => None,
        };
        let line = log_line(received, format, self.keep_audio)?;
        serde_json::to_writer(&mut self.writer, &line)?;
        self.writer.write_all(b"\n")
    }

    fn finish(mut self: Box<Self>) -> io::Result<()> {
        self.writer.flush()?;
        self.file.finish()
    }
}

/// One line of the log. `format` is that of the target, where the event is audio.
///
/// # Errors
///
/// Where the event has no JSON form (an enum value that the protocol does not know).
pub fn log_line(
    received: &Received,
    format: Option<AudioFormat>,
    keep_audio: bool,
) -> io::Result<Value> {
    let mut event = received.event.clone();
    let mut data_samples = None;
    if let Event::TranslatedAudio(audio) = &mut event {
        data_samples = format.map(|format| audio.data.len() / frame_bytes(format));
        if !keep_audio {
            audio.data.clear();
        }
    }
    let response = InterpretResponse::from(event);
    let mut line = match serde_json::to_value(&response)? {
        Value::Object(fields) => fields,
        _ => Map::new(),
    };
    if let Some(samples) = data_samples
        && let Some(Value::Object(audio)) = line.get_mut("translatedAudio")
    {
        audio.insert("dataSamples".to_owned(), samples.into());
    }
    line.insert("receivedAtMs".to_owned(), received.at_ms.into());
    Ok(Value::Object(line))
}

/// Bytes of one sample of all channels; at least 1.
pub(crate) fn frame_bytes(format: AudioFormat) -> usize {
    let sample = match format.encoding() {
        AudioEncoding::F32 => 4,
        AudioEncoding::Linear16 => 2,
        // Bytes of packets are no samples; sessions of this client decode them.
        AudioEncoding::Mulaw
        | AudioEncoding::Alaw
        | AudioEncoding::Opus
        | AudioEncoding::Unspecified => 1,
    };
    sample * format.channels.max(1) as usize
}

#[cfg(test)]
mod tests {
    use interpret_proto::v1::TranslatedAudio;

    use super::*;

    fn audio() -> Received {
        Received {
            at_ms: 1234,
            event: Event::TranslatedAudio(TranslatedAudio {
                language: "en".to_owned(),
                sequence: 3,
                data: vec![1, 2, 3, 4, 5, 6],
                text: " \"Hello\"\n".to_owned(),
                source_end_ms: 900,
                ..TranslatedAudio::default()
            }),
        }
    }

    fn linear16() -> AudioFormat {
        AudioFormat {
            encoding: AudioEncoding::Linear16.into(),
            sample_rate_hz: 24_000,
            channels: 0,
        }
    }

    #[test]
    fn audio_becomes_its_length_and_the_rest_is_proto3_json() {
        let line = log_line(&audio(), Some(linear16()), false).unwrap();
        let expected = serde_json::json!({
            "receivedAtMs": 1234,
            "translatedAudio": {
                "language": "en",
                "sequence": "3",
                "text": " \"Hello\"\n",
                "sourceEndMs": "900",
                "dataSamples": 3,
            },
        });
        assert_eq!(line, expected);
        assert!(!line.to_string().contains('\n'), "one event, one line");
    }

    #[test]
    fn kept_audio_reads_back_as_the_same_response() {
        let received = audio();
        let mut line = log_line(&received, Some(linear16()), true).unwrap();
        let fields = line.as_object_mut().unwrap();
        fields.remove("receivedAtMs");
        fields["translatedAudio"]
            .as_object_mut()
            .unwrap()
            .remove("dataSamples");
        let read: InterpretResponse = serde_json::from_value(line).unwrap();
        assert_eq!(read.response, Some(received.event));
    }
}
