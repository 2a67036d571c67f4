//! What can be wrong with a device, and what to do about it.

use super::Direction;

/// Why a device cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum DeviceError {
    /// No sound system, or no device at all.
    #[error("there is no {} on this machine", direction.role())]
    NoDevice {
        /// Which way the sound should go.
        direction: Direction,
    },
    /// None has this name.
    #[error("there is no {} named '{wanted}'{}", direction.role(), list(there))]
    NotFound {
        /// Which way the sound should go.
        direction: Direction,
        /// What was asked for.
        wanted: String,
        /// The names of those that are there.
        there: Vec<String>,
    },
    /// Several have this in their names.
    #[error("'{wanted}' is part of several names{}", list(there))]
    Ambiguous {
        /// What was asked for.
        wanted: String,
        /// The names that hold it.
        there: Vec<String>,
    },
    /// The system denies access.
    #[error("the system does not let this program use '{name}'")]
    Denied {
        /// The device.
        name: String,
        /// What the sound system says.
        source: cpal::Error,
    },
    /// Another program holds it.
    #[error("'{name}' is in use by another program")]
    Busy {
        /// The device.
        name: String,
        /// What the sound system says.
        source: cpal::Error,
    },
    /// It delivers sound in a form that this program does not know.
    #[error("'{name}' delivers {format}, which is not supported")]
    Format {
        /// The device.
        name: String,
        /// The form.
        format: String,
    },
    /// Anything else that the sound system says.
    #[error("'{name}' cannot be used")]
    Failed {
        /// The device.
        name: String,
        /// What the sound system says.
        source: cpal::Error,
    },
    /// The sound system itself does not answer.
    #[error("the sound system does not answer")]
    Host(#[source] cpal::Error),
}

impl DeviceError {
    /// What the sound system said about `name`.
    pub(super) fn of(name: &str, source: cpal::Error) -> Self {
        let name = name.to_owned();
        match source.kind() {
            cpal::ErrorKind::PermissionDenied => Self::Denied { name, source },
            cpal::ErrorKind::DeviceBusy => Self::Busy { name, source },
            cpal::ErrorKind::HostUnavailable => Self::Host(source),
            _ => Self::Failed { name, source },
        }
    }

    /// What the person can do.
    #[must_use]
    pub fn advice(&self) -> String {
        let advice = match self {
            Self::NoDevice { .. } | Self::Host(_) => {
                if cfg!(target_os = "linux") {
                    "plug one in; under Linux, check that PipeWire or PulseAudio runs (`pactl info`); \
                     `interpret devices` lists what is there"
                } else {
                    "plug one in; `interpret devices` lists what is there"
                }
            }
            Self::NotFound { .. } | Self::Ambiguous { .. } => {
                "`interpret devices` lists all; part of a name is enough if only one has it"
            }
            Self::Denied { .. } => {
                if cfg!(target_os = "macos") {
                    "allow the terminal to use the microphone: System Settings, Privacy & Security, \
                     Microphone"
                } else if cfg!(windows) {
                    "allow desktop apps to use the microphone: Settings, Privacy, Microphone"
                } else {
                    "under Linux without PipeWire or PulseAudio, join the group 'audio' and log in \
                     again; in a container, pass the sound socket in"
                }
            }
            Self::Busy { .. } => {
                if cfg!(target_os = "linux") {
                    "close the program that uses it (`fuser -v /dev/snd/*` finds it), or go through \
                     PipeWire or PulseAudio, which share devices"
                } else {
                    "close the program that uses it"
                }
            }
            Self::Format { .. } | Self::Failed { .. } => {
                "choose another device (`interpret devices`), or unplug it and plug it in again"
            }
        };
        advice.to_owned()
    }
}

fn list(names: &[String]) -> String {
    if names.is_empty() {
        String::new()
    } else {
        format!("; there are: {}", names.join(", "))
    }
}
