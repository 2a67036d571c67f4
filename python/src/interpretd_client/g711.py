"""ITU-T G.711: mu-law and A-law, 8 bits a sample, to and from signed 16-bit little-endian samples.

Python's own audioop is gone since 3.13. Values are scaled as everywhere: mu-law's
14 bits by 4, A-law's 13 by 8.
"""

from __future__ import annotations

import sys
from array import array
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

#: The largest magnitudes that are coded, in the laws' own units.
_MULAW_MOST = 8158
_ALAW_MOST = 4095
_MULAW_BIAS = 33


def mulaw_to_linear(data: bytes) -> bytes:
    return _decoded(data, _values(_mulaw_value))


def linear_to_mulaw(data: bytes) -> bytes:
    return _encoded(data, _codes(_mulaw_code))


def alaw_to_linear(data: bytes) -> bytes:
    return _decoded(data, _values(_alaw_value))


def linear_to_alaw(data: bytes) -> bytes:
    return _encoded(data, _codes(_alaw_code))


def samples(data: bytes) -> array[int]:
    """Signed 16-bit samples, in this machine's byte order."""
    found = array("h", data)
    if sys.byteorder == "big":
        found.byteswap()
    return found


def linear(found: array[int]) -> bytes:
    """Samples as signed 16-bit little-endian."""
    if sys.byteorder == "big":
        found = array("h", found)
        found.byteswap()
    return found.tobytes()


def _decoded(data: bytes, values: tuple[int, ...]) -> bytes:
    return linear(array("h", map(values.__getitem__, data)))


def _encoded(data: bytes, codes: bytes) -> bytes:
    # A negative index counts from the table's end, which is where the negative samples are.
    return bytes(map(codes.__getitem__, samples(data)))


@cache
def _values(value: Callable[[int], int]) -> tuple[int, ...]:
    return tuple(value(code) for code in range(256))


@cache
def _codes(code: Callable[[int], int]) -> bytes:
    return bytes(code(sample) for sample in (*range(32768), *range(-32768, 0)))


def _mulaw_value(code: int) -> int:
    code ^= 0xFF
    segment, step = code >> 4 & 7, code & 15
    magnitude = ((2 * step + _MULAW_BIAS) << segment) - _MULAW_BIAS
    return 4 * (-magnitude if code & 0x80 else magnitude)


def _mulaw_code(sample: int) -> int:
    magnitude = min(abs(sample) >> 2, _MULAW_MOST) + _MULAW_BIAS
    segment = magnitude.bit_length() - 6
    code = segment << 4 | magnitude >> (segment + 1) & 15
    return code ^ (0x7F if sample < 0 else 0xFF)


def _alaw_value(code: int) -> int:
    code ^= 0x55
    segment, step = code >> 4 & 7, code & 15
    magnitude = (2 * step + 33) << (segment - 1) if segment else 2 * step + 1
    return 8 * (magnitude if code & 0x80 else -magnitude)


def _alaw_code(sample: int) -> int:
    magnitude = min(abs(sample) >> 3, _ALAW_MOST)
    segment = max(magnitude.bit_length() - 5, 0)
    code = segment << 4 | magnitude >> max(segment, 1) & 15
    return code ^ (0x55 if sample < 0 else 0xD5)
