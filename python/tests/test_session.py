"""A session over a connection that holds."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import grpc
import pytest
from fake_daemon import FakeDaemon, serving

import interpretd_client as client
from interpretd_client import SessionConfig, Target, linear16

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONFIG = SessionConfig(source_language="fr", audio_format=linear16(16000), targets=[Target(language="en")])


async def chunks(*data: bytes) -> AsyncIterator[bytes]:
    for piece in data:
        yield piece


async def endless() -> AsyncIterator[bytes]:
    while True:
        yield b"\0\0"
        await asyncio.sleep(0.005)


def words(events: list[client.Event]) -> list[str]:
    return [event.committed.strip() for event in events if isinstance(event, client.SourceText)]


async def test_all_audio_is_interpreted() -> None:
    daemon = FakeDaemon()
    async with serving(daemon) as address, client.connect(address) as connected:
        events = [event async for event in connected.interpret(CONFIG, chunks(b"\1\2", b"", b"\3\4"))]
    assert isinstance(events[0], client.SessionStarted)
    assert isinstance(events[-1], client.SessionEnded)
    assert words(events) == ["0102", "0304"]


async def test_large_audio_goes_in_pieces_of_whole_samples() -> None:
    daemon = FakeDaemon()
    config = SessionConfig(audio_format=linear16(48000, 3), targets=CONFIG.targets)
    data = bytes(6 * 200_000)
    async with serving(daemon) as address, client.connect(address) as connected:
        async for _ in connected.interpret(config, chunks(data)):
            pass
    assert daemon.latest is not None
    sizes = [len(chunk) for chunk in daemon.latest.chunks]
    assert sum(sizes) == len(data)
    assert all(size <= 1 << 20 and size % 6 == 0 for size in sizes)


async def test_controls_are_answered_among_the_events() -> None:
    daemon = FakeDaemon()
    async with (
        serving(daemon) as address,
        client.connect(address) as connected,
        connected.interpret(CONFIG, endless()) as session,
    ):
        await session.add_target(Target(language="pt"))
        await session.set_glossary([client.GlossaryTerm(source="a", target="b")], ["Kokoro"])
        await session.remove_target("en")
        await session.end_utterance()
        answers = 0
        async for event in session:
            answers += isinstance(event, client.SessionChanged)
            if answers == 4:
                break
    assert daemon.latest is not None
    asked = [control.WhichOneof("control") for control in daemon.latest.controls]
    assert asked == ["add_target", "set_glossary", "remove_target", "end_utterance"]


async def test_a_failing_source_fails_the_session() -> None:
    async def broken() -> AsyncIterator[bytes]:
        yield b"\0\0"
        raise OSError("the microphone is gone")

    async with serving(FakeDaemon()) as address, client.connect(address) as connected:
        with pytest.raises(OSError, match="the microphone is gone"):
            async for _ in connected.interpret(CONFIG, broken()):
                pass


async def test_a_cancelled_source_fails_the_session() -> None:
    async def cancelled() -> AsyncIterator[bytes]:
        yield b"\0\0"
        raise asyncio.CancelledError

    async with serving(FakeDaemon()) as address, client.connect(address) as connected:
        with pytest.raises(client.InterpretdError, match="was cancelled"):
            async for _ in connected.interpret(CONFIG, cancelled()):
                pass


async def test_leaving_a_session_ends_its_source() -> None:
    ended = asyncio.Event()

    async def source() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"\0\0"
                await asyncio.sleep(0.001)
        finally:
            ended.set()

    async with serving(FakeDaemon()) as address, client.connect(address) as connected:
        async with connected.interpret(CONFIG, source()) as session:
            async for _ in session:
                break
        await asyncio.wait_for(ended.wait(), 5)
        assert [event async for event in session] == []


async def test_who_waits_for_an_event_is_let_go_when_the_session_is_closed() -> None:
    async def silent() -> AsyncIterator[bytes]:
        await asyncio.Event().wait()
        yield b""

    async with serving(FakeDaemon()) as address, client.connect(address) as connected:
        session = connected.interpret(CONFIG, silent())
        await anext(session)
        waiting = asyncio.ensure_future(anext(session))
        await asyncio.sleep(0.05)
        await session.aclose()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(waiting, 5)


async def test_a_refusal_has_reason_and_time() -> None:
    config = SessionConfig(source_language="xx", targets=CONFIG.targets)
    async with serving(FakeDaemon()) as address, client.connect(address) as connected:
        with pytest.raises(client.Busy) as refused:
            async for _ in connected.interpret(config, endless()):
                pass
        assert refused.value.reason == "full"
        assert refused.value.retry_after == 2.5
        assert "try again in 2.5 s" in str(refused.value)
        with pytest.raises(client.Refused) as bad:
            async for _ in connected.interpret(SessionConfig(), endless()):
                pass
        assert bad.value.reason == "bad-config"
        assert bad.value.code is grpc.StatusCode.INVALID_ARGUMENT


async def test_a_daemon_that_does_not_hear_holds_up_the_source_not_the_memory() -> None:
    taken = 0

    async def flood() -> AsyncIterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield bytes(1 << 20)

    daemon = FakeDaemon()
    async with serving(daemon) as address, client.connect(address) as connected:
        config = SessionConfig(audio_format=linear16(16000), targets=CONFIG.targets, resumable=True)
        async with connected.interpret(config, flood()) as session:
            await anext(session)
            assert daemon.latest is not None
            daemon.latest.hearing.clear()
            heard = len(daemon.latest.chunks)
            before = -1
            while taken != before:
                before = taken
                await asyncio.sleep(0.3)
    assert taken < heard + 40
