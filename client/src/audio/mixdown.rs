//! Many channels to one.

use symphonia::core::audio::{Channels, Position};

/// Appends the mean of all channels of `interleaved` to `mono`. Low-frequency effects are left
/// out: they carry no speech.
pub(super) fn mix_to_mono(interleaved: &[f32], channels: &Channels, mono: &mut Vec<f32>) {
    let count = channels.count().max(1);
    if count == 1 {
        mono.extend_from_slice(interleaved);
        return;
    }
    let lfe = match channels {
        Channels::Positioned(_) if count > 2 => {
            channels.get_canonical_index_for_positioned_channel(Position::LFE1)
        }
        _ => None,
    };
    let heard = count - usize::from(lfe.is_some());
    let gain = 1.0 / heard as f32;
    mono.extend(interleaved.chunks_exact(count).map(|frame| {
        let sum: f32 = frame.iter().sum();
        (sum - lfe.map_or(0.0, |index| frame[index])) * gain
    }));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stereo_is_averaged() {
        let mut mono = Vec::new();
        let stereo = Channels::Positioned(Position::FRONT_LEFT | Position::FRONT_RIGHT);
        mix_to_mono(&[1.0, 0.0, -0.5, -0.5], &stereo, &mut mono);
        assert_eq!(mono, [0.5, -0.5]);
    }

    #[test]
    fn low_frequency_effects_are_left_out() {
        let mut mono = Vec::new();
        let surround = Channels::Positioned(
            Position::FRONT_LEFT | Position::FRONT_RIGHT | Position::FRONT_CENTER | Position::LFE1,
        );
        mix_to_mono(&[0.3, 0.3, 0.3, 1.0], &surround, &mut mono);
        assert!((mono[0] - 0.3).abs() < 1e-6, "{mono:?}");
    }
}
