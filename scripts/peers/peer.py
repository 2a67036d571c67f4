"""A peer, in a process of its own."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from manifest import Recording
from pace import Pace
from runs import Run


@dataclass(frozen=True)
class Variant:
    """How the peer is set."""

    name: str
    beam: int
    vad: bool


VARIANTS = {
    "peer": Variant("peer", beam=5, vad=False),
    "peer-vad": Variant("peer-vad", beam=5, vad=True),
    "peer-greedy": Variant("peer-greedy", beam=1, vad=False),
}


class Peer:
    """A running worker; a context that ends it."""

    def __init__(self, variant: Variant, model: Path, threads: int) -> None:
        self.name = variant.name
        command = [sys.executable, str(Path(__file__).with_name("peer_worker.py"))]
        command += ["--system", variant.name, "--model", str(model)]
        command += ["--threads", str(threads), "--beam", str(variant.beam)]
        self._worker = subprocess.Popen(
            command + (["--vad"] if variant.vad else []),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # Nothing is to be fetched: a missing file is an error, not a download.
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        )

    def __enter__(self) -> Self:
        try:
            self._line()
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._end()

    def run(self, recording: Recording, pace: Pace) -> Run:
        """Recognises a recording."""
        job = {"recording": str(recording.path), "language": recording.language, "pace": pace}
        assert self._worker.stdin
        self._worker.stdin.write(json.dumps(job) + "\n")
        self._worker.stdin.flush()
        return Run.from_json(json.loads(self._line()))

    def _line(self) -> str:
        assert self._worker.stdout
        line = self._worker.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended with status {self._worker.wait()} (see above)")
        return line

    def _end(self) -> None:
        self._worker.kill()
        self._worker.wait()
