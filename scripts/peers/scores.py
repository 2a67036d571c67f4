"""Word errors, alignment and percentiles."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from math import ceil


@dataclass(frozen=True)
class WordErrors:
    """Errors of texts against their references."""

    errors: int = 0
    words: int = 0

    def __add__(self, other: "WordErrors") -> "WordErrors":
        return WordErrors(self.errors + other.errors, self.words + other.words)

    @property
    def percent(self) -> float:
        """Errors per word of the reference, in percent."""
        return 100 * self.errors / max(self.words, 1)


def normalised(text: str) -> list[str]:
    """Lower-case words; everything that is no letter or digit parts words (as tests/src/scores.rs)."""
    return ["".join(characters) for inside, characters in groupby(text.lower(), str.isalnum) if inside]


def word_errors(text: str, reference: str) -> WordErrors:
    """The fewest word errors that turn `reference` into `text`."""
    found, expected = normalised(text), normalised(reference)
    return WordErrors(_distances(found, expected)[-1][-1], len(expected))


def aligned(found: Sequence[str], expected: Sequence[str]) -> list[tuple[int, int]]:
    """Pairs of positions of equal words in an alignment with the fewest errors."""
    rows = _distances(found, expected)
    pairs: list[tuple[int, int]] = []
    i, j = len(expected), len(found)
    while i and j:
        same = expected[i - 1] == found[j - 1]
        if rows[i][j] == rows[i - 1][j - 1] + (not same):
            if same:
                pairs.append((j - 1, i - 1))
            i, j = i - 1, j - 1
        elif rows[i][j] == rows[i - 1][j] + 1:
            i -= 1
        else:
            j -= 1
    return pairs[::-1]


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that `percent` of the values do not exceed (nearest rank)."""
    if not values:
        return float("nan")
    return sorted(values)[max(ceil(percent / 100 * len(values)), 1) - 1]


def _distances(found: Sequence[str], expected: Sequence[str]) -> list[list[int]]:
    """Levenshtein distances of all beginnings: row i, column j is `expected[:i]` to `found[:j]`."""
    rows = [list(range(len(found) + 1))]
    for i, word in enumerate(expected):
        row = [i + 1]
        for j, other in enumerate(found):
            row.append(min(rows[i][j] + (word != other), rows[i][j + 1] + 1, row[j] + 1))
        rows.append(row)
    return rows
