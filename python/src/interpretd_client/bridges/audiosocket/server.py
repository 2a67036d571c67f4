"""Taking AudioSocket connections."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from .connection import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from interpretd_client.bridges.bridge import Bridge
    from interpretd_client.bridges.options import LegOptions


@asynccontextmanager
async def listening(bridge: Bridge, options: LegOptions, host: str, port: int) -> AsyncIterator[str]:
    """Takes connections while it is entered; gives its address."""
    running: set[asyncio.Task[None]] = set()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is not None:
            running.add(task)
            task.add_done_callback(running.discard)
        await Connection(bridge, options, reader, writer).run()

    server = await asyncio.start_server(take, host, port)
    try:
        where = server.sockets[0].getsockname()
        yield f"{where[0]}:{where[1]}"
    finally:
        server.close()
        # The bridge has ended the calls; their connections end with them.
        if running:
            await asyncio.wait(running, timeout=5)
        for task in running:
            task.cancel()
