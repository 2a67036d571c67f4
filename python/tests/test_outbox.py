"""What is kept to be said again."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpretd_client import ProtocolError
from interpretd_client._proto import interpreter_pb2 as pb
from interpretd_client.outbox import Outbox

END_UTTERANCE = pb.Control(end_utterance=pb.EndUtterance())


def named(name: str) -> pb.Control:
    return pb.Control(remove_target=pb.RemoveTarget(language=name))


async def filled(adds: list[str]) -> Outbox:
    """An outbox with requests that are named by their place."""
    box = Outbox(keep=True, capacity=1 << 20)
    for number, kind in enumerate(adds):
        if kind == "audio":
            await box.audio(bytes([number]))
        else:
            await box.control(named(str(number)))
    await box.close()
    return box


@given(
    st.lists(st.sampled_from(["audio", "control"]), max_size=30),
    st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=8),
)
def test_whatever_is_lost_arrives_in_order(adds: list[str], losses: list[tuple[int, int]]) -> None:
    """Some requests are sent, of which the daemon gets some; then the connection breaks; again and again."""

    async def run() -> None:
        box = await filled(adds)
        audio: list[int] = []
        controls: list[str] = []

        def arrive(request: pb.InterpretRequest) -> None:
            if request.HasField("audio"):
                assert request.audio.sequence == len(audio)
                audio.append(request.audio.data[0])
            else:
                controls.append(request.control.remove_target.language)

        for sent, arrived in losses:
            for count in range(sent):
                request = await box.next()
                if request is None:
                    break
                if count < arrived:
                    arrive(request)
                    await box.heard(len(audio))
            await box.rewind(len(audio))
        while (request := await box.next()) is not None:
            arrive(request)
        assert audio == [number for number, kind in enumerate(adds) if kind == "audio"]
        wanted = [str(number) for number, kind in enumerate(adds) if kind == "control"]
        assert list(dict.fromkeys(controls)) == wanted

    asyncio.run(run())


async def test_audio_waits_while_too_much_is_kept() -> None:
    box = Outbox(keep=True, capacity=10)
    await box.audio(bytes(6))
    await box.audio(bytes(6))
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(box.audio(bytes(6)), 0.02)
    # Being sent is not being heard.
    await box.next()
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(box.audio(bytes(6)), 0.02)
    await box.heard(1)
    await asyncio.wait_for(box.audio(bytes(6)), 1)


async def test_nothing_is_kept_that_cannot_be_resumed() -> None:
    box = Outbox(keep=False, capacity=10)
    for _ in range(100):
        await box.audio(bytes(9))
        assert await box.next() is not None
    assert not box._items
    box = Outbox(keep=True, capacity=10)
    await box.audio(bytes(9))
    await box.next()
    await box.keep_nothing()
    for _ in range(100):
        await asyncio.wait_for(box.audio(bytes(9)), 1)
        assert await box.next() is not None
    assert not box._items


async def test_acknowledging_goes_before_all_else_and_is_not_repeated() -> None:
    box = Outbox(keep=True, capacity=10)
    await box.audio(b"x")
    await box.acknowledge(3)
    await box.acknowledge(7)
    first, second = await box.next(), await box.next()
    assert first is not None
    assert second is not None
    assert first.control.acknowledge.last_response == 7
    assert second.HasField("audio")
    await box.rewind(0)
    again = await box.next()
    assert again is not None
    assert again.HasField("audio")


async def test_a_daemon_that_wants_what_is_gone_is_told_apart() -> None:
    box = Outbox(keep=True, capacity=10)
    for _ in range(3):
        await box.audio(b"x")
        await box.next()
    await box.heard(2)
    await box.control(END_UTTERANCE)
    for wanted in (1, 4):
        with pytest.raises(ProtocolError, match="2 to 3 can be sent"):
            await box.rewind(wanted)
    await box.rewind(2)
