"""What is said between a session and the daemon, over as many connections as it takes."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Protocol

import grpc

from ._proto.interpreter_pb2 import (
    Heartbeat,
    InterpretRequest,
    InterpretResponse,
    Resume,
    Resumed,
    SessionConfig,
    SessionEnded,
    SessionStarted,
)
from .errors import InterpretdError, Interrupted, ProtocolError, is_lost, translate
from .link import Link, Silent
from .messages import Event, event_of

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from .outbox import Outbox

#: A resumable session hears a Heartbeat every second; after so long without one, its connection is dead.
_SILENCE = 10.0
#: For one try to resume.
_TRY = 5.0
#: Responses after which the daemon is told at the latest that they came.
_UNACKNOWLEDGED = 32


class Dial(Protocol):
    """Opens a stream to the daemon."""

    @property
    def address(self) -> str:
        """Where the daemon is, for people."""

    def __call__(self, *, fresh: bool) -> Link:
        """`fresh`: over a connection of its own."""


class Conversation:
    """A session as a stream of events: no response comes twice, and none is lost."""

    def __init__(self, dial: Dial, config: SessionConfig, outbox: Outbox, resume_within: float) -> None:
        self._dial = dial
        self._config = config
        self._outbox = outbox
        self._resume_within = resume_within
        self._token = ""
        self._last = 0
        self._acknowledged = 0
        self._begun = False

    async def events(self) -> AsyncGenerator[Event, None]:
        """All events to the session's end."""
        link = self._dial(fresh=False)
        try:
            await link.open(InterpretRequest(config=self._config))
            link.send(self._outbox)
            while True:
                try:
                    response = await link.receive(_SILENCE if self._token else None)
                    if response is None:
                        raise Interrupted("the daemon closed the stream before the session's end")
                except (grpc.aio.AioRpcError, Silent) as lost:
                    if not self._token or not _may_resume(lost):
                        raise self._error(lost) from lost
                    await link.close()
                    link, resumed = await self._resume(lost)
                    yield resumed
                    continue
                event = await self._accept(response)
                if event is not None:
                    yield event
                    if isinstance(event, SessionEnded):
                        return
        finally:
            await link.close()

    async def _accept(self, response: InterpretResponse) -> Event | None:
        """What is new in a response."""
        self._begun = True
        number = response.number
        if number:
            if number <= self._last:
                return None
            if number != self._last + 1:
                raise ProtocolError(f"response {number} came after {self._last}")
            self._last = number
        event = event_of(response)
        if isinstance(event, SessionStarted):
            self._token = event.resume_token
            if not self._token:
                await self._outbox.keep_nothing()
        beat = isinstance(event, Heartbeat)
        if self._token and isinstance(event, Heartbeat):
            await self._outbox.heard(event.next_audio_sequence)
        behind = self._last - self._acknowledged
        if self._token and behind >= (1 if beat else _UNACKNOWLEDGED):
            self._acknowledged = self._last
            await self._outbox.acknowledge(self._last)
        return event

    async def _resume(self, lost: Exception) -> tuple[Link, Resumed]:
        """Connects again and goes on."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._resume_within
        pause = 0.1
        while True:
            link = self._dial(fresh=True)
            try:
                left = max(deadline - loop.time(), 0.1)
                return link, await self._go_on(link, min(left, _TRY))
            except (grpc.aio.AioRpcError, Silent) as error:
                await link.close()
                if not _may_resume(error):
                    raise Interrupted(
                        f"the connection to the daemon at {self._dial.address} was lost, and the session "
                        f"cannot be gone on with: {self._error(error)}"
                    ) from error
                if loop.time() + pause >= deadline:
                    raise Interrupted(
                        f"the connection to the daemon at {self._dial.address} was lost ({_brief(lost)}) and "
                        f"did not come back in {self._resume_within:g} s"
                    ) from error
            except BaseException:
                await link.close()
                raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, 1.0)

    async def _go_on(self, link: Link, within: float) -> Resumed:
        resume = Resume(token=self._token, last_response=self._last)
        await link.open(InterpretRequest(resume=resume))
        response = await link.receive(within)
        if response is None:
            raise Interrupted("the daemon closed the stream before it said where to go on")
        resumed = event_of(response)
        if not isinstance(resumed, Resumed):
            raise ProtocolError("a resumed session began with something else than Resumed")
        await self._outbox.rewind(resumed.next_audio_sequence)
        link.send(self._outbox)
        return resumed

    def _error(self, error: Exception) -> InterpretdError:
        if isinstance(error, grpc.aio.AioRpcError):
            return translate(error, self._dial.address, begun=self._begun)
        return Interrupted(f"the daemon at {self._dial.address} is silent: {error}")


def _may_resume(error: Exception) -> bool:
    return isinstance(error, Silent) or (isinstance(error, grpc.aio.AioRpcError) and is_lost(error))


def _brief(error: Exception) -> str:
    if isinstance(error, grpc.aio.AioRpcError):
        return error.details() or error.code().name
    return str(error)
