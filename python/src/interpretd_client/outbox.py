"""What a session has to say to the daemon, and may have to say again."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from ._proto.interpreter_pb2 import Acknowledge, AudioChunk, Control, InterpretRequest
from .errors import ProtocolError


@dataclass(frozen=True)
class _Item:
    request: InterpretRequest
    #: Of a chunk of audio, its sequence number; of a control, that of the chunk after it.
    sequence: int
    is_audio: bool
    size: int

    def is_heard(self, next_sequence: int) -> bool:
        """Whether the daemon, which waits for chunk `next_sequence`, has certainly had it."""
        # A control went before the chunk after it. Whether it arrived where that chunk did not cannot
        # be known: it is sent again, since asking twice for the same changes nothing.
        return self.sequence < next_sequence


class Outbox:
    """Requests in order: those that were sent and may be lost, then those to send.

    With `keep`, what was sent is kept until the daemon has heard it. Bounded: `audio` waits while more
    than `capacity` bytes are held.
    """

    def __init__(self, *, keep: bool, capacity: int) -> None:
        self._keep = keep
        self._capacity = capacity
        self._items: deque[_Item] = deque()
        self._size = 0
        self._sent = 0
        self._next_sequence = 0
        self._acknowledge = 0
        self._closed = False
        self._changed = asyncio.Condition()

    async def audio(self, data: bytes) -> None:
        """Adds a chunk of audio."""
        async with self._changed:
            await self._changed.wait_for(lambda: self._size < self._capacity)
            chunk = AudioChunk(sequence=self._next_sequence, data=data)
            request = InterpretRequest(audio=chunk)
            self._add(_Item(request, self._next_sequence, is_audio=True, size=len(data)))
            self._next_sequence += 1

    async def control(self, control: Control) -> None:
        """Adds something that is not audio, at this place in the audio."""
        async with self._changed:
            request = InterpretRequest(control=control)
            self._add(_Item(request, self._next_sequence, is_audio=False, size=request.ByteSize()))

    async def acknowledge(self, number: int) -> None:
        """Has the daemon told, before anything else, which response was the last to come."""
        async with self._changed:
            self._acknowledge = number
            self._changed.notify_all()

    async def keep_nothing(self) -> None:
        """From here on, and of what was sent already: the daemon cannot go on with this session."""
        async with self._changed:
            self._keep = False
            while self._sent:
                self._forget()
            self._changed.notify_all()

    async def close(self) -> None:
        """Nothing more will be added."""
        async with self._changed:
            self._closed = True
            self._changed.notify_all()

    async def heard(self, next_sequence: int) -> None:
        """Forgets what the daemon has heard: all before chunk `next_sequence`."""
        async with self._changed:
            while self._sent and self._items and self._items[0].is_heard(next_sequence):
                self._forget()
            self._changed.notify_all()

    async def rewind(self, next_sequence: int) -> None:
        """Goes back to chunk `next_sequence`: what lies before it was heard, the rest is sent again."""
        async with self._changed:
            held = next((item.sequence for item in self._items if item.is_audio), self._next_sequence)
            if not held <= next_sequence <= self._next_sequence:
                raise ProtocolError(
                    f"the daemon wants audio from chunk {next_sequence} on; {held} to "
                    f"{self._next_sequence} can be sent"
                )
            while self._items and self._items[0].is_heard(next_sequence):
                self._forget()
            self._sent = 0
            self._changed.notify_all()

    async def next(self) -> InterpretRequest | None:
        """The next request to send; None: all were sent, and there will be no more."""
        async with self._changed:
            await self._changed.wait_for(self._has_next)
            if self._acknowledge:
                acknowledge = Acknowledge(last_response=self._acknowledge)
                self._acknowledge = 0
                return InterpretRequest(control=Control(acknowledge=acknowledge))
            if self._sent == len(self._items):
                return None
            request = self._items[self._sent].request
            self._sent += 1
            if not self._keep:
                self._forget()
                self._changed.notify_all()
            return request

    def _has_next(self) -> bool:
        return bool(self._acknowledge) or self._sent < len(self._items) or self._closed

    def _add(self, item: _Item) -> None:
        self._items.append(item)
        self._size += item.size
        self._changed.notify_all()

    def _forget(self) -> None:
        self._size -= self._items.popleft().size
        self._sent = max(self._sent - 1, 0)
