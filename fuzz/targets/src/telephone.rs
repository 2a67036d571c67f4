//! The parts of a call by themselves: the echo gate only silences, keys do not depend on how sound is cut
//! into pieces, and an ear gives exactly what it is asked for and no clause twice.

use interpretd::call::{
    EchoGate,
    fuzzing::{Keys, NumberedEar},
};

use crate::{Input, joined};

const RATES: [u32; 6] = [8_000, 8_001, 16_000, 44_100, 48_000, 192_000];

/// Holds the promise (docs/fuzzing.md) of one input.
///
/// # Panics
/// When it is broken.
pub fn check(data: &[u8]) {
    let mut input = Input::new(data);
    let rate = input.one_of(&RATES);
    match input.byte() % 3 {
        0 => gate(&mut input, rate),
        1 => {
            keys(&mut input, rate);
        }
        _ => ear(&mut input, rate),
    }
}

/// First inputs: sound for the gate, keys with and without sound, and what befalls an ear.
#[must_use]
pub fn seeds() -> Vec<Vec<u8>> {
    let sound: Vec<u8> = (0..640_u32).map(|at| (at * at % 251) as u8).collect();
    let gate = [&[0, 0], &joined(&[&sound, &sound, &sound, &sound])[..]].concat();
    // A block of sound is 205 samples at 8 kHz, and a key is sure when two in a row have it.
    let silence = joined(&[&[]]);
    let pressed = [&silence[..], &[1, 5, 205]].concat();
    let keys = [
        &[0, 1],
        &pressed[..],
        &pressed,
        &joined(&[&sound]),
        &[0, 0, 0],
        &pressed,
    ]
    .concat();
    let spoken = [&[0][..], &joined(&[&sound])].concat();
    let overheard = [&[1][..], &joined(&[&sound]), &[1]].concat();
    let ear = [
        &[0, 2, 20, 1],
        &spoken[..],
        &[6, 40],
        &overheard,
        &[2, 1, 6, 40, 2, 0, 5, 3, 3, 1, 6, 255, 4],
        &spoken,
    ]
    .concat();
    vec![gate, keys, ear]
}

fn gate(input: &mut Input<'_>, rate: u32) {
    let mut gate = EchoGate::new(rate);
    while !input.is_empty() {
        gate.play(&input.samples());
        let line = input.samples();
        let mut passed = line.clone();
        gate.pass(&mut passed);
        let kept = |(before, after): (&f32, &f32)| *after == 0.0 || after == before;
        assert!(line.iter().zip(&passed).all(kept), "it only silences");
    }
}

/// The keys that are found.
fn keys(input: &mut Input<'_>, rate: u32) -> Vec<char> {
    let (mut pieces, mut whole) = (Keys::new(rate), Keys::new(rate));
    let (mut all, mut found) = (Vec::new(), Vec::new());
    while !input.is_empty() {
        let mut sound = input.samples();
        // Tones, which noise hardly ever is.
        let hz = [
            0.0, 697.0, 770.0, 852.0, 941.0, 1_209.0, 1_336.0, 1_477.0, 1_633.0,
        ];
        let (low, high) = (input.one_of(&hz), input.one_of(&hz));
        let wave =
            |hz: f32, at: usize| (std::f32::consts::TAU * hz * at as f32 / rate as f32).sin();
        let length = usize::from(input.byte()) * rate as usize / 8_000;
        sound.extend((0..length).map(|at| 0.2 * (wave(low, at) + wave(high, at))));
        found.extend(pieces.push(&sound));
        all.extend(sound);
    }
    assert_eq!(whole.push(&all), found, "pieces make no difference");
    assert_eq!(whole.current(), pieces.current());
    found
}

fn ear(input: &mut Input<'_>, rate: u32) {
    let original = f32::from(input.byte() % 101) / 100.0;
    let mut ear = NumberedEar::new(rate, original, input.byte() & 1 == 1);
    let (mut spoken, mut begun, mut left_out) = (0, Vec::new(), Vec::new());
    while !input.is_empty() {
        match input.byte() % 7 {
            0 => {
                spoken += 1;
                left_out.extend(ear.speak(spoken, input.samples()));
            }
            1 => ear.overhear(&input.samples(), input.byte() & 1 == 1),
            2 => ear.interrupt(input.byte() & 1 == 1),
            3 => ear.expect(input.byte() & 1 == 1),
            4 => left_out.extend(ear.stop()),
            // As long as many seconds, now and then.
            5 => {
                spoken += 1;
                let length = usize::from(input.byte()) * rate as usize / 16;
                left_out.extend(ear.speak(spoken, vec![0.1; length]));
            }
            _ => listen(&mut ear, usize::from(input.byte()) * 8, &mut begun),
        }
    }
    while ear.is_speaking() {
        listen(&mut ear, 1 << 14, &mut begun);
    }
    assert!(begun.is_sorted(), "clauses are heard in order");
    let mut all: Vec<u64> = begun.iter().chain(&left_out).copied().collect();
    all.sort_unstable();
    let count = all.len();
    all.dedup();
    assert_eq!(all.len(), count, "a clause is heard or left out, and once");
}

fn listen(ear: &mut NumberedEar, samples: usize, begun: &mut Vec<u64>) {
    let (sound, more) = ear.hear(samples);
    assert_eq!(sound.len(), samples);
    assert!(sound.iter().all(|sample| sample.abs() <= 1.0));
    begun.extend(more);
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Otherwise nothing is compared with nothing.
    #[test]
    fn a_first_input_has_a_key() {
        let seeds = seeds();
        let mut input = Input::new(&seeds[1]);
        let rate = input.one_of(&RATES);
        assert_eq!(input.byte() % 3, 1);
        assert_eq!(keys(&mut input, rate), ['1']);
    }
}
