//! Search in a small world.

use std::sync::LazyLock;

use super::*;

const END: u32 = 0;

/// Probabilities by the last token: of the end, of 1, of 2, of 3.
struct Chain([[f32; 4]; 4]);

impl Decoder for Chain {
    /// How many tokens were read.
    type State = usize;
    type Error = std::convert::Infallible;

    fn encode(&self, sources: &[&[u32]]) -> Result<Vec<usize>, Self::Error> {
        Ok(vec![0; sources.len()])
    }

    fn read(&self, states: &mut [usize], tokens: &[Vec<u32>]) -> Result<Vec<Row>, Self::Error> {
        let rows = states.iter_mut().zip(tokens).map(|(read, tokens)| {
            // The start is read before the first token of all.
            let count = tokens.len() + usize::from(*read == 0);
            assert!(count > 0, "nothing to read");
            *read += count;
            let last = tokens.last().copied().unwrap_or(END);
            Row {
                tokens: Arc::new([0, 1, 2, 3]),
                log_probabilities: self.0[last as usize].iter().map(|p| p.ln()).collect(),
                attention: vec![Arc::default(); count],
            }
        });
        Ok(rows.collect())
    }
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words::new(&[]));

fn limits() -> Limits<'static> {
    Limits {
        end: END,
        most: 12,
        guard: RepetitionGuard::new(&[5, 6, 7, END]),
        watch: None,
        whole_words: false,
        words: &WORDS,
        terms: Terms::default(),
    }
}

fn search(decoder: &Chain, prefix: &[u32], how: Search) -> Hypothesis {
    found(decoder, prefix, how).best
}

fn found(decoder: &Chain, prefix: &[u32], how: Search) -> Found {
    let mut all = search_all(decoder, &[(prefix, how)]);
    all.pop().unwrap()
}

/// What several searches at once find.
fn search_all(decoder: &Chain, searches: &[(&[u32], Search)]) -> Vec<Found> {
    let courses = searches
        .iter()
        .map(|(prefix, how)| Course::new(0, prefix.to_vec(), *how, limits()));
    let mut found = vec![None; searches.len()];
    run(decoder, courses.collect(), |index, target| {
        assert_eq!(found[index].replace(target), None, "told twice");
    })
    .unwrap();
    found.into_iter().map(Option::unwrap).collect()
}

/// The likelier first token (1) leads to unlikely ends; 2 ends with certainty.
fn trap() -> Chain {
    Chain([
        [0.0, 0.6, 0.4, 0.0],
        [0.35, 0.0, 0.3, 0.35],
        [1.0, 0.0, 0.0, 0.0],
        [1.0, 0.0, 0.0, 0.0],
    ])
}

fn beam_of(width: usize, length_penalty: f32) -> Search {
    Search::Beam {
        width,
        length_penalty,
    }
}

#[test]
fn greedy_takes_the_likeliest_token() {
    let found = search(&trap(), &[], Search::Greedy);
    assert_eq!(found.tokens, [1]);
    assert!((found.log_probabilities[0] - 0.6_f32.ln()).abs() < 1e-6);
}

#[test]
fn beam_finds_the_likelier_sentence() {
    let found = search(&trap(), &[], beam_of(2, 0.0));
    assert_eq!(found.tokens, [2], "0.4 beats 0.6 x 0.35");
}

#[test]
fn length_penalty_favours_longer_targets() {
    // 2: ln 0.4 / 2 = -0.458; 1 3: ln 0.21 / 3 = -0.520; with exponent 2: -0.229, -0.173.
    let found = search(&trap(), &[], beam_of(3, 2.0));
    assert_eq!(found.tokens, [1, 3]);
}

#[test]
fn prefix_is_kept_and_does_not_sway_the_search() {
    for how in [Search::Greedy, beam_of(3, 0.0)] {
        let found = search(&trap(), &[1, 2], how);
        assert_eq!(found.tokens, [1, 2]);
        assert_eq!(found.log_probabilities, [0.0, 0.0], "forced");
        assert_eq!(found.attention.len(), 2);
    }
}

#[test]
fn endless_targets_end() {
    let endless = Chain([[0.0, 1.0, 0.0, 0.0]; 4]);
    for how in [Search::Greedy, beam_of(2, 1.0)] {
        let found = search(&endless, &[], how);
        assert_eq!(found.tokens, [1], "one copy of what repeats");
        assert_eq!(found.log_probabilities.len(), 1);
    }
    // 1 2 3 1 2 3 ...: caught by length before it is caught as a loop.
    let cycle = Chain([
        [0.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 1.0, 0.0],
        [0.0, 0.0, 0.0, 1.0],
        [0.0, 1.0, 0.0, 0.0],
    ]);
    let found = search(&cycle, &[], Search::Greedy);
    assert_eq!(found.tokens.len(), 11);
}

#[test]
fn several_at_once_find_what_each_finds_alone() {
    let decoder = trap();
    let searches: [(&[u32], Search); 4] = [
        (&[], Search::Greedy),
        (&[1, 2], beam_of(3, 0.0)),
        (&[], beam_of(3, 2.0)),
        (&[3], Search::Greedy),
    ];
    let together = search_all(&decoder, &searches);
    for ((prefix, how), together) in searches.into_iter().zip(together) {
        assert_eq!(together, found(&decoder, prefix, how));
    }
}

#[test]
fn beam_tells_what_it_weighed_up_with_scores() {
    let ranked = found(&trap(), &[], beam_of(3, 1.0)).ranked;
    let expected: [(&[u32], f32); 3] = [
        (&[2], 0.4_f32.ln() / 2.0),
        (&[1, 3], (0.6_f32 * 0.35).ln() / 3.0),
        (&[1, 2], (0.6_f32 * 0.3).ln() / 3.0),
    ];
    assert_eq!(ranked.len(), expected.len());
    for (ranked, (tokens, score)) in ranked.iter().zip(expected) {
        assert_eq!(ranked.hypothesis.tokens, tokens);
        assert!((ranked.score - score).abs() < 1e-6, "{ranked:?}");
    }
}

#[test]
fn the_best_is_the_first_and_greedy_search_knows_no_others() {
    for (prefix, width) in [(&[][..], 1), (&[], 2), (&[1, 2], 2), (&[3], 3)] {
        let found = found(&trap(), prefix, beam_of(width, 1.0));
        assert_eq!(found.ranked[0].hypothesis, found.best);
        assert!(found.ranked.len() <= width);
        assert!(found.ranked.is_sorted_by(|a, b| a.score >= b.score));
        for ranked in &found.ranked {
            assert!(ranked.hypothesis.tokens.starts_with(prefix));
        }
    }
    // From 2 on its end is certain.
    assert_eq!(
        found(&trap(), &[1, 2], beam_of(2, 1.0)).ranked[0].score,
        0.0
    );
    assert!(found(&trap(), &[], Search::Greedy).ranked.is_empty());
}

#[test]
fn best_sorts_and_keeps_the_first_of_equals() {
    let row = Row {
        tokens: Arc::new([3, 5, 6, 9]),
        log_probabilities: vec![0.1, 0.5, 0.5, 0.2],
        attention: Vec::new(),
    };
    assert_eq!(row.best(3), [(5, 0.5), (6, 0.5), (9, 0.2)]);
    assert_eq!(row.likeliest(), Some((5, 0.5)));
    assert_eq!(row.log_probability(9), 0.2);
    assert_eq!(row.log_probability(4), f32::NEG_INFINITY);
}
