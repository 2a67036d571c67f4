"""Word errors, alignment, percentiles."""

import math
import unittest

from scores import WordErrors, aligned, normalised, percentile, word_errors


class Scores(unittest.TestCase):
    """The same expectations as in tests/src/scores.rs, and those of the alignment."""

    def test_substitutions_insertions_and_deletions_count_one_each(self) -> None:
        for text, errors in [
            ("One, two: three four.", 0),
            ("one too three four", 1),
            ("one two two three four", 1),
            ("one three", 2),
            ("", 4),
        ]:
            self.assertEqual(word_errors(text, "one two three four"), WordErrors(errors, 4))

    def test_the_rate_is_of_the_reference(self) -> None:
        self.assertAlmostEqual(word_errors("a x", "a b c d").percent, 75.0)
        self.assertEqual(WordErrors().percent, 0.0)

    def test_apostrophes_hyphens_and_slashes_part_words(self) -> None:
        self.assertEqual(
            normalised("L’étape: peut-être, pays/langue"),
            ["l", "étape", "peut", "être", "pays", "langue"],
        )

    def test_an_alignment_pairs_equal_words_in_order(self) -> None:
        found, expected = "a x c c d".split(), "a b c d".split()
        pairs = aligned(found, expected)
        self.assertEqual([found[i] for i, _ in pairs], [expected[j] for _, j in pairs])
        self.assertEqual(pairs, sorted(pairs))
        self.assertEqual([expected[j] for _, j in pairs], ["a", "c", "d"])

    def test_percentiles_are_values_that_occur(self) -> None:
        values = [float(value) for value in range(20, 0, -1)]
        self.assertEqual(percentile(values, 50), 10.0)
        self.assertEqual(percentile(values, 95), 19.0)
        self.assertEqual(percentile([7.0], 95), 7.0)
        self.assertTrue(math.isnan(percentile([], 50)))
