"""A call over a connection that holds."""

from __future__ import annotations

import asyncio

import grpc
import pytest
from fake_daemon import FakeDaemon, serving

import interpretd_client as client
from interpretd_client import CallAudio, CallEnded, CallEvent, CallLeg, CallStarted, mulaw
from interpretd_client._proto import interpreter_pb2 as pb

LEGS = [CallLeg(language="fr", audio_format=mulaw()), CallLeg(language="en", audio_format=mulaw())]
WORD = pb.CallResponse(
    event=pb.CallEvent(leg=1, event=pb.InterpretResponse(source_text=pb.SourceText(committed=" Hello")))
)


async def test_both_ears_hear_a_piece_for_every_piece() -> None:
    daemon = FakeDaemon()
    daemon.call_events.put_nowait(WORD)
    heard: list[list[bytes]] = [[], []]
    others = []
    async with (
        serving(daemon) as address,
        client.connect(address) as connected,
        connected.call(LEGS, mode=client.Mode.MODE_LOW_LATENCY) as call,
    ):
        assert call.started.call_id == "c"
        for count in range(3):
            await call.send(0, bytes([count + 1]) * 160)
            await call.send(1, bytes([count + 101]) * 160)
        await call.finish()
        async for message in call:
            if isinstance(message, CallAudio):
                heard[message.leg].append(message.data)
            else:
                others.append(message)
        assert [message async for message in call] == []
    assert [len(data) for data in heard[0]] == [160] * 3
    assert [data[0] for data in heard[1]] == [1, 2, 3]
    assert [type(message) for message in others] == [CallStarted, CallEvent, CallEnded]
    event = others[1]
    assert isinstance(event, CallEvent)
    assert client.event_of(event.event) == WORD.event.event.source_text
    assert daemon.calls[0].mode == client.Mode.MODE_LOW_LATENCY
    assert [leg.language for leg in daemon.calls[0].legs] == ["fr", "en"]


async def test_the_glossary_of_both_legs_is_replaced() -> None:
    daemon = FakeDaemon()
    changed = []
    async with (
        serving(daemon) as address,
        client.connect(address) as connected,
        connected.call(LEGS, hot_words=["Kokoro"]) as call,
    ):
        await call.set_glossary([client.GlossaryTerm(source="a", target="b")], ["Riva", "Hibiki"])
        await call.finish()
        async for message in call:
            if isinstance(message, CallEvent):
                event = client.event_of(message.event)
                assert isinstance(event, client.SessionChanged)
                changed.append((message.leg, event.glossary_terms, event.hot_words))
    assert list(daemon.calls[0].hot_words) == ["Kokoro"]
    assert changed == [(0, 1, 2), (1, 1, 2)]


async def test_entering_says_why_a_call_is_refused() -> None:
    daemon = FakeDaemon()
    daemon.call_refused = (grpc.StatusCode.RESOURCE_EXHAUSTED, "full", "700")
    async with serving(daemon) as address, client.connect(address) as connected:
        for _ in range(20):
            with pytest.raises(client.Busy) as refused:
                async with connected.call(LEGS):
                    pass
            assert (refused.value.reason, refused.value.retry_after) == ("full", 0.7)
    with pytest.raises(client.InvalidArgument, match="two legs"):
        connected.call(LEGS[:1])


async def test_a_lost_connection_is_said_where_the_call_is_heard() -> None:
    daemon = FakeDaemon()
    async with client.connect("127.0.0.1:1") as nobody:
        with pytest.raises(client.Unreachable):
            await nobody.call(LEGS).__aenter__()
    call = None
    async with serving(daemon) as address:
        connected = await client.connect(address).__aenter__()
        call = await connected.call(LEGS).__aenter__()
        await anext(call)
    for _ in range(100):
        await call.send(0, bytes(160))
        await asyncio.sleep(0.001)
    with pytest.raises(client.Interrupted):
        await anext(call)
    await connected.__aexit__(None, None, None)


async def test_who_listens_is_let_go_when_the_call_is_closed() -> None:
    async with serving(FakeDaemon()) as address, client.connect(address) as connected:
        call = await connected.call(LEGS).__aenter__()
        await anext(call)
        waiting = asyncio.ensure_future(anext(call))
        await asyncio.sleep(0.05)
        await call.aclose()
        with pytest.raises(StopAsyncIteration):
            await asyncio.wait_for(waiting, 5)
        # Sending into a call that is over harms nobody.
        await call.send(0, bytes(160))


async def test_a_cancelled_listener_stays_cancelled() -> None:
    async with (
        serving(FakeDaemon()) as address,
        client.connect(address) as connected,
        connected.call(LEGS) as call,
    ):
        await anext(call)
        waiting = asyncio.ensure_future(anext(call))
        await asyncio.sleep(0.05)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
