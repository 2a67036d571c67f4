"""Taking WebSockets of Media Streams."""

from __future__ import annotations

import http
import logging
import socket
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from websockets.asyncio.server import ServerConnection, serve

from .connection import Connection

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from websockets.http11 import Request, Response

    from interpretd_client.bridges.bridge import Bridge
    from interpretd_client.bridges.options import LegOptions

#: A message with 64 KiB of audio.
_MESSAGE = 100_000
#: Bytes that may wait for a telephone that reads slowly, so that what waits longer is dropped by age here.
_UNSENT = 16 << 10


@asynccontextmanager
async def listening(
    bridge: Bridge, options: LegOptions, host: str, port: int, *, path: str = "/"
) -> AsyncIterator[str]:
    """Takes connections to `path` while it is entered; gives its address."""

    def check(connection: ServerConnection, request: Request) -> Response | None:
        if request.path.partition("?")[0] == path:
            return None
        return connection.respond(http.HTTPStatus.NOT_FOUND, "nothing is here\n")

    async def take(connection: ServerConnection) -> None:
        raw: socket.socket = connection.transport.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT)
        await Connection(bridge, options, connection).run()

    server = await serve(
        take,
        host,
        port,
        process_request=check,
        # Base64 of mu-law does not get smaller, only later.
        compression=None,
        max_size=_MESSAGE,
        write_limit=_UNSENT,
        close_timeout=2,
        # Its lines hold messages, and so what is said.
        logger=_quiet(),
    )
    async with server:
        where = next(iter(server.sockets)).getsockname()
        yield f"ws://{where[0]}:{where[1]}{path}"


def _quiet() -> logging.Logger:
    quiet = logging.getLogger("websockets.server")
    quiet.setLevel(logging.WARNING)
    return quiet
