"""The README's examples do what they say."""

from __future__ import annotations

import asyncio
import contextlib
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fake_daemon import FakeDaemon, serving

import interpretd_client

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

README = Path(__file__).resolve().parents[1] / "README.md"


class Telephone:
    def __init__(self) -> None:
        self.played: list[bytes] = []

    async def frames(self) -> AsyncIterator[bytes]:
        for _ in range(5):
            yield bytes(160)

    def play(self, data: bytes) -> None:
        self.played.append(data)


async def audio() -> AsyncIterator[bytes]:
    yield b"\1\2"


async def test_examples() -> None:
    daemon = FakeDaemon()
    async with serving(daemon) as address:
        names: dict[str, Any] = {name: getattr(interpretd_client, name) for name in interpretd_client.__all__}
        for example in re.findall(r"```python\n(.*?)```", README.read_text(), re.DOTALL):
            exec(compile(example, str(README), "exec"), names)
            names["connect"] = lambda *_, **__: interpretd_client.connect(address)
        await names["interpret"](audio())
        assert daemon.latest is not None
        assert daemon.latest.config.resumable
        await names["captions"](audio())
        assert daemon.latest.config.targets[0].captions_only
        await names["listen"](None)
        left, right = Telephone(), Telephone()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(names["interpret_call"](left, right), 0.5)
        assert len(left.played) == len(right.played) == 5
