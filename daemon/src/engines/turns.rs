//! Models take turns on machines with few cores.
//!
//! Every model runs on all cores, and its threads wait for each other. Two models at once on two
//! cores are slower than one after the other, so each has its turn; whoever is nearest to the
//! listener goes first, since only what is finished is heard.

use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Who goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    Recognition,
    Translation,
    Synthesis,
}

const RANKS: usize = 3;

/// One turn at a time. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Turns(Arc<(Mutex<State>, Condvar)>);

#[derive(Debug, Default)]
struct State {
    taken: bool,
    /// How many wait, by rank.
    waiting: [usize; RANKS],
}

/// A turn; dropping it ends it.
#[derive(Debug)]
pub(super) struct Turn(Turns);

impl Turns {
    /// Waits for a turn. Nobody of lower rank goes first.
    pub(super) fn take(&self, rank: Rank) -> Turn {
        let (state, freed) = &*self.0;
        let rank = rank as usize;
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        state.waiting[rank] += 1;
        let above = |state: &State| state.waiting[rank + 1..].iter().any(|waiting| *waiting > 0);
        while state.taken || above(&state) {
            state = freed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.waiting[rank] -= 1;
        state.taken = true;
        Turn(self.clone())
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let (state, freed) = &*self.0.0;
        state.lock().unwrap_or_else(PoisonError::into_inner).taken = false;
        freed.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc::sync_channel, thread, time::Duration};

    use super::*;

    #[test]
    fn the_one_nearest_to_the_listener_goes_first() {
        let turns = Turns::default();
        let (order, came) = sync_channel(3);
        let first = turns.take(Rank::Recognition);
        let threads: Vec<_> = [Rank::Recognition, Rank::Translation, Rank::Synthesis]
            .into_iter()
            .map(|rank| {
                let (turns, order) = (turns.clone(), order.clone());
                thread::spawn(move || {
                    let _turn = turns.take(rank);
                    order.send(rank).unwrap();
                })
            })
            .collect();
        while turns.0.0.lock().unwrap().waiting != [1, 1, 1] {
            thread::sleep(Duration::from_millis(1));
        }
        drop(first);
        for thread in threads {
            thread.join().unwrap();
        }
        let came: Vec<Rank> = came.try_iter().collect();
        assert_eq!(
            came,
            [Rank::Synthesis, Rank::Translation, Rank::Recognition]
        );
    }
}
