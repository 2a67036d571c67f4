"""Keys that are told beside the audio become tones in it, as the daemon and the other telephone know them."""

from __future__ import annotations

import math
from array import array
from typing import TYPE_CHECKING

from interpretd_client import g711
from interpretd_client._proto.interpreter_pb2 import AUDIO_ENCODING_ALAW, AUDIO_ENCODING_MULAW

if TYPE_CHECKING:
    from interpretd_client._proto.interpreter_pb2 import AudioFormat

#: ITU-T Q.23: the frequencies of a key's row and column.
_ROWS = (697, 770, 852, 941)
_COLUMNS = (1209, 1336, 1477, 1633)
_KEYS = ("123A", "456B", "789C", "*0#D")
#: Twice what ITU-T Q.24 asks of the shortest tone and pause.
_TONE = 0.1
_PAUSE = 0.08
#: Of full scale, each of the two.
_LEVEL = 0.2
#: Keys that may wait for their tone.
_WAITING = 32


class Tones:
    """Puts tones in the place of a leg's audio."""

    def __init__(self, audio_format: AudioFormat) -> None:
        self._format = audio_format
        self._pending = bytearray()
        self._most = _WAITING * len(self._tone("0"))

    def press(self, key: str) -> bool:
        """A key's tone begins with the next frame, after those that wait. False: it is no key."""
        if len(key) != 1 or not any(key in row for row in _KEYS):
            return False
        if len(self._pending) < self._most:
            self._pending += self._tone(key)
        return True

    def over(self, frame: bytes) -> bytes:
        """The frame, with what tones there are in its place."""
        if not self._pending:
            return frame
        tone = bytes(self._pending[: len(frame)])
        del self._pending[: len(frame)]
        return tone + frame[len(tone) :]

    def _tone(self, key: str) -> bytes:
        rate = self._format.sample_rate_hz
        row = next(i for i, keys in enumerate(_KEYS) if key in keys)
        turns = [2 * math.pi * f / rate for f in (_ROWS[row], _COLUMNS[_KEYS[row].index(key)])]
        found = array("h", bytes(2 * round(rate * (_TONE + _PAUSE))))
        for i in range(round(rate * _TONE)):
            found[i] = round(32767 * _LEVEL * sum(math.sin(i * turn) for turn in turns))
        data = g711.linear(found)
        if self._format.encoding == AUDIO_ENCODING_MULAW:
            return g711.linear_to_mulaw(data)
        if self._format.encoding == AUDIO_ENCODING_ALAW:
            return g711.linear_to_alaw(data)
        return data
