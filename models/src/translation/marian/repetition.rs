//! Ends translations that repeat themselves without end.

/// Longest cycle looked for, in tokens.
const LONGEST_CYCLE: usize = 16;
/// Repetitions in a row that are speech, not a loop, even if the source has none.
const TOLERATED: usize = 4;
/// A speaker may say a thing once more than the translation needs: tolerated above the source's.
const ABOVE_SOURCE: usize = 2;

/// Tells when a target is stuck in a cycle that its source does not have ("no, no, no, no, no").
pub(super) struct RepetitionGuard {
    /// Most repetitions in a row anywhere in the source, 1 where nothing repeats.
    in_source: usize,
}

impl RepetitionGuard {
    pub(super) fn new(source: &[u32]) -> Self {
        let in_source = (1..=source.len())
            .map(|end| longest_run(&source[..end]).repetitions)
            .max()
            .unwrap_or(1);
        Self { in_source }
    }

    /// Whether `target` ends in a cycle.
    pub(super) fn is_stuck(&self, target: &[u32]) -> bool {
        longest_run(target).repetitions > TOLERATED.max(self.in_source + ABOVE_SOURCE)
    }

    /// How many tokens of a target are worth keeping: all, unless it is stuck; then as many
    /// repetitions as the source has.
    pub(super) fn kept(&self, target: &[u32]) -> usize {
        if self.is_stuck(target) {
            let run = longest_run(target);
            target.len() - run.cycle * (run.repetitions - self.in_source)
        } else {
            target.len()
        }
    }
}

/// The end of a sequence as `repetitions` of its last `cycle` tokens.
struct Run {
    cycle: usize,
    repetitions: usize,
}

/// The run at the end of `tokens` with most repetitions; of equals the shortest cycle.
fn longest_run(tokens: &[u32]) -> Run {
    let mut longest = Run {
        cycle: 1,
        repetitions: 1,
    };
    for cycle in 1..=LONGEST_CYCLE.min(tokens.len() / 2) {
        let last = &tokens[tokens.len() - cycle..];
        let repetitions = tokens
            .rchunks_exact(cycle)
            .take_while(|&chunk| chunk == last)
            .count();
        if repetitions > longest.repetitions {
            longest = Run { cycle, repetitions };
        }
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_is_cut_to_one_copy() {
        let guard = RepetitionGuard::new(&[1, 2, 3]);
        let four = [9, 7, 8, 7, 8, 7, 8, 7, 8];
        assert!(!guard.is_stuck(&four));
        assert_eq!(guard.kept(&four), 9);
        let five = [9, 7, 8, 7, 8, 7, 8, 7, 8, 7, 8];
        assert!(guard.is_stuck(&five));
        assert_eq!(guard.kept(&five), 3);
    }

    #[test]
    fn a_speaker_may_repeat() {
        let guard = RepetitionGuard::new(&[4, 4, 4, 4, 4, 4, 5]);
        let target = [6; 8];
        assert!(
            !guard.is_stuck(&target),
            "six in the source, two more tolerated"
        );
        assert!(guard.is_stuck(&[6; 9]));
        assert_eq!(guard.kept(&[6; 9]), 6);
    }

    #[test]
    fn empty_and_short_targets_are_not_stuck() {
        let guard = RepetitionGuard::new(&[]);
        assert!(!guard.is_stuck(&[]));
        assert!(!guard.is_stuck(&[1]));
        assert_eq!(guard.kept(&[1]), 1);
    }
}
