//! Which devices there are, and which one a person means.

use cpal::{
    Device, Host, SupportedStreamConfig,
    traits::{DeviceTrait, HostTrait},
};
use serde::Serialize;

use super::DeviceError;

/// Which way the sound goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// From the room into this program.
    Input,
    /// From this program into the room.
    Output,
}

impl Direction {
    /// What a person calls such a device.
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::Input => "microphone",
            Self::Output => "loudspeaker",
        }
    }
}

impl std::fmt::Display for Direction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.role())
    }
}

/// A device for one direction.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// Its name, for people.
    pub name: String,
    /// Its name, for the sound system; stays the same when it is unplugged and plugged in again.
    pub id: String,
    /// Which way the sound goes.
    pub direction: Direction,
    /// Whether it is used where none is chosen.
    pub default: bool,
    /// Its own sample rate.
    pub rate_hz: u32,
    /// Its own number of channels.
    pub channels: u16,
    /// Its own sample format, such as i16 or f32.
    pub format: String,
}

/// The device a person wants.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Choice {
    /// The system's default.
    #[default]
    Default,
    /// The one with this name or id, or with this in its name.
    Named(String),
}

/// Lists all devices; a device that does both has two entries.
///
/// # Errors
///
/// Where the sound system does not answer.
pub fn devices() -> Result<Vec<DeviceInfo>, DeviceError> {
    let host = cpal::default_host();
    let mut found = Vec::new();
    for direction in [Direction::Input, Direction::Output] {
        let default = default_device(&host, direction).and_then(|device| device.id().ok());
        for device in of_direction(&host, direction)? {
            let Some((name, id)) = names(&device) else {
                continue;
            };
            // A device that does not tell its format cannot be opened either.
            let Ok(config) = format_of(&device, direction) else {
                continue;
            };
            found.push(DeviceInfo {
                default: default.as_ref().is_some_and(|default| default.id() == id),
                name,
                id,
                direction,
                rate_hz: config.sample_rate(),
                channels: config.channels(),
                format: config.sample_format().to_string(),
            });
        }
    }
    Ok(found)
}

/// Finds the device that is meant; returns its name too.
pub(super) fn find(
    host: &Host,
    direction: Direction,
    choice: &Choice,
) -> Result<(Device, String), DeviceError> {
    let Choice::Named(wanted) = choice else {
        let device = default_device(host, direction).ok_or(DeviceError::NoDevice { direction })?;
        let name = names(&device).map_or_else(|| "default".to_owned(), |(name, _)| name);
        return Ok((device, name));
    };
    let mut named = Vec::new();
    for device in of_direction(host, direction)? {
        if let Some((name, id)) = names(&device) {
            named.push((device, name, id));
        }
    }
    let labels: Vec<(&str, &str)> = named
        .iter()
        .map(|(_, name, id)| (name.as_str(), id.as_str()))
        .collect();
    let index = matching(wanted, &labels, direction)?;
    let (device, name, _) = named.swap_remove(index);
    Ok((device, name))
}

/// Whether the device with this id is still there.
pub(super) fn is_there(host: &Host, direction: Direction, id: &str) -> bool {
    of_direction(host, direction).is_ok_and(|mut devices| {
        devices.any(|device| names(&device).is_some_and(|(_, its)| its == id))
    })
}

/// ALSA's device that is none: it hears silence and swallows what is played.
const NO_DEVICE: &str = "null";

/// Name and id; none of what is no device.
pub(super) fn names(device: &Device) -> Option<(String, String)> {
    let id = device.id().ok()?.id().to_owned();
    if id == NO_DEVICE {
        return None;
    }
    let name = device
        .description()
        .map_or_else(|_| id.clone(), |described| described.name().to_owned());
    Some((name, id))
}

/// The format that a device offers by itself.
pub(super) fn format_of(
    device: &Device,
    direction: Direction,
) -> Result<SupportedStreamConfig, cpal::Error> {
    match direction {
        Direction::Input => device.default_input_config(),
        Direction::Output => device.default_output_config(),
    }
}

fn default_device(host: &Host, direction: Direction) -> Option<Device> {
    match direction {
        Direction::Input => host.default_input_device(),
        Direction::Output => host.default_output_device(),
    }
}

fn of_direction(
    host: &Host,
    direction: Direction,
) -> Result<impl Iterator<Item = Device>, DeviceError> {
    let devices = host.devices().map_err(DeviceError::Host)?;
    Ok(devices.filter(move |device| match direction {
        Direction::Input => device.supports_input(),
        Direction::Output => device.supports_output(),
    }))
}

/// Whether a name and an id are meant.
type Rule<'a> = &'a dyn Fn(&(&str, &str)) -> bool;

/// The index of the one device that `wanted` means: by id, by name, or by a part that only one has.
fn matching(
    wanted: &str,
    labels: &[(&str, &str)],
    direction: Direction,
) -> Result<usize, DeviceError> {
    let lower = wanted.to_lowercase();
    let is = |label: &str| label.to_lowercase() == lower;
    let holds = |label: &str| label.to_lowercase().contains(&lower);
    let rules: [Rule<'_>; 3] = [
        &|(name, id)| *id == wanted || *name == wanted,
        &|(name, id)| is(name) || is(id),
        &|(name, id)| holds(name) || holds(id),
    ];
    for rule in rules {
        let found: Vec<usize> = (0..labels.len()).filter(|i| rule(&labels[*i])).collect();
        match found[..] {
            [] => {}
            [only] => return Ok(only),
            _ => {
                return Err(DeviceError::Ambiguous {
                    wanted: wanted.to_owned(),
                    there: found.iter().map(|i| labels[*i].0.to_owned()).collect(),
                });
            }
        }
    }
    Err(DeviceError::NotFound {
        direction,
        wanted: wanted.to_owned(),
        there: labels.iter().map(|(name, _)| (*name).to_owned()).collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const THERE: [(&str, &str); 4] = [
        ("USB Headset", "alsa_output.usb"),
        ("USB Headset Pro", "alsa_output.usb_pro"),
        ("Built-in Audio", "alsa_output.pci"),
        ("HDMI", "alsa_output.hdmi"),
    ];

    fn chosen(wanted: &str) -> Result<usize, DeviceError> {
        matching(wanted, &THERE, Direction::Output)
    }

    #[test]
    fn a_name_an_id_or_a_part_that_only_one_has() {
        assert_eq!(chosen("USB Headset").unwrap(), 0);
        assert_eq!(chosen("usb headset pro").unwrap(), 1);
        assert_eq!(chosen("alsa_output.hdmi").unwrap(), 3);
        assert_eq!(chosen("built").unwrap(), 2);
    }

    #[test]
    fn what_is_meant_twice_or_not_there_is_told_with_the_names() {
        let error = chosen("usb").unwrap_err().to_string();
        assert_eq!(
            error,
            "'usb' is part of several names; there are: USB Headset, USB Headset Pro"
        );
        let error = chosen("bluetooth").unwrap_err().to_string();
        assert!(
            error.contains("no loudspeaker named 'bluetooth'"),
            "{error}"
        );
        assert!(error.contains("Built-in Audio"), "{error}");
    }
}
