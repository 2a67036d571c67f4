//! Which target tokens a sentence may need (`lex.*.s2t.bin`): a student computes the scores of these only.
//!
//! Little-endian (marian `data/shortlist.cpp`), six u64: a mark, a checksum, how many of the most frequent
//! tokens are always in, how many translations a token had at most, and the lengths of two lists: for
//! each source token where its translations begin (u64), and the translations (u32).

use std::collections::BTreeSet;

/// Words of the header.
const HEADER: usize = 6;
/// Candidates are filled up to a multiple of this, as in Marian: more tokens can only win there.
const MULTIPLE: usize = 8;

/// Translations of each token.
pub(super) struct Shortlist {
    frequent: u32,
    /// Where the translations of each source token begin, and where the last ones end.
    offsets: Vec<usize>,
    translations: Vec<u32>,
}

impl Shortlist {
    /// Reads a file whose tokens must be below `vocabulary`.
    pub(super) fn parse(bytes: &[u8], vocabulary: usize) -> Result<Self, String> {
        let (words, _) = bytes.as_chunks::<8>();
        let word = |at: usize| words.get(at).map(|word| u64::from_le_bytes(*word));
        let header: Option<Vec<u64>> = (0..HEADER).map(word).collect();
        let Some([_, _, frequent, _, offsets, translations]) =
            header.as_deref().and_then(|header| header.as_array())
        else {
            return Err("it is too short for a shortlist".to_owned());
        };
        let claimed = offsets
            .checked_mul(8)
            .zip(translations.checked_mul(4))
            .and_then(|(offsets, translations)| offsets.checked_add(translations))
            .and_then(|lists| lists.checked_add(HEADER as u64 * 8));
        if claimed != Some(bytes.len() as u64) {
            return Err(format!(
                "it has {} bytes, which does not fit its header: it is damaged, or not wholly downloaded",
                bytes.len()
            ));
        }
        // Both lists lie within the bytes, so their lengths are sizes.
        let (count, listed) = (*offsets as usize, *translations as usize);
        let offsets: Vec<usize> = words[HEADER..HEADER + count]
            .iter()
            .map(|word| u64::from_le_bytes(*word) as usize)
            .collect();
        let (translations, _) = bytes[(HEADER + count) * 8..].as_chunks::<4>();
        let translations: Vec<u32> = translations
            .iter()
            .map(|t| u32::from_le_bytes(*t))
            .collect();
        if !offsets.is_sorted() || offsets.last().is_some_and(|last| *last > listed) {
            return Err("its offsets are out of order".to_owned());
        }
        let most = vocabulary as u64;
        if *frequent > most || translations.iter().any(|token| u64::from(*token) >= most) {
            return Err(format!(
                "it names tokens beyond the {vocabulary} of the model"
            ));
        }
        Ok(Self {
            frequent: *frequent as u32,
            offsets,
            translations,
        })
    }

    /// The tokens that a translation of `source` may hold, in order: the most frequent ones, the source's
    /// own (names) and their translations.
    pub(super) fn candidates(&self, source: &[u32], vocabulary: usize) -> Vec<u32> {
        let mut candidates: BTreeSet<u32> = (0..self.frequent).collect();
        for token in source {
            candidates.insert(*token);
            let at = *token as usize;
            if let Some([begin, end]) = self.offsets.get(at..at + 2).and_then(|o| o.as_array()) {
                candidates.extend(&self.translations[*begin..*end]);
            }
        }
        let mut next = self.frequent;
        while !candidates.len().is_multiple_of(MULTIPLE) && (next as usize) < vocabulary {
            candidates.insert(next);
            next += 1;
        }
        candidates.into_iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two frequent tokens; token 1 translates to 20 and 30.
    fn small() -> Vec<u8> {
        let mut bytes = Vec::new();
        for word in [7_u64, 0, 2, 1, 3, 2, 0, 0, 2] {
            bytes.extend(word.to_le_bytes());
        }
        bytes.extend([20_u32, 30].iter().flat_map(|token| token.to_le_bytes()));
        bytes
    }

    #[test]
    fn the_frequent_the_own_and_their_translations() {
        let list = Shortlist::parse(&small(), 40).unwrap();
        assert_eq!(list.candidates(&[1, 9], 40), [0, 1, 2, 3, 4, 9, 20, 30]);
        assert_eq!(list.candidates(&[2], 40), [0, 1, 2, 3, 4, 5, 6, 7]);
    }

    #[test]
    fn says_what_is_wrong() {
        let wrong = |bytes: &[u8], vocabulary| Shortlist::parse(bytes, vocabulary).err().unwrap();
        let whole = small();
        assert!(wrong(&whole[..20], 40).contains("too short"));
        assert!(wrong(&whole[..whole.len() - 1], 40).contains("does not fit"));
        assert!(wrong(&whole, 25).contains("beyond the 25"));
        let mut shuffled = whole.clone();
        shuffled[48] = 3;
        assert!(wrong(&shuffled, 40).contains("out of order"));
    }

    proptest! {
        #[test]
        fn damage_is_an_error_and_no_panic(at in any::<usize>(), to in any::<u8>(), source in 0_u32..60) {
            let mut bytes = small();
            let length = bytes.len();
            bytes[at % length] = to;
            if let Ok(list) = Shortlist::parse(&bytes, 40) {
                prop_assert!(list.candidates(&[source], 40).is_sorted());
            }
        }
    }
}
