"""One telephone of a call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from interpretd_client._proto.interpreter_pb2 import (
    AUDIO_ENCODING_ALAW,
    AUDIO_ENCODING_MULAW,
    BARGE_IN_STOP,
    CallLeg,
)
from interpretd_client.messages import frame_bytes

from .frames import FrameQueue
from .tones import Tones

if TYPE_CHECKING:
    from collections.abc import Callable

#: Frames that may wait in either direction; 1 s where they have 20 ms.
_FRAMES = 50
_SILENCE = {AUDIO_ENCODING_MULAW: b"\xff", AUDIO_ENCODING_ALAW: b"\xd5"}


class Leg:
    """What a telephone's protocol and the bridge have in common: audio both ways, and an end."""

    def __init__(self, config: CallLeg, on_stop: Callable[[], None] | None = None) -> None:
        self.config = config
        #: From the telephone to the daemon.
        self.heard = FrameQueue(_FRAMES)
        #: From the daemon to the telephone; closed when the call is over.
        self.ear = FrameQueue(_FRAMES)
        #: Whether the daemon interprets; until then the telephone hears silence.
        self.live = False
        #: Frames that the daemon was sent.
        self.sent = 0
        #: Set when the telephone has hung up.
        self.gone = asyncio.Event()
        self._on_stop = on_stop
        self._tones = Tones(config.audio_format)

    def hear(self, frame: bytes) -> None:
        """Takes a frame of whole samples from the telephone."""
        if self.live:
            self.heard.put(self._tones.over(frame))
        else:
            self.ear.put(self._silence(len(frame)))

    def press(self, key: str) -> bool:
        """A key was pressed on the telephone. False: there is no such key."""
        return self._tones.press(key)

    def hang_up(self) -> None:
        """The telephone is gone."""
        self.gone.set()
        self.heard.close()

    def end(self) -> None:
        """The call is over."""
        self.heard.close()
        self.ear.close()

    def speaks(self) -> None:
        """Somebody begins to speak here: a translation that is being heard stops, where it is to."""
        if self.config.barge_in != BARGE_IN_STOP:
            return
        self.ear.clear()
        if self._on_stop is not None:
            self._on_stop()

    def seconds(self, frame: bytes) -> float:
        """How long a frame is."""
        audio_format = self.config.audio_format
        return len(frame) / frame_bytes(audio_format) / audio_format.sample_rate_hz

    def silence(self, seconds: float) -> bytes:
        """A frame of silence."""
        audio_format = self.config.audio_format
        return self._silence(round(audio_format.sample_rate_hz * seconds) * frame_bytes(audio_format))

    def _silence(self, size: int) -> bytes:
        return _SILENCE.get(self.config.audio_format.encoding, b"\0") * size
