"""One leg: a WebSocket of Media Streams, from its start to its end."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from websockets.exceptions import ConnectionClosed

from interpretd_client.bridges.bridge import Bridge, CannotJoin
from interpretd_client.bridges.leg import Leg
from interpretd_client.messages import mulaw
from interpretd_client.tasks import cancel_all

from .marks import Marks
from .message import BadMessage, Dtmf, Mark, Media, Start, Stop, clear, decode, mark, media

if TYPE_CHECKING:
    from websockets.asyncio.server import ServerConnection

    from interpretd_client.bridges.options import LegOptions

log = logging.getLogger(__name__)

#: A stream says at once what it is.
_HELLO = 10.0


@dataclass
class Connection:
    bridge: Bridge
    options: LegOptions
    socket: ServerConnection
    _marks: Marks = field(default_factory=Marks)
    _stopped: bool = False

    async def run(self) -> None:
        """Serves the leg to its end; never raises."""
        peer = self.socket.remote_address
        try:
            await self._serve()
        except (BadMessage, CannotJoin) as error:
            log.error("connection from %s: %s; closing it", peer, error)  # noqa: TRY400
        except (ConnectionClosed, OSError) as error:
            log.info("connection from %s: %s", peer, error)
        except Exception:
            log.exception("connection from %s failed", peer)

    async def _serve(self) -> None:
        try:
            start = await asyncio.wait_for(self._hello(), _HELLO)
        except asyncio.TimeoutError:
            raise BadMessage(f"no start came in {_HELLO:g} s") from None
        if start is None:
            return
        config = self.options.leg(start.leg, mulaw(), language=start.language, voice=start.voice)
        leg = Leg(config, self._stop)
        self.bridge.join(start.call, start.leg, leg)
        listening = asyncio.create_task(self._listen(leg))
        speaking = asyncio.create_task(self._speak(leg, start.stream))
        try:
            await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            for done in (listening, speaking):
                if done.done():
                    done.result()
        finally:
            self.bridge.leave(start.call, leg)
            await cancel_all(listening, speaking)

    async def _hello(self) -> Start | None:
        """How the stream starts; None: it ended before."""
        async for text in self.socket:
            message = decode(text)
            if isinstance(message, Start):
                return message
            if isinstance(message, Stop):
                return None
            if message is not None:
                raise BadMessage("the stream did not start with 'start'")
        return None

    async def _listen(self, leg: Leg) -> None:
        async for text in self.socket:
            message = decode(text)
            if isinstance(message, Media):
                leg.hear(message.data)
            elif isinstance(message, Dtmf):
                leg.press(message.digit)
            elif isinstance(message, Mark):
                self._marks.played(message.name)
            elif isinstance(message, Start):
                raise BadMessage("the stream started twice")
            elif isinstance(message, Stop):
                return

    async def _speak(self, leg: Leg, stream: str) -> None:
        while (audio := await leg.ear.take()) is not None:
            waiting = self._marks.waiting
            leg.ear.dropped += waiting
            if self._stopped or waiting:
                self._stopped = False
                self._marks.cleared()
                await self.socket.send(clear(stream))
            await self.socket.send(media(stream, audio))
            name = self._marks.after_frame()
            if name is not None:
                await self.socket.send(mark(stream, name))

    def _stop(self) -> None:
        self._stopped = True
