"""A TCP proxy that cuts its connections: what a network does to a stream, with data under way both ways."""

from __future__ import annotations

import asyncio
import contextlib
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class CuttingProxy:
    """Passes `budgets[n]` bytes, of both directions together, over the n-th connection and then cuts it.

    Connections beyond those live. The first is only cut after `armed` is set, so that a session has begun.
    """

    target: tuple[str, int]
    budgets: list[int]
    armed: asyncio.Event = field(default_factory=asyncio.Event)
    connections: int = 0
    cuts: int = 0
    #: True: bytes are swallowed instead, and the connection stays open.
    swallow: bool = False
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)
    _ends: list[asyncio.StreamWriter] = field(default_factory=list)

    async def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        number = self.connections
        self.connections += 1
        left = [self.budgets[number] if number < len(self.budgets) else -1]
        far_reader, far_writer = await asyncio.open_connection(*self.target)
        ends = (writer, far_writer)
        self._ends += ends
        for source, sink in ((reader, far_writer), (far_reader, writer)):
            task = asyncio.create_task(self._pass(source, sink, ends, left, first=number == 0))
            self._tasks.add(task)

    async def _pass(
        self,
        source: asyncio.StreamReader,
        sink: asyncio.StreamWriter,
        ends: tuple[asyncio.StreamWriter, asyncio.StreamWriter],
        left: list[int],
        *,
        first: bool,
    ) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(4096):
                limited = left[0] >= 0 and (self.armed.is_set() or not first)
                if limited:
                    data = data[: left[0]]
                    left[0] -= len(data)
                    if not data and self.swallow:
                        continue
                sink.write(data)
                await sink.drain()
                if limited and left[0] == 0 and not self.swallow:
                    self.cuts += 1
                    left[0] = -1
                    break
        for end in ends:
            end.transport.abort()

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        for end in self._ends:
            end.transport.abort()
            with contextlib.suppress(OSError):
                await end.wait_closed()


@asynccontextmanager
async def cutting(target: str, budgets: list[int]) -> AsyncIterator[tuple[CuttingProxy, str]]:
    host, port = target.split(":")
    proxy = CuttingProxy((host, int(port)), budgets)
    server = await asyncio.start_server(proxy.accept, "127.0.0.1", 0)
    try:
        yield proxy, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await proxy.stop()
