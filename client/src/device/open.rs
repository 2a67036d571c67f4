//! Opens a device in its own format.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use cpal::{
    BufferSize, Device, ErrorKind, FromSample, SampleFormat, SizedSample, Stream, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig,
    traits::{DeviceTrait, StreamTrait},
};

use super::{
    DeviceError,
    callback::{CaptureCallback, PlaybackCallback},
    health::Health,
};

/// Buffers of the device, in parts of a second: 20 ms.
const BUFFERS_PER_SECOND: u32 = 50;
/// A device that has not called for this long is lost, whatever it says.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// A sound system that does not answer within this time will not.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

/// Sample formats that are converted; not the one-bit ones of DSD.
const KNOWN: [SampleFormat; 12] = [
    SampleFormat::I8,
    SampleFormat::U8,
    SampleFormat::I16,
    SampleFormat::U16,
    SampleFormat::I24,
    SampleFormat::U24,
    SampleFormat::I32,
    SampleFormat::U32,
    SampleFormat::I64,
    SampleFormat::U64,
    SampleFormat::F32,
    SampleFormat::F64,
];

/// Calls a function for the type of a sample format's samples.
macro_rules! by_format {
    ($format:expr, $function:ident($($argument:expr),*)) => {
        match $format {
            SampleFormat::I8 => $function::<i8>($($argument),*),
            SampleFormat::U8 => $function::<u8>($($argument),*),
            SampleFormat::I16 => $function::<i16>($($argument),*),
            SampleFormat::U16 => $function::<u16>($($argument),*),
            SampleFormat::I24 => $function::<cpal::I24>($($argument),*),
            SampleFormat::U24 => $function::<cpal::U24>($($argument),*),
            SampleFormat::I32 => $function::<i32>($($argument),*),
            SampleFormat::U32 => $function::<u32>($($argument),*),
            SampleFormat::I64 => $function::<i64>($($argument),*),
            SampleFormat::U64 => $function::<u64>($($argument),*),
            SampleFormat::F64 => $function::<f64>($($argument),*),
            _ => $function::<f32>($($argument),*),
        }
    };
}

/// Why a stream has ended, if it has; set by the sound system, read by the worker.
#[derive(Debug, Clone, Default)]
pub(super) struct Fault(Arc<Mutex<Option<String>>>);

impl Fault {
    pub(super) fn take(&self) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    fn set(&self, reason: String) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }

    /// What the sound system calls when something is wrong.
    fn handler(&self, health: Arc<Health>) -> impl FnMut(cpal::Error) + Send + 'static {
        let fault = self.clone();
        move |error: cpal::Error| match error.kind() {
            ErrorKind::Xrun => health.device_xrun(),
            ErrorKind::RealtimeDenied | ErrorKind::DeviceChanged => {
                tracing::debug!(%error, "the sound system says");
            }
            _ => fault.set(error.to_string()),
        }
    }
}

/// Watches whether an open device still works.
#[derive(Debug)]
pub(super) struct Watch {
    fault: Fault,
    callbacks: u64,
    called_at: Instant,
}

impl Watch {
    /// Watches a device that reports to `fault` and counts in `health`, from now on.
    pub(super) fn new(fault: Fault, health: &Health) -> Self {
        Self {
            fault,
            callbacks: health.report().callbacks,
            called_at: Instant::now(),
        }
    }

    /// When its callback last ran, as far as was looked.
    pub(super) fn called_at(&self) -> Instant {
        self.called_at
    }

    /// Why it does not work any more: what the sound system says, or `stopped` where its callback has
    /// not run for too long.
    pub(super) fn failed(&mut self, health: &Health, stopped: &str) -> Option<String> {
        let callbacks = health.report().callbacks;
        if callbacks != self.callbacks {
            self.callbacks = callbacks;
            self.called_at = Instant::now();
        }
        self.fault
            .take()
            .or_else(|| (self.called_at.elapsed() > SILENT_FOR).then(|| stopped.to_owned()))
    }
}

