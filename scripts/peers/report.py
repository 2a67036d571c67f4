"""The report, as Markdown and JSON."""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from runs import Run
from summary import Ratio, Summary

_HEADER = (
    "| system | speech | latency median | p95 | common clock median | p95 | WER "
    "| core-s/s | peak memory |\n"
    "|---|---|---|---|---|---|---|---|---|"
)
# Above this the machine was not idle: the latencies are those of a machine shared with others.
_IDLE_CORES = 0.1
_NOTES = """\
- *latency*: wall time of commitment less the end of the word, by the system's own word times.
- *common clock*: the same, by the word ends of the peer's offline transcript for every system.
- *core-s/s*: processor time (user and system, all threads) of recognition a second of speech; of ours,
  of all that the daemon does but translation and synthesis.
- *peak memory*: of the whole process. Ours holds translation and synthesis too; theirs Python.
- offline: the whole recording at once, with the peer's settings; it has no latency to compare.
"""


@dataclass(frozen=True)
class Report:
    """All that is written down."""

    machine: dict[str, str]
    others_cores: float
    """Cores that neither peer nor daemon used while they streamed; the client's few percent count."""
    settings: dict[str, str]
    streamed: Sequence[Summary]
    offline: Sequence[Summary]
    ratios: Sequence[Ratio]
    runs: Sequence[Run]

    def write(self, folder: Path) -> None:
        """Writes report.md and report.json."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "report.md").write_text(self.markdown(), encoding="utf-8")
        # NaN (no word to measure) is no JSON: it becomes null.
        text = json.dumps(_without_nan(asdict(self)), ensure_ascii=False, indent=1)
        (folder / "report.json").write_text(text + "\n", encoding="utf-8")

    def markdown(self) -> str:
        """The report for people."""
        facts = [f"- {key}: {value}" for key, value in {**self.machine, **self.settings}.items()]
        facts.append(f"- used by others meanwhile: {self.others_cores:.2f} cores")
        if self.others_cores > _IDLE_CORES:
            facts += ["", "**The machine was not idle: do not quote these latencies.**"]
        rows = [_row(row, latency=True) for row in self.streamed]
        rows += [_row(row, latency=False) for row in self.offline]
        lines = ["# Streaming recognition beside a peer's", "", *facts, "", _HEADER, *rows, ""]
        for row in self.streamed:
            lines += [
                f"- {row.system} {row.language}, {key.removesuffix('_s')}: {value:.2f} core-s/s"
                for key, value in row.more.items()
            ]
        lines += [
            f"- ours to {ratio.peer}, median of recordings: latency {ratio.latency:.2f}, by the common "
            f"clock {ratio.common_latency:.2f}, core-s/s {ratio.recognition_cores:.2f}"
            for ratio in self.ratios
        ]
        return "\n".join([*lines, "", _NOTES])


def _row(row: Summary, latency: bool) -> str:
    times = (row.latency_median_s, row.latency_p95_s, row.common_median_s, row.common_p95_s)
    cells = [
        row.system if latency else f"{row.system}, offline",
        f"{row.language}, {row.recordings} recordings, {row.audio_s:.0f} s",
        *(f"{time:.2f} s" if latency else "" for time in times),
        f"{row.errors.percent:.1f} % ({row.errors.errors}/{row.errors.words})",
        f"{row.recognition_cores:.2f}",
        f"{row.peak_bytes / 2**20:.0f} MiB",
    ]
    return f"| {' | '.join(cells)} |"


def _without_nan(value: object) -> object:
    match value:
        case float() if value != value:
            return None
        case dict():
            return {key: _without_nan(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_without_nan(inner) for inner in value]
        case _:
            return value
