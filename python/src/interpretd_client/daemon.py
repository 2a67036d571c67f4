"""A daemon, and what can be asked of it."""

from __future__ import annotations

import weakref
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import grpc

from ._proto.interpreter_pb2 import (
    CallConfig,
    CallLeg,
    GetCapacityRequest,
    GetCapacityResponse,
    GlossaryTerm,
    LanguagePair,
    ListenRequest,
    ListLanguagesRequest,
    ListVoicesRequest,
    Mode,
    SessionConfig,
    Voice,
)
from ._proto.interpreter_pb2_grpc import InterpreterStub
from .address import Address
from .call import Call
from .channel import Credentials, open_channel
from .errors import InterpretdError, InvalidArgument, translate
from .link import Link
from .messages import Event, event_of
from .session import Session
from .stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Sequence
    from types import TracebackType

    from .channel import File

    Answer = TypeVar("Answer")

#: How long the daemon keeps a session whose connection was lost.
RESUME_WITHIN = 30.0
#: For a question that has one short answer.
_ANSWER = 10.0
_LEGS = 2


def connect(
    address: str,
    *,
    token: str | None = None,
    ca: File | None = None,
    certificate: File | None = None,
    key: File | None = None,
) -> Daemon:
    """The daemon at `address`: `host:port`, `https://host:port` (TLS) or `unix:/path`.

    `token` is shown with every call. `ca` names the file (PEM) with the certificates that the daemon's
    must be signed by, `certificate` and `key` those that a daemon asks for that speaks mutual TLS.
    """
    where = Address.parse(address)
    credentials = Credentials(token=token, ca=ca, certificate=certificate, key=key)
    credentials.check(where)
    return Daemon(where, credentials)


@dataclass(frozen=True)
class _Dial:
    daemon: Daemon
    address: str

    def __call__(self, *, fresh: bool) -> Link:
        channel = self.daemon.open_channel() if fresh else self.daemon.channel
        stream = InterpreterStub(channel).Interpret(metadata=self.daemon.metadata)
        return Link(Stream(stream), channel if fresh else None)


class Daemon:
    """Use it as an async context manager; connect() makes it."""

    def __init__(self, address: Address, credentials: Credentials) -> None:
        self._address = address
        self._credentials = credentials
        self._channel: grpc.aio.Channel | None = None
        self._open: weakref.WeakSet[Session | Call] = weakref.WeakSet()
        self.metadata = credentials.metadata()

    async def __aenter__(self) -> Daemon:
        self._channel = self.open_channel()
        return self

    async def __aexit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        for stream in list(self._open):
            await stream.aclose()
        await self.channel.close()
        self._channel = None

    def open_channel(self) -> grpc.aio.Channel:
        """A connection of its own to the daemon."""
        return open_channel(self._address, self._credentials)

    @property
    def channel(self) -> grpc.aio.Channel:
        """The connection that is shared."""
        if self._channel is None:
            raise InterpretdError("the daemon is not connected; use 'async with connect(...)'")
        return self._channel

    def interpret(
        self,
        config: SessionConfig,
        audio: AsyncIterable[bytes],
        *,
        resume_within: float = RESUME_WITHIN,
    ) -> Session:
        """Interprets one speaker, whose audio is in config.audio_format."""
        dial = _Dial(self, self._address.text)
        session = Session(dial, config, audio, resume_within=resume_within)
        self._open.add(session)
        return session

    def call(
        self,
        legs: Sequence[CallLeg],
        *,
        mode: Mode.ValueType = Mode.MODE_UNSPECIFIED,
        glossary: Sequence[GlossaryTerm] = (),
        hot_words: Sequence[str] = (),
    ) -> Call:
        """Interprets both sides of a telephone call. Use it as an async context manager."""
        if len(legs) != _LEGS:
            raise InvalidArgument(f"a call has two legs, not {len(legs)}")
        config = CallConfig(legs=legs, mode=mode, glossary=glossary, hot_words=hot_words)
        stub = InterpreterStub(self.channel)
        call = Call(lambda: Stream(stub.Call(metadata=self.metadata)), config, self._address.text)
        self._open.add(call)
        return call

    async def listen(
        self, room: str, language: str = "", *, captions_only: bool = False
    ) -> AsyncGenerator[Event, None]:
        """What is said in a room, in one language; without one, the speaker's own words and voice."""
        request = ListenRequest(room=room, language=language, captions_only=captions_only)
        stream = InterpreterStub(self.channel).Listen(request, metadata=self.metadata)
        begun = False
        try:
            async for response in stream:
                begun = True
                event = event_of(response)
                if event is not None:
                    yield event
        except grpc.aio.AioRpcError as error:
            raise translate(error, self._address.text, begun=begun) from error
        finally:
            stream.cancel()

    async def languages(self) -> list[LanguagePair]:
        """What the daemon can interpret, from what into what."""
        stub = InterpreterStub(self.channel)
        question = stub.ListLanguages(ListLanguagesRequest(), metadata=self.metadata, timeout=_ANSWER)
        return list((await self._ask(question)).pairs)

    async def voices(self, language: str = "") -> list[Voice]:
        """The voices the daemon can speak with, in one language or in all."""
        stub = InterpreterStub(self.channel)
        request = ListVoicesRequest(language=language)
        question = stub.ListVoices(request, metadata=self.metadata, timeout=_ANSWER)
        return list((await self._ask(question)).voices)

    async def capacity(self) -> GetCapacityResponse:
        """How much room the daemon has for new sessions."""
        stub = InterpreterStub(self.channel)
        return await self._ask(
            stub.GetCapacity(GetCapacityRequest(), metadata=self.metadata, timeout=_ANSWER)
        )

    async def _ask(self, question: Awaitable[Answer]) -> Answer:
        try:
            return await question
        except grpc.aio.AioRpcError as error:
            raise translate(error, self._address.text, begun=False) from error
