"""A scripted daemon: what the protocol promises, without any model.

It "recognises" every chunk of audio as one word, its first bytes in hexadecimal, and gives a call's ears
what the other leg said last.
"""

from __future__ import annotations

import asyncio
import secrets
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import grpc

from interpretd_client._proto import interpreter_pb2 as pb
from interpretd_client._proto import interpreter_pb2_grpc as rpc

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    Context = grpc.aio.ServicerContext[Any, Any]

#: Chunks after which a resumable session sends a Heartbeat; the real daemon sends one a second.
HEARTBEAT_EVERY = 5


async def refuse(context: Context, code: grpc.StatusCode, reason: str, retry_ms: str = "") -> None:
    trailing = [("interpret-reason", reason)]
    if retry_ms:
        trailing.append(("grpc-retry-pushback-ms", retry_ms))
    await context.abort(code, f"refused: {reason}", tuple(trailing))


@dataclass
class FakeSession:
    """One session; outlives its connections where it is resumable."""

    config: pb.SessionConfig
    token: str
    responses: list[pb.InterpretResponse] = field(default_factory=list)
    acknowledged: int = 0
    chunks: list[bytes] = field(default_factory=list)
    controls: list[pb.Control] = field(default_factory=list)
    ended: bool = False
    changed: asyncio.Condition = field(default_factory=asyncio.Condition)
    resumed: int = 0
    #: Cleared: nothing more is heard.
    hearing: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.hearing.set()

    async def say(self, response: pb.InterpretResponse) -> None:
        async with self.changed:
            if self.token:
                response.number = len(self.responses) + 1
            self.responses.append(response)
            self.changed.notify_all()

    async def hear(self, requests: AsyncIterator[pb.InterpretRequest]) -> None:
        async for request in requests:
            await self.hearing.wait()
            if request.HasField("audio"):
                assert request.audio.sequence == len(self.chunks), "a gap or repetition in the audio"
                self.chunks.append(request.audio.data)
                text = pb.SourceText(committed=f" {request.audio.data[:8].hex()}")
                await self.say(pb.InterpretResponse(source_text=text))
            elif request.control.HasField("acknowledge"):
                assert request.control.acknowledge.last_response <= len(self.responses)
                self.acknowledged = max(self.acknowledged, request.control.acknowledge.last_response)
            else:
                self.controls.append(request.control)
                targets = [t for t in [request.control.add_target.target] if t.language]
                changed = pb.SessionChanged(targets=targets)
                await self.say(pb.InterpretResponse(session_changed=changed))
        # A lost connection looks like a closed stream at first; the cancellation comes a moment later.
        await asyncio.sleep(0.05)
        ended = pb.SessionEnded(source_ms=len(self.chunks), reason=pb.END_REASON_FINISHED)
        self.ended = True
        await self.say(pb.InterpretResponse(session_ended=ended))

    def _has_more(self, after: int) -> bool:
        return len(self.responses) > after

    async def tell(self, after: int) -> AsyncIterator[pb.InterpretResponse]:
        assert after >= self.acknowledged, "what was acknowledged is gone"
        while True:
            async with self.changed:
                await self.changed.wait_for(partial(self._has_more, after))
            for response in self.responses[after:]:
                after += 1
                yield response
                if response.HasField("session_ended"):
                    return
                if self.token and after % HEARTBEAT_EVERY == 0:
                    beat = pb.Heartbeat(source_ms=len(self.chunks), next_audio_sequence=len(self.chunks))
                    yield pb.InterpretResponse(heartbeat=beat)


