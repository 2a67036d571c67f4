"""One speaker's session: audio in, events out."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator
from typing import TYPE_CHECKING

from ._proto.interpreter_pb2 import (
    AddTarget,
    Control,
    EndUtterance,
    GlossaryTerm,
    RemoveTarget,
    SessionConfig,
    SetGlossary,
    Target,
)
from .conversation import Conversation
from .errors import InterpretdError
from .messages import Event, frame_bytes
from .outbox import Outbox
from .tasks import cancel_all

if TYPE_CHECKING:
    from collections.abc import AsyncIterable, AsyncIterator, Sequence
    from types import TracebackType

    from .conversation import Dial

#: Most bytes of a chunk of audio.
_CHUNK_BYTES = 1 << 20
#: Audio that waits to be sent or to be heard.
_AUDIO_BYTES = 16 << 20
#: Events that wait for the program; then the connection is read no more, and the daemon waits.
_EVENTS = 64


class Session:
    """Iterate over it for what the daemon says; it ends when all audio was interpreted.

    The audio is taken as fast as the daemon takes it, so a live source must bound what it holds.
    What is asked for in mid-session is answered by a SessionChanged, or by a Notice of kind
    REQUEST_REFUSED, among the events.

    A resumable session (SessionConfig.resumable) outlives its connection: it connects again, within
    `resume_within` seconds, and goes on where it was; a Resumed among the events says so.
    """

    def __init__(
        self,
        dial: Dial,
        config: SessionConfig,
        audio: AsyncIterable[bytes],
        *,
        resume_within: float,
    ) -> None:
        self._config = SessionConfig()
        self._config.CopyFrom(config)
        self._audio = audio
        self._outbox = Outbox(keep=config.resumable, capacity=_AUDIO_BYTES)
        self._conversation = Conversation(dial, self._config, self._outbox, resume_within)
        self._events: asyncio.Queue[Event | BaseException | None] = asyncio.Queue(_EVENTS)
        self._running: asyncio.Task[None] | None = None
        self._over = False

    async def add_target(self, target: Target) -> None:
        """Interprets into one more language from here on."""
        await self._outbox.control(Control(add_target=AddTarget(target=target)))

    async def remove_target(self, language: str) -> None:
        """Interprets into one language less; what was said so far is still translated and spoken."""
        await self._outbox.control(Control(remove_target=RemoveTarget(language=language)))

    async def set_glossary(self, glossary: Sequence[GlossaryTerm], hot_words: Sequence[str] = ()) -> None:
        """Replaces the glossary and the hot words."""
        terms = SetGlossary(glossary=glossary, hot_words=hot_words)
        await self._outbox.control(Control(set_glossary=terms))

    async def end_utterance(self) -> None:
        """Ends the current utterance now, as a long pause would."""
        await self._outbox.control(Control(end_utterance=EndUtterance()))

    def __aiter__(self) -> AsyncIterator[Event]:
        return self

    async def __anext__(self) -> Event:
        if self._over:
            raise StopAsyncIteration
        self._start()
        event = await self._events.get()
        if event is None or isinstance(event, BaseException):
            await self.aclose()
            raise StopAsyncIteration if event is None else event
        return event

    async def __aenter__(self) -> Session:
        self._start()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Ends the session now, without waiting for what was heard. Does nothing when it is over."""
        self._over = True
        await cancel_all(self._running)
        if self._events.empty():
            # Whoever waits for an event waits no more.
            self._events.put_nowait(None)

    def _start(self) -> None:
        if self._running is None and not self._over:
            self._running = asyncio.create_task(self._run())

    async def _run(self) -> None:
        feeding = asyncio.create_task(self._feed())
        conversing = asyncio.create_task(self._converse())
        try:
            # Feeding ends early only where the program's audio fails.
            await asyncio.wait({feeding, conversing}, return_when=asyncio.FIRST_COMPLETED)
            if feeding.done():
                _raise_what_failed(feeding)
            await conversing
        except Exception as error:  # noqa: BLE001 - goes to whoever iterates
            await self._events.put(error)
        else:
            await self._events.put(None)
        finally:
            await cancel_all(feeding, conversing)

    async def _converse(self) -> None:
        async with contextlib.aclosing(self._conversation.events()) as events:
            async for event in events:
                await self._events.put(event)

    async def _feed(self) -> None:
        try:
            async for data in self._audio:
                for piece in _pieces(data, frame_bytes(self._config.audio_format)):
                    await self._outbox.audio(piece)
            await self._outbox.close()
        finally:
            # A generator that waits at a yield is ended too.
            if isinstance(self._audio, AsyncGenerator):
                await self._audio.aclose()


def _raise_what_failed(feeding: asyncio.Task[None]) -> None:
    if feeding.cancelled():
        raise InterpretdError("the source of the audio was cancelled")
    feeding.result()


def _pieces(data: bytes, frame: int) -> list[bytes]:
    """Chunks of whole samples, none of them too large; none at all for no data."""
    most = _CHUNK_BYTES // frame * frame
    return [data[start : start + most] for start in range(0, len(data), most)]
