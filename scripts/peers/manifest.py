"""The recordings that both sides hear."""

import csv
from dataclasses import dataclass
from pathlib import Path

_PLACES = (Path("../shared/speech-dev/manifest.tsv"), Path("tests/speech/manifest.tsv"))


@dataclass(frozen=True)
class Recording:
    """Speech, and what was said."""

    path: Path
    language: str
    transcript: str


def default_manifest() -> Path:
    """The first manifest that is there."""
    return next((place for place in _PLACES if place.is_file()), _PLACES[-1])


def recordings(manifest: Path, languages: frozenset[str]) -> list[Recording]:
    """The recordings of a manifest (audio, language, transcript, ...), each once, in its order."""
    with manifest.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE))
    found = {
        row["audio"]: Recording(manifest.parent / row["audio"], row["language"], row["transcript"])
        for row in rows
        if row["language"] in languages
    }
    return list(found.values())
