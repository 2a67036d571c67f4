"""Figures of many runs of one system."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from runs import Run, Word
from scores import WordErrors, aligned, normalised, percentile, word_errors


@dataclass(frozen=True)
class Summary:
    """One row of the report."""

    system: str
    language: str
    recordings: int
    audio_s: float
    latency_median_s: float
    latency_p95_s: float
    common_median_s: float
    """As `latency_median_s`, with the word ends of the offline transcript for every system."""
    common_p95_s: float
    errors: WordErrors
    recognition_cores: float
    """Core-seconds of recognition a second of speech."""
    peak_bytes: int
    more: dict[str, float]
    """Other costs, in core-seconds a second of speech."""


@dataclass(frozen=True)
class Ratio:
    """Ours to the peer's, over recordings that both have heard; below 1 ours is better."""

    peer: str
    latency: float
    common_latency: float
    recognition_cores: float


def summary(
    runs: Sequence[Run],
    language: str,
    transcripts: Mapping[str, str],
    clock: Mapping[str, Sequence[Word]],
) -> Summary:
    """Figures of one system's runs; `clock` has the offline words of each recording."""
    audio_s = sum(run.audio_s for run in runs)
    latencies = [word.latency_s for run in runs for word in run.words]
    common = [late for run in runs for late in common_latencies(run, clock)]
    more = {key for run in runs for key in run.more}
    return Summary(
        system=runs[0].system,
        language=language,
        recordings=len(runs),
        audio_s=audio_s,
        latency_median_s=percentile(latencies, 50),
        latency_p95_s=percentile(latencies, 95),
        common_median_s=percentile(common, 50),
        common_p95_s=percentile(common, 95),
        errors=sum((word_errors(run.text, transcripts[run.recording]) for run in runs), WordErrors()),
        recognition_cores=sum(run.recognition_cpu_s for run in runs) / audio_s,
        peak_bytes=max(run.peak_bytes for run in runs),
        more={key: sum(run.more.get(key, 0.0) for run in runs) / audio_s for key in sorted(more)},
    )


def ratio(ours: Iterable[Run], peer: Sequence[Run], clock: Mapping[str, Sequence[Word]]) -> Ratio | None:
    """The median, over recordings, of ours to the peer's; None where there is no pair."""
    theirs = {run.recording: run for run in peer}
    pairs = [(run, theirs[run.recording]) for run in ours if run.recording in theirs]
    pairs = [pair for pair in pairs if all(run.words for run in pair)]
    if not pairs:
        return None

    def own(run: Run) -> float:
        return percentile([word.latency_s for word in run.words], 50)

    def common(run: Run) -> float:
        return percentile(common_latencies(run, clock), 50)

    return Ratio(
        peer=peer[0].system,
        latency=median(own(a) / own(b) for a, b in pairs),
        common_latency=median(common(a) / common(b) for a, b in pairs),
        recognition_cores=median(a.recognition_cpu_s / b.recognition_cpu_s for a, b in pairs),
    )


def common_latencies(run: Run, clock: Mapping[str, Sequence[Word]]) -> list[float]:
    """How far behind the word ends of the offline transcript equal words were committed."""
    found = _split(run.words)
    expected = _split(clock[run.recording])
    return [
        found[i].committed_at_s - expected[j].end_s
        for i, j in aligned([word.text for word in found], [word.text for word in expected])
    ]


def _split(words: Iterable[Word]) -> list[Word]:
    """Normalised words; the parts of one word share its times."""
    return [
        Word(part, word.end_s, word.committed_at_s) for word in words for part in normalised(word.text)
    ]