/// Lets go of a stream whose device is gone.
///
/// Dropping it may never return: the PulseAudio client waits for an end of playback that a server
/// does not report once it has removed the device (cpal 0.18.2, pulseaudio 0.3.2). So it is dropped
/// by a thread that nobody waits for; it costs a stack that is never touched.
pub(super) fn abandon(stream: Stream) {
    let dropping = std::thread::Builder::new()
        .name("lost device".to_owned())
        .spawn(move || drop(stream));
    if let Err(error) = dropping {
        tracing::warn!(%error, "no thread to let go of a lost device");
    }
}

/// Opens a microphone; sound comes from now on.
pub(super) fn capture(
    device: &Device,
    name: &str,
    format: SupportedStreamConfig,
    callback: impl Fn() -> CaptureCallback,
    health: &Arc<Health>,
    fault: &Fault,
) -> Result<Stream, DeviceError> {
    let open = |config: StreamConfig| {
        let (callback, errors) = (callback(), fault.handler(Arc::clone(health)));
        by_format!(
            format.sample_format(),
            capture_as(device, config, callback, errors)
        )
    };
    start(name, format, open)
}

/// Opens a loudspeaker; it asks for sound from now on.
pub(super) fn playback(
    device: &Device,
    name: &str,
    format: SupportedStreamConfig,
    callback: impl Fn() -> PlaybackCallback,
    health: &Arc<Health>,
    fault: &Fault,
) -> Result<Stream, DeviceError> {
    let open = |config: StreamConfig| {
        let (callback, errors) = (callback(), fault.handler(Arc::clone(health)));
        by_format!(
            format.sample_format(),
            playback_as(device, config, callback, errors)
        )
    };
    start(name, format, open)
}

/// Opens with small buffers, or, where the device refuses those, with its own.
fn start(
    name: &str,
    format: SupportedStreamConfig,
    open: impl Fn(StreamConfig) -> Result<Stream, cpal::Error>,
) -> Result<Stream, DeviceError> {
    if !KNOWN.contains(&format.sample_format()) {
        return Err(DeviceError::Format {
            name: name.to_owned(),
            format: format.sample_format().to_string(),
        });
    }
    let mut config = format.config();
    if let SupportedBufferSize::Range { min, max } = *format.buffer_size() {
        let wanted = format.sample_rate() / BUFFERS_PER_SECOND;
        config.buffer_size = BufferSize::Fixed(wanted.clamp(min, max.max(min)));
    }
    let opened = match open(config) {
        Err(error)
            if config.buffer_size != BufferSize::Default
                && matches!(
                    error.kind(),
                    ErrorKind::UnsupportedConfig
                        | ErrorKind::InvalidInput
                        | ErrorKind::BackendError
                ) =>
        {
            tracing::debug!(%error, name, "no small buffers; taking the device's own");
            config.buffer_size = BufferSize::Default;
            open(config)
        }
        outcome => outcome,
    };
    let stream = opened.map_err(|error| DeviceError::of(name, error))?;
    stream
        .play()
        .map_err(|error| DeviceError::of(name, error))?;
    Ok(stream)
}

fn capture_as<S>(
    device: &Device,
    config: StreamConfig,
    mut callback: CaptureCallback,
    errors: impl FnMut(cpal::Error) + Send + 'static,
) -> Result<Stream, cpal::Error>
where
    S: SizedSample + Send + 'static,
    f32: FromSample<S>,
{
    device.build_input_stream(
        config,
        move |data: &[S], _| callback.take(data),
        errors,
        Some(OPEN_WITHIN),
    )
}

fn playback_as<S>(
    device: &Device,
    config: StreamConfig,
    mut callback: PlaybackCallback,
    errors: impl FnMut(cpal::Error) + Send + 'static,
) -> Result<Stream, cpal::Error>
where
    S: SizedSample + FromSample<f32> + Send + 'static,
{
    device.build_output_stream(
        config,
        move |data: &mut [S], _| callback.give(data),
        errors,
        Some(OPEN_WITHIN),
    )
}
