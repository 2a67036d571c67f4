"""interpretd and its client, as programs."""

import json
import shutil
import subprocess
from pathlib import Path
from tempfile import mkdtemp
from time import monotonic, sleep
from types import TracebackType
from typing import Any, Self

from manifest import Recording
from process_figures import cpu_times, peak_bytes
from runs import Run, Word

NAME = "ours"
# Systems that are ours, each a mode of the same daemon.
MODES = {NAME: "low-latency", "ours-balanced": "balanced", "ours-accurate": "accurate"}
_START_LIMIT_S = 120.0
# Threads whose work is not recognition. All else the daemon does is charged to recognition.
_NOT_RECOGNITION = ("translation", "synthesis", "candle")


class Daemon:
    """A daemon for one language, with its models loaded; a context that ends it."""

    def __init__(self, programs: Path, language: str, threads: int) -> None:
        self._client = programs / "interpret"
        self._source = language
        self._target = "fr" if language == "en" else "en"
        self._threads = threads
        self._folder = Path(mkdtemp(prefix="bench-peers-"))
        self._socket = self._folder / "interpretd.sock"
        self._log = self._folder / "interpretd.log"
        pair = f"{self._source}-{self._target}"
        command = [str(programs / "interpretd"), "--listen", "", "--unix", str(self._socket)]
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command + ["--preload", pair], stderr=log)

    def __enter__(self) -> Self:
        try:
            self._wait_until_ready()
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

    @property
    def process(self) -> int:
        """The daemon's process id."""
        return self._process.pid

    def run(self, recording: Recording, audio_s: float, system: str) -> Run:
        """Streams a recording, at the speed of speech, with the client, in the mode of `system`."""
        events = self._folder / "events.jsonl"
        before = cpu_times(self.process)
        client = subprocess.run(
            [str(self._client), "file", str(recording.path), "--quiet"]
            + ["--from", self._source, "--to", self._target, "--mode", MODES[system]]
            + ["--server", f"unix:{self._socket}", "--events", str(events)],
            stderr=subprocess.PIPE,
            text=True,
        )
        if client.returncode:
            raise RuntimeError(f"interpret ended with {client.returncode}: {client.stderr}")
        after = cpu_times(self.process)
        text, words, busy_s = read_events(events.read_text(encoding="utf-8"))
        return Run(
            system=system,
            recording=recording.path.stem,
            language=recording.language,
            audio_s=audio_s,
            text=text,
            words=words,
            recognition_cpu_s=after.since_without(before, _NOT_RECOGNITION),
            peak_bytes=peak_bytes(self.process),
            more={
                "daemon_cpu_s": after.since(before),
                "busy_times_threads_s": busy_s * self._threads,
            },
        )

    def _wait_until_ready(self) -> None:
        limit = monotonic() + _START_LIMIT_S
        while not self._socket.is_socket():
            if self._process.poll() is not None:
                raise RuntimeError(f"interpretd did not start:\n{self._log.read_text()}")
            if monotonic() > limit:
                raise RuntimeError(f"interpretd was not ready after {_START_LIMIT_S:.0f} s")
            sleep(0.1)

    def _end(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self._folder)


def read_events(log: str) -> tuple[str, list[Word], float]:
    """Committed source text, its words, and the busy seconds of detection and recognition.

    `log` is the client's event log: a JSON object a line, 64-bit numbers as strings.
    """
    text = ""
    words: list[Word] = []
    busy_s = 0.0
    for event in map(json.loads, log.splitlines()):
        received_s = event["receivedAtMs"] / 1000
        source: dict[str, Any] = event.get("sourceText", {})
        text += source.get("committed", "")
        words += [
            Word(word["text"], int(word.get("sourceEndMs", 0)) / 1000, received_s)
            for word in source.get("words", [])
        ]
        busy_s += sum(
            int(stage.get("busyMs", 0)) / 1000
            for stage in event.get("sessionEnded", {}).get("stages", [])
            if stage["stage"] in ("detect", "recognise")
        )
    return text, words, busy_s
