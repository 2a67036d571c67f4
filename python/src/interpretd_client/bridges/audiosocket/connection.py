"""One leg: an AudioSocket connection, from its UUID to its end."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interpretd_client.bridges.bridge import Bridge, CannotJoin
from interpretd_client.bridges.leg import Leg
from interpretd_client.messages import linear16
from interpretd_client.tasks import cancel_all

from .frame import DTMF, ERROR, RATES, TERMINATE, UUID, BadFrame, Frame, read

if TYPE_CHECKING:
    from interpretd_client.bridges.options import LegOptions

log = logging.getLogger(__name__)

#: A connection says at once who it is, and its first audio comes soon.
_HELLO = 10.0
#: For the last bytes to a telephone that may be gone.
_FAREWELL = 2.0
#: Bytes that may wait in the system for a telephone that reads slowly, so that what waits longer is
#: dropped by age here.
_UNSENT = 16 << 10


def name_and_leg(payload: bytes) -> tuple[str, int]:
    """The two UUIDs of a call differ in their last bit: it is the leg, and the others name the call."""
    leg = payload[-1] & 1
    return str(uuid.UUID(bytes=payload[:-1] + bytes([payload[-1] & 0xFE]))), leg


@dataclass
class Connection:
    bridge: Bridge
    options: LegOptions
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def run(self) -> None:
        """Serves the leg to its end; never raises."""
        peer = self.writer.get_extra_info("peername")
        try:
            _tune(self.writer)
            await self._serve()
        except (BadFrame, CannotJoin) as error:
            log.error("connection from %s: %s; closing it", peer, error)  # noqa: TRY400
        except OSError as error:
            log.info("connection from %s: %s", peer, error)
        except Exception:
            log.exception("connection from %s failed", peer)
        finally:
            await self._farewell()

    async def _serve(self) -> None:
        try:
            hello = await asyncio.wait_for(self._hello(), _HELLO)
        except asyncio.TimeoutError:
            raise BadFrame(f"no UUID and audio came in {_HELLO:g} s") from None
        if hello is None:
            return
        (name, index), first = hello
        leg = Leg(self.options.leg(index, linear16(RATES[first.kind])))
        self.bridge.join(name, index, leg)
        listening = asyncio.create_task(self._listen(leg, first))
        speaking = asyncio.create_task(self._speak(leg, first.kind))
        try:
            await asyncio.wait({listening, speaking}, return_when=asyncio.FIRST_COMPLETED)
            for done in (listening, speaking):
                if done.done():
                    done.result()
        finally:
            self.bridge.leave(name, leg)
            await cancel_all(listening, speaking)

    async def _hello(self) -> tuple[tuple[str, int], Frame] | None:
        """Whose leg this is, and its first audio; None: hung up before."""
        frame = await read(self.reader)
        if frame is None:
            return None
        if frame.kind != UUID:
            raise BadFrame("the first frame is no UUID")
        identity = name_and_leg(frame.payload)
        while (frame := await read(self.reader)) is not None and frame.kind != TERMINATE:
            if frame.kind in RATES:
                return identity, frame
        return None

    async def _listen(self, leg: Leg, first: Frame) -> None:
        frame: Frame | None = first
        while frame is not None and frame.kind != TERMINATE:
            if frame.kind == first.kind:
                leg.hear(frame.payload)
            elif frame.kind == DTMF:
                leg.press(frame.payload.decode("latin-1"))
            elif frame.kind == ERROR:
                raise BadFrame(f"the telephone reports error {frame.payload.hex() or 'without a code'}")
            else:
                raise BadFrame(f"a frame is of kind 0x{frame.kind:02x} after audio of 0x{first.kind:02x}")
            frame = await read(self.reader)

    async def _speak(self, leg: Leg, kind: int) -> None:
        while (audio := await leg.ear.take()) is not None:
            self.writer.write(Frame(kind, audio).encode())
            await self.writer.drain()

    async def _farewell(self) -> None:
        with contextlib.suppress(OSError, asyncio.TimeoutError):
            self.writer.write(Frame(TERMINATE).encode())
            await asyncio.wait_for(self.writer.drain(), _FAREWELL)
            self.writer.close()
            await asyncio.wait_for(self.writer.wait_closed(), _FAREWELL)
        self.writer.transport.abort()


def _tune(writer: asyncio.StreamWriter) -> None:
    writer.transport.set_write_buffer_limits(high=_UNSENT)
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _UNSENT)
    # A telephone exchange that vanished is noticed within a minute.
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, option):
            connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
