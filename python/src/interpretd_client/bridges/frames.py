"""Audio on its way between a telephone and the daemon."""

from __future__ import annotations

import asyncio
from collections import deque


class FrameQueue:
    """Frames in order, at most `most`: where more come than are taken, the oldest are lost and counted."""

    def __init__(self, most: int) -> None:
        self.dropped = 0
        self._frames: deque[bytes] = deque()
        self._most = most
        self._closed = False
        self._changed = asyncio.Event()

    def put(self, frame: bytes) -> None:
        """Adds a frame; does nothing when the queue is closed."""
        if self._closed:
            return
        if len(self._frames) == self._most:
            self._frames.popleft()
            self.dropped += 1
        self._frames.append(frame)
        self._changed.set()

    async def take(self, within: float | None = None) -> bytes | None:
        """The oldest frame; None: closed, and all were taken. TimeoutError: none came `within` seconds."""
        while not self._frames:
            if self._closed:
                return None
            self._changed.clear()
            await asyncio.wait_for(self._changed.wait(), within)
        return self._frames.popleft()

    def clear(self) -> None:
        """Forgets what was not taken."""
        self._frames.clear()

    def close(self) -> None:
        """Takes no more frames; those that are there can still be taken."""
        self._closed = True
        self._changed.set()
