"""WAV files, and the speed of speech."""

from __future__ import annotations

import asyncio
import time
import wave
from dataclasses import dataclass
from typing import TYPE_CHECKING

from interpretd_client.errors import InvalidArgument

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

_SAMPLE_BYTES = 2


@dataclass(frozen=True)
class Recording:
    """Signed 16-bit little-endian samples."""

    rate: int
    channels: int
    data: bytes

    def frames(self, seconds: float) -> list[bytes]:
        """Pieces of `seconds`; the last may be shorter."""
        size = round(self.rate * seconds) * self.channels * _SAMPLE_BYTES
        return [self.data[start : start + size] for start in range(0, len(self.data), size)]


def read(path: str) -> Recording:
    """Reads a WAV file."""
    try:
        with wave.open(path, "rb") as file:
            if file.getsampwidth() != _SAMPLE_BYTES:
                raise InvalidArgument(f"{path} has no 16-bit samples; {_convert(path)}")
            data = file.readframes(file.getnframes())
            return Recording(file.getframerate(), file.getnchannels(), data)
    except (wave.Error, EOFError) as error:
        raise InvalidArgument(f"{path} is no WAV file with PCM ({error}); {_convert(path)}") from error


def read_telephone(path: str) -> Recording:
    """Reads a WAV file as a telephone has it: 8 kHz, one channel."""
    found = read(path)
    if (found.rate, found.channels) != (8000, 1):
        raise InvalidArgument(
            f"{path} has {found.rate} Hz and {found.channels} channels, a telephone 8000 Hz and one; "
            f"{_convert(path, ' -ar 8000 -ac 1')}"
        )
    return found


def write(path: str, rate: int, data: bytes) -> None:
    """Writes a WAV file with one channel."""
    with wave.open(path, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(_SAMPLE_BYTES)
        file.setframerate(rate)
        file.writeframes(data)


async def paced(seconds: float, begin: Callable[[], None]) -> AsyncIterator[int]:
    """Counts up, one every `seconds`, without drifting; calls `begin` at the first."""
    begin()
    start = time.monotonic()
    count = 0
    while True:
        yield count
        count += 1
        await asyncio.sleep(max(start + count * seconds - time.monotonic(), 0))


def _convert(path: str, options: str = "") -> str:
    return f"convert it: ffmpeg -i {path}{options} -c:a pcm_s16le out.wav"
