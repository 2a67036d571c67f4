"""Compares streaming recognition with a peer's; scripts/bench-peers prepares and calls this."""

import argparse
import os
import platform
import signal
import sys
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from time import monotonic
from types import FrameType

from manifest import Recording, default_manifest, recordings
from ours import MODES, Daemon
from ours import NAME as OURS
from pace import Pace
from peer import VARIANTS, Peer
from process_figures import machine_busy_s
from report import Report
from runs import Run, Word
from summary import Summary, ratio, summary
from weights import model_folder

LANGUAGES = ("fr", "en")
QUICK = 2
FOLDER = Path("bench/peers")
MODEL = Path("bench/peers-model")
_PACES = {
    Pace.LIVE: "the speed of speech",
    Pace.UNPACED: "unpaced: latency counts the sound waited for, without the time of computing",
}


class Bench:
    """Runs all systems over the recordings and keeps what they did."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.systems: list[str] = arguments.systems
        self.threads: int = arguments.threads
        self.programs: Path = arguments.programs
        self.pace: Pace = Pace.UNPACED if arguments.unpaced else Pace.LIVE
        self.streamed: list[Run] = []
        self.offline: list[Run] = []
        self.others_s = 0.0
        self.wall_s = 0.0

    def run(self, heard: list[Recording]) -> None:
        """For each recording: every peer offline, then every system in turn, streamed."""
        with ExitStack() as running:
            model = model_folder(MODEL)
            peers = [
                running.enter_context(Peer(VARIANTS[name], model, self.threads))
                for name in self.systems
                if name not in MODES
            ]
            for language, group in groupby(heard, lambda recording: recording.language):
                with ExitStack() as of_language:
                    daemon = None
                    if any(name in MODES for name in self.systems):
                        daemon = Daemon(self.programs, language, self.threads)
                        of_language.enter_context(daemon)
                    for recording in group:
                        self._hear(recording, peers, daemon)

    def _hear(self, recording: Recording, peers: list[Peer], daemon: Daemon | None) -> None:
        offline = [peer.run(recording, Pace.OFFLINE) for peer in peers]
        self.offline += offline
        for peer in peers:
            self._stream(partial(peer.run, recording, self.pace))
        if daemon:
            for name in self.systems:
                if name in MODES:
                    self._stream(partial(daemon.run, recording, offline[0].audio_s, name))

    def _stream(self, work: Callable[[], Run]) -> None:
        start, busy = monotonic(), machine_busy_s()
        run = work()
        self.wall_s += monotonic() - start
        own_s = run.more.get("daemon_cpu_s", run.recognition_cpu_s)
        self.others_s += machine_busy_s() - busy - own_s
        self.streamed.append(run)
        print(f"{run.recording} {run.system}: {len(run.words)} words", file=sys.stderr, flush=True)

    def report(self, heard: list[Recording], settings: dict[str, str]) -> Report:
        """Sums up what `run` has gathered."""
        transcripts = {recording.path.stem: recording.transcript for recording in heard}
        clock: dict[str, list[Word]] = {}
        for run in self.offline:
            clock.setdefault(run.recording, run.words)
        languages = list(dict.fromkeys(recording.language for recording in heard))

        def rows(runs: list[Run]) -> list[Summary]:
            chosen = (
                ([run for run in runs if run.system == name and run.language == language], language)
                for language in languages
                for name in self.systems
            )
            return [summary(some, language, transcripts, clock) for some, language in chosen if some]

        def of(name: str) -> list[Run]:
            return [run for run in self.streamed if run.system == name]

        ours = next((name for name in self.systems if name in MODES), OURS)
        ratios = [ratio(of(ours), of(name), clock) for name in self.systems if name not in MODES]
        return Report(
            machine=machine_facts(),
            others_cores=self.others_s / self.wall_s,
            settings=settings,
            streamed=rows(self.streamed),
            offline=rows(self.offline),
            ratios=[one for one in ratios if one],
            runs=self.streamed + self.offline,
        )


def machine_facts() -> dict[str, str]:
    """What the figures were measured on, and with what."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(": ")[2] for line in lines if line.startswith("model name")), "")
    names = ("faster-whisper", "ctranslate2", "whisperlivekit")
    return {
        "machine": f"{model or platform.machine()}, {os.cpu_count()} cores",
        "niceness": str(os.nice(0)),
        "peer": ", ".join(f"{name} {version(name)}" for name in names),
    }


def arguments() -> argparse.Namespace:
    """The command line."""
    known = [*VARIANTS, *MODES]
    parser = argparse.ArgumentParser(prog="bench-peers", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the two shortest recordings")
    parser.add_argument(
        "--systems",
        type=lambda text: text.split(","),
        default=["peer", "peer-vad", OURS],
        help=f"which, separated by commas, of {', '.join(known)} (default: peer,peer-vad,ours)",
    )
    parser.add_argument(
        "--unpaced",
        action="store_true",
        help="peers only: let the speaker wait for each round, so that a busy machine does not matter",
    )
    parser.add_argument("--manifest", type=Path, default=default_manifest())
    parser.add_argument("--threads", type=int, default=2, help="of each recogniser (default: 2)")
    parser.add_argument("--programs", type=Path, default=Path("target/release"))
    chosen = parser.parse_args()
    unknown = [name for name in chosen.systems if name not in known]
    if unknown:
        parser.error(f"unknown system {unknown[0]}; known: {', '.join(known)}")
    if chosen.unpaced and any(name in MODES for name in chosen.systems):
        parser.error("ours cannot run unpaced; name --systems without it")
    if all(name in MODES for name in chosen.systems):
        parser.error("name a peer too: its offline transcript gives the common clock")
    return chosen


def stop(_signal: int, _frame: FrameType | None) -> None:
    """Leaves through the contexts, which end what they started."""
    raise SystemExit("bench-peers: stopped")


def main() -> None:
    """Measures, prints and writes the report."""
    chosen = arguments()
    signal.signal(signal.SIGTERM, stop)
    if any(name in MODES for name in chosen.systems) and not (chosen.programs / "interpretd").is_file():
        sys.exit(f"bench-peers: no interpretd in {chosen.programs}; run `cargo build --release --bins`")
    if not chosen.manifest.is_file():
        sys.exit(f"bench-peers: there is no {chosen.manifest}")
    heard = recordings(chosen.manifest, frozenset(LANGUAGES))
    if chosen.quick:
        heard = sorted(heard, key=lambda recording: recording.path.stat().st_size)[:QUICK]
    heard.sort(key=lambda recording: LANGUAGES.index(recording.language))
    bench = Bench(chosen)
    try:
        bench.run(heard)
    except (RuntimeError, OSError) as error:
        sys.exit(f"bench-peers: {error}")
    settings = {
        "recordings": str(chosen.manifest),
        "weights": "Whisper base; peer int8 (CTranslate2), ours f16 of the same",
        "threads": str(chosen.threads),
        "pace": _PACES[bench.pace],
    }
    report = bench.report(heard, settings)
    report.write(FOLDER)
    print(report.markdown())
    print(f"written: {FOLDER}/report.md and report.json", file=sys.stderr)


if __name__ == "__main__":
    main()
