"""Both sides of a telephone call."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc

from ._proto.interpreter_pb2 import (
    CallAudio,
    CallConfig,
    CallEnded,
    CallRequest,
    CallStarted,
    SetGlossary,
)
from .errors import InterpretdError, ProtocolError, translate
from .messages import CallMessage, message_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Sequence
    from types import TracebackType

    from ._proto.interpreter_pb2 import CallResponse, GlossaryTerm
    from .stream import Stream


class Call:
    """Entering it opens the call; iterate over it for what the daemon says, from CallStarted to CallEnded.

    For every piece of audio that is sent for a leg, a CallAudio of the same length comes back for that
    leg's ear: so each leg must be sent for all the time, silence too.
    """

    def __init__(
        self, dial: Callable[[], Stream[CallRequest, CallResponse]], config: CallConfig, address: str
    ) -> None:
        self._dial = dial
        self._config = config
        self._address = address
        self._stream: Stream[CallRequest, CallResponse] | None = None
        self._writing = asyncio.Lock()
        self._sequences = [0 for _ in config.legs]
        self._started: CallStarted | None = None
        self._first: CallMessage | None = None
        self._over = False

    @property
    def started(self) -> CallStarted:
        """The call as it is served."""
        if self._started is None:
            raise InterpretdError("the call is not open; use 'async with daemon.call(...)'")
        return self._started

    async def __aenter__(self) -> Call:
        try:
            self._stream = self._dial()
            await self._stream.write(CallRequest(config=self._config))
            self._first = self._started = await self._begin()
        except BaseException:
            await self.aclose()
            raise
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def send(self, leg: int, data: bytes) -> None:
        """Sends a piece of a leg's audio: whole samples in its format, at most 64 KiB, commonly 20 ms.

        Does nothing once the call is over; iterating says why it is.
        """
        async with self._writing:
            audio = CallAudio(leg=leg, sequence=self._sequences[leg], data=data)
            self._sequences[leg] += 1
            await self._open_stream().write(CallRequest(audio=audio))

    async def set_glossary(self, glossary: Sequence[GlossaryTerm], hot_words: Sequence[str] = ()) -> None:
        """Replaces the glossary and the hot words of both legs.

        Each leg is answered with a CallEvent: SessionChanged, or a Notice of kind REQUEST_REFUSED.
        """
        terms = SetGlossary(glossary=glossary, hot_words=hot_words)
        async with self._writing:
            await self._open_stream().write(CallRequest(set_glossary=terms))

    async def finish(self) -> None:
        """Says that no more audio comes: what was said is still interpreted, then CallEnded comes."""
        async with self._writing:
            await self._open_stream().done_writing()

    async def aclose(self) -> None:
        """Ends the call now, without waiting for what was said. Does nothing when it is over."""
        self._over = True
        if self._stream is not None:
            self._stream.close()

    def __aiter__(self) -> AsyncIterator[CallMessage]:
        return self

    async def __anext__(self) -> CallMessage:
        if self._first is not None:
            first, self._first = self._first, None
            return first
        message = None if self._over else await self._read()
        if message is None:
            raise StopAsyncIteration
        self._over = isinstance(message, CallEnded)
        return message

    async def _begin(self) -> CallStarted:
        first = await self._read()
        if not isinstance(first, CallStarted):
            raise ProtocolError("a call began with something else than CallStarted")
        return first

    async def _read(self) -> CallMessage | None:
        """The next message that this client knows; None at the end."""
        while True:
            try:
                response = await self._open_stream().read()
            except grpc.aio.AioRpcError as error:
                raise self._error(error) from error
            if response is None:
                return None
            message = message_of(response)
            if message is not None:
                return message

    def _open_stream(self) -> Stream[CallRequest, CallResponse]:
        if self._stream is None:
            raise InterpretdError("the call is not open; use 'async with daemon.call(...)'")
        return self._stream

    def _error(self, error: grpc.aio.AioRpcError) -> InterpretdError:
        return translate(error, self._address, begun=self._started is not None)
