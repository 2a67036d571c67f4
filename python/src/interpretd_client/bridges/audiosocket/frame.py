"""Frames of AudioSocket: one byte of kind, two of length (big-endian), and the payload."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

TERMINATE = 0x00
UUID = 0x01
DTMF = 0x03
ERROR = 0xFF
#: Kinds of audio (signed 16-bit little-endian, one channel) and their samples a second. The dialplan's
#: AudioSocket(), and older versions of Asterisk, have only the first.
RATES = {
    0x10: 8000,
    0x11: 12000,
    0x12: 16000,
    0x13: 24000,
    0x14: 32000,
    0x15: 44100,
    0x16: 48000,
    0x17: 96000,
    0x18: 192000,
}

_SIZES = {TERMINATE: (0, 0), UUID: (16, 16), DTMF: (1, 1), ERROR: (0, 255)}


class BadFrame(Exception):
    """What came is no AudioSocket."""


@dataclass(frozen=True)
class Frame:
    kind: int
    payload: bytes = b""

    def encode(self) -> bytes:
        return bytes([self.kind]) + len(self.payload).to_bytes(2, "big") + self.payload


async def read(reader: asyncio.StreamReader) -> Frame | None:
    """The next frame; None: the connection was closed between frames."""
    try:
        header = await reader.readexactly(3)
    except asyncio.IncompleteReadError as error:
        if error.partial:
            raise BadFrame("the connection was closed in a frame's header") from None
        return None
    kind, size = header[0], int.from_bytes(header[1:], "big")
    _check(kind, size)
    try:
        return Frame(kind, await reader.readexactly(size))
    except asyncio.IncompleteReadError:
        raise BadFrame("the connection was closed within a frame") from None


def _check(kind: int, size: int) -> None:
    if kind in RATES:
        if size == 0 or size % 2:
            raise BadFrame(f"a frame of audio has {size} bytes")
        return
    if kind not in _SIZES:
        raise BadFrame(f"a frame is of kind 0x{kind:02x}, which is not known")
    least, most = _SIZES[kind]
    if not least <= size <= most:
        raise BadFrame(f"a frame of kind 0x{kind:02x} has {size} bytes")
