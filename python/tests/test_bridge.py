"""What bridges are made of."""

from __future__ import annotations

import asyncio
import math
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from interpretd_client import CallLeg, linear16, mulaw
from interpretd_client._proto import interpreter_pb2 as pb
from interpretd_client.bridges import cadence
from interpretd_client.bridges.cadence import Cadence
from interpretd_client.bridges.frames import FrameQueue
from interpretd_client.bridges.leg import Leg
from interpretd_client.bridges.tones import Tones
from interpretd_client.g711 import mulaw_to_linear, samples

if TYPE_CHECKING:
    from array import array


@given(st.lists(st.one_of(st.none(), st.integers(0, 255)), max_size=60), st.integers(1, 5))
def test_a_queue_loses_its_oldest_and_counts_them(steps: list[int | None], most: int) -> None:
    async def run() -> None:
        queue, model, lost = FrameQueue(most), [], 0
        for step in steps:
            if step is not None:
                queue.put(bytes([step]))
                model.append(bytes([step]))
                if len(model) > most:
                    del model[0]
                    lost += 1
            elif model:
                assert await queue.take() == model.pop(0)
        queue.close()
        queue.put(b"late")
        assert [await queue.take() for _ in model] == model
        assert await queue.take() is None
        assert queue.dropped == lost

    asyncio.run(run())


async def test_a_queue_can_be_waited_for() -> None:
    queue = FrameQueue(2)
    with pytest.raises(asyncio.TimeoutError):
        await queue.take(0.01)
    taking = asyncio.ensure_future(queue.take(5))
    await asyncio.sleep(0)
    queue.put(b"x")
    assert await taking == b"x"
    taking = asyncio.ensure_future(queue.take())
    await asyncio.sleep(0)
    queue.close()
    assert await taking is None


@given(st.lists(st.floats(0, 0.4), min_size=1, max_size=200))
def test_audio_stays_near_the_time_whenever_it_comes(gaps: list[float]) -> None:
    """Frames of 20 ms come after any pauses, those that are due stand in meanwhile."""
    now = given_seconds = 0.0
    clock = Cadence(now)
    for gap in gaps:
        arrival = now + gap
        while (due := clock.due_in(now)) <= arrival - now:
            now += max(due, 0)
            assert clock.admit(now, 0.02)
            given_seconds += 0.02
        now = arrival
        if clock.admit(now, 0.02):
            given_seconds += 0.02
        assert now - cadence.PATIENCE - 0.021 <= given_seconds <= now + cadence.AHEAD + 1e-9


def test_a_long_hole_is_not_filled() -> None:
    clock = Cadence(0.0)
    assert clock.due_in(60.0) == 0.0
    filled = 0
    while clock.due_in(60.0) <= 0 and clock.admit(60.0, 0.02):
        filled += 1
    assert filled <= 2


def power(found: array[int], rate: int, frequency: float) -> float:
    """Share of the sound's power at a frequency."""
    turn = 2 * math.pi * frequency / rate
    parts = [sum(s * wave(i * turn) for i, s in enumerate(found)) for wave in (math.sin, math.cos)]
    return 2 * sum(part**2 for part in parts) / len(found) / sum(s**2 for s in found)


@pytest.mark.parametrize("audio_format", [linear16(8000), linear16(16000), mulaw()])
def test_a_key_becomes_its_tone(audio_format: pb.AudioFormat) -> None:
    rate, size = audio_format.sample_rate_hz, 2 if audio_format.encoding == pb.AUDIO_ENCODING_LINEAR16 else 1
    tones = Tones(audio_format)
    frame = b"\x55" * (rate // 50 * size)
    assert tones.over(frame) == frame
    assert tones.press("7")
    heard = b"".join(tones.over(frame) for _ in range(10))
    assert heard.endswith(frame)
    data = heard[: round(rate * 0.1) * size]
    found = samples(data if size > 1 else mulaw_to_linear(data))
    assert power(found, rate, 852) == pytest.approx(0.5, abs=0.05)
    assert power(found, rate, 1209) == pytest.approx(0.5, abs=0.05)
    assert not tones.press("x")
    assert not tones.press("12")


def test_a_flood_of_keys_is_bounded() -> None:
    tones = Tones(mulaw())
    for _ in range(10_000):
        tones.press("1")
    assert len(tones._pending) < 60_000


async def test_a_leg_that_is_not_interpreted_hears_silence() -> None:
    for audio_format, silence in ((linear16(8000), 0), (mulaw(), 0xFF)):
        leg = Leg(CallLeg(audio_format=audio_format))
        leg.hear(b"\1" * 320)
        assert await leg.ear.take() == bytes([silence]) * 320


async def test_only_a_leg_that_wants_it_is_stopped() -> None:
    told = []
    for barge_in in (pb.BARGE_IN_DUCK, pb.BARGE_IN_STOP):
        leg = Leg(CallLeg(audio_format=mulaw(), barge_in=barge_in), lambda: told.append(1))
        leg.ear.put(b"x")
        leg.speaks()
        leg.end()
        assert (await leg.ear.take() is None) == (barge_in == pb.BARGE_IN_STOP)
    assert told == [1]