class FakeDaemon(rpc.InterpreterServicer):
    def __init__(self) -> None:
        self.sessions: dict[str, FakeSession] = {}
        self.latest: FakeSession | None = None
        self.calls: list[pb.CallConfig] = []
        self.call_audio: list[list[bytes]] = [[], []]
        #: What is left to hear at the end, for each ear; comes all at once.
        self.call_rest: list[list[bytes]] = [[], []]
        self.call_events: asyncio.Queue[pb.CallResponse] = asyncio.Queue()
        self.call_refused: tuple[grpc.StatusCode, str, str] | None = None
        self.metadata: dict[str, str | bytes] = {}
        self.resume_refused = ""
        #: Responses that come again when a session is resumed; negative: that do not come.
        self.repeated = 0

    async def Interpret(
        self, request_iterator: AsyncIterator[pb.InterpretRequest], context: Context
    ) -> AsyncIterator[pb.InterpretResponse]:
        self.metadata = dict(context.invocation_metadata() or ())
        first = await anext(aiter(request_iterator))
        if first.HasField("resume"):
            session = self.sessions.get(first.resume.token)
            if session is None or self.resume_refused:
                await refuse(context, grpc.StatusCode.NOT_FOUND, self.resume_refused or "no-session")
                raise AssertionError
            session.resumed += 1
            after = first.resume.last_response - self.repeated
            session.acknowledged = min(session.acknowledged, after)
        else:
            session, after = await self._open(first.config, context), 0
        hearing = asyncio.create_task(session.hear(request_iterator))
        try:
            if first.HasField("resume"):
                resumed = pb.Resumed(next_audio_sequence=len(session.chunks))
                yield pb.InterpretResponse(resumed=resumed)
            async for response in session.tell(after):
                yield response
        finally:
            hearing.cancel()
            await asyncio.gather(hearing, return_exceptions=True)

    async def _open(self, config: pb.SessionConfig, context: Context) -> FakeSession:
        if not config.targets:
            await refuse(context, grpc.StatusCode.INVALID_ARGUMENT, "bad-config")
        if config.source_language == "xx":
            await refuse(context, grpc.StatusCode.RESOURCE_EXHAUSTED, "full", "2500")
        token = secrets.token_hex(8) if config.resumable else ""
        session = self.latest = FakeSession(config, token)
        self.sessions[token] = session
        started = pb.SessionStarted(session_id="s", targets=config.targets, resume_token=token)
        await session.say(pb.InterpretResponse(session_started=started))
        return session

    async def Listen(
        self, request: pb.ListenRequest, context: Context
    ) -> AsyncIterator[pb.InterpretResponse]:
        if not request.room.endswith("hall"):
            await refuse(context, grpc.StatusCode.NOT_FOUND, "no-room")
        target = pb.Target(language=request.language, captions_only=request.captions_only)
        yield pb.InterpretResponse(session_started=pb.SessionStarted(targets=[target]))
        yield pb.InterpretResponse(translated_text=pb.TranslatedText(committed=" Hello"))
        yield pb.InterpretResponse(session_ended=pb.SessionEnded())

    async def Call(
        self, request_iterator: AsyncIterator[pb.CallRequest], context: Context
    ) -> AsyncIterator[pb.CallResponse]:
        first = await anext(aiter(request_iterator))
        if self.call_refused is not None:
            await refuse(context, *self.call_refused)
        self.calls.append(first.config)
        yield pb.CallResponse(started=pb.CallStarted(call_id="c", legs=first.config.legs))
        said = [b"", b""]
        async for request in request_iterator:
            if request.HasField("set_glossary"):
                changed = pb.SessionChanged(
                    glossary_terms=len(request.set_glossary.glossary),
                    hot_words=len(request.set_glossary.hot_words),
                )
                for leg in range(2):
                    event = pb.InterpretResponse(session_changed=changed)
                    yield pb.CallResponse(event=pb.CallEvent(leg=leg, event=event))
                continue
            audio = request.audio
            assert audio.sequence == len(self.call_audio[audio.leg]), "a gap in a leg's audio"
            self.call_audio[audio.leg].append(audio.data)
            said[audio.leg] = audio.data
            while not self.call_events.empty():
                yield self.call_events.get_nowait()
            # Silence of the same length until the other leg has spoken.
            ear = said[1 - audio.leg]
            ear = ear[: len(audio.data)].ljust(len(audio.data), b"\0")
            yield pb.CallResponse(audio=pb.CallAudio(leg=audio.leg, sequence=audio.sequence, data=ear))
        while not self.call_events.empty():
            yield self.call_events.get_nowait()
        for leg, rest in enumerate(self.call_rest):
            for count, data in enumerate(rest):
                sequence = len(self.call_audio[leg]) + count
                yield pb.CallResponse(audio=pb.CallAudio(leg=leg, sequence=sequence, data=data))
        yield pb.CallResponse(ended=pb.CallEnded(legs=[pb.SessionEnded(), pb.SessionEnded()]))

    async def GetCapacity(self, request: pb.GetCapacityRequest, context: Context) -> pb.GetCapacityResponse:
        return pb.GetCapacityResponse(sessions=1, sessions_max=8, accepting=True)

    async def ListLanguages(
        self, request: pb.ListLanguagesRequest, context: Context
    ) -> pb.ListLanguagesResponse:
        self.metadata = dict(context.invocation_metadata() or ())
        if self.metadata.get("authorization") == "Bearer wrong":
            await refuse(context, grpc.StatusCode.UNAUTHENTICATED, "unauthenticated")
        return pb.ListLanguagesResponse(pairs=[pb.LanguagePair(source="fr", target="en", speech=True)])

    async def ListVoices(self, request: pb.ListVoicesRequest, context: Context) -> pb.ListVoicesResponse:
        voices = [pb.Voice(name="v-en", language="en"), pb.Voice(name="v-fr", language="fr")]
        wanted = [v for v in voices if request.language in ("", v.language)]
        return pb.ListVoicesResponse(voices=wanted)


@asynccontextmanager
async def serving(
    daemon: FakeDaemon, address: str = "127.0.0.1:0", tls: grpc.ServerCredentials | None = None
) -> AsyncIterator[str]:
    """Serves the daemon; gives its address."""
    server = grpc.aio.server()
    rpc.add_InterpreterServicer_to_server(daemon, server)
    port = server.add_secure_port(address, tls) if tls else server.add_insecure_port(address)
    await server.start()
    try:
        yield address if address.startswith("unix:") else f"127.0.0.1:{port}"
    finally:
        await server.stop(None)
