"""Running the real daemon; INTERPRETD names its program, and the models are in the default cache."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from interpretd_client import Busy, Daemon, Unreachable

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = os.environ.get("INTERPRETD", "")
#: Loading models takes seconds; on a busy machine, many.
_READY = 180.0


@contextmanager
def running(*flags: str) -> Iterator[str]:
    """A daemon on a TCP port of its own; gives its address. Ends it well."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{probe.getsockname()[1]}"
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("wb") as out:
            daemon = subprocess.Popen([PROGRAM, "--listen", address, *flags], stderr=out, stdout=out)
        try:
            yield address
            assert daemon.poll() is None, log.read_text()
        finally:
            daemon.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                daemon.wait(60)
            daemon.kill()
            daemon.wait()


async def ready(daemon: Daemon) -> None:
    """Waits until a daemon has loaded its models."""
    loop = asyncio.get_running_loop()
    until = loop.time() + _READY
    while not await _answers(daemon):
        assert loop.time() < until, "the daemon does not get ready"
        await asyncio.sleep(0.5)


async def _answers(daemon: Daemon) -> bool:
    try:
        await daemon.languages()
    except (Busy, Unreachable):
        return False
    return True
