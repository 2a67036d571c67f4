"""One connection of a session: an Interpret stream, from its first message to its end or loss."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .tasks import cancel_all

if TYPE_CHECKING:
    import grpc

    from ._proto.interpreter_pb2 import InterpretRequest, InterpretResponse
    from .outbox import Outbox
    from .stream import Stream


class Silent(Exception):
    """Nothing came for so long that the connection must be dead."""


@dataclass
class Link:
    """A stream over a channel; the channel is the link's own where it is given."""

    stream: Stream[InterpretRequest, InterpretResponse]
    channel: grpc.aio.Channel | None = None
    _sending: asyncio.Task[None] | None = None

    async def open(self, first: InterpretRequest) -> None:
        """Sends the first message."""
        await self.stream.write(first)

    def send(self, outbox: Outbox) -> None:
        """Sends what is in the outbox, and what comes into it, until all was sent or the link ends."""
        self._sending = asyncio.create_task(self._send(outbox))

    async def receive(self, within: float | None) -> InterpretResponse | None:
        """The next response; None: the stream has ended. Raises AioRpcError, or Silent after `within` s."""
        try:
            return await asyncio.wait_for(self.stream.read(), within)
        except asyncio.TimeoutError:
            raise Silent(f"nothing came for {within:g} s") from None

    async def close(self) -> None:
        """Ends the stream, also one that goes on."""
        self.stream.close()
        await cancel_all(self._sending)
        if self.channel is not None:
            await self.channel.close()

    async def _send(self, outbox: Outbox) -> None:
        while (request := await outbox.next()) is not None:
            if not await self.stream.write(request):
                return
        await self.stream.done_writing()
