"""The AudioSocket bridge, with scripted telephones over real sockets."""

from __future__ import annotations

import asyncio
import logging
import uuid
from typing import TYPE_CHECKING

import grpc
import pytest
from bridges import bridging, leg_options
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from interpretd_client._proto import interpreter_pb2 as pb
from interpretd_client.bridges.audiosocket.connection import name_and_leg
from interpretd_client.bridges.audiosocket.frame import DTMF, ERROR, TERMINATE, UUID, Frame, read
from interpretd_client.bridges.audiosocket.server import listening
from interpretd_client.g711 import samples

if TYPE_CHECKING:
    from typing_extensions import Self

CALL = uuid.UUID("40325ec2-5efd-4bd3-805f-53576e581d12")
FRAME = 320


def leg_id(leg: int, call: uuid.UUID = CALL) -> bytes:
    return call.bytes[:-1] + bytes([call.bytes[-1] & 0xFE | leg])


class Telephone:
    """An AudioSocket connection as Asterisk makes it."""

    def __init__(self, address: str, identity: bytes, kind: int = 0x10) -> None:
        self.host, _, port = address.rpartition(":")
        self.port = int(port)
        self.identity = identity
        self.kind = kind
        self.heard: list[Frame] = []
        self.times: list[float] = []

    async def __aenter__(self) -> Self:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        self.send(Frame(UUID, self.identity))
        self.hearing = asyncio.create_task(self._hear())
        return self

    async def __aexit__(self, *_: object) -> None:
        self.hearing.cancel()
        self.writer.close()
        await asyncio.gather(self.hearing, self.writer.wait_closed(), return_exceptions=True)

    def send(self, frame: Frame) -> None:
        self.writer.write(frame.encode())

    async def speak(self, value: int, frames: int, size: int = FRAME) -> None:
        """Sends frames of one value at the speed of speech."""
        start = asyncio.get_running_loop().time()
        for count in range(frames):
            self.send(Frame(self.kind, bytes([value]) * size))
            await asyncio.sleep(max(start + (count + 1) * 0.02 - asyncio.get_running_loop().time(), 0))

    async def _hear(self) -> None:
        while (frame := await read(self.reader)) is not None:
            self.heard.append(frame)
            self.times.append(asyncio.get_running_loop().time())

    async def ended(self) -> None:
        """Waits until the bridge has hung up."""
        await asyncio.wait_for(self.hearing, 5)
        assert self.heard[-1] == Frame(TERMINATE)

    def audio(self) -> list[bytes]:
        return [frame.payload for frame in self.heard if frame.kind == self.kind]


def test_the_last_bit_is_the_leg() -> None:
    assert name_and_leg(leg_id(0)) == (str(CALL), 0)
    assert name_and_leg(leg_id(1)) == (str(CALL), 1)


async def test_a_leg_alone_hears_silence_as_long_as_what_it_says() -> None:
    async with bridging(listening) as bridged, Telephone(bridged.address, leg_id(0)) as alone:
        await alone.speak(5, 10)
        await asyncio.sleep(0.05)
        assert alone.audio() == [bytes(FRAME)] * 10
        assert bridged.daemon.calls == []


async def test_two_legs_hear_each_other_at_the_speed_of_speech() -> None:
    async with (
        bridging(listening, options=leg_options(barge_in="stop", voices="v-fr,")) as bridged,
        Telephone(bridged.address, leg_id(0)) as left,
        Telephone(bridged.address, leg_id(1)) as right,
    ):
        await asyncio.gather(left.speak(5, 50), right.speak(7, 50))
        left.send(Frame(TERMINATE))
        await right.ended()
        await left.ended()
        config = bridged.daemon.calls[0]
        assert [leg.language for leg in config.legs] == ["fr", "en"]
        assert config.legs[0].voice == "v-fr"
        assert config.legs[1].barge_in == pb.BARGE_IN_STOP
        assert all(leg.audio_format.sample_rate_hz == 8000 for leg in config.legs)
        assert all(leg.audio_format.encoding == pb.AUDIO_ENCODING_LINEAR16 for leg in config.legs)
    for telephone, value in ((left, 7), (right, 5)):
        audio = telephone.audio()
        # The first frames fall into the time before the call is open, the last into its end.
        assert 40 <= len(audio) <= 60
        assert all(len(frame) == FRAME for frame in audio)
        assert sum(frame == bytes([value]) * FRAME for frame in audio) > 35
        took = telephone.times[len(audio) - 1] - telephone.times[0]
        assert took > 0.02 * (len(audio) - 1) * 0.8, "audio came faster than speech"


async def test_who_stays_hears_the_end_at_the_speed_of_speech() -> None:
    async with (
        bridging(listening) as bridged,
        Telephone(bridged.address, leg_id(0)) as left,
        Telephone(bridged.address, leg_id(1)) as right,
    ):
        # More than may wait; for the one who left, too.
        bridged.daemon.call_rest = [[bytes([9]) * FRAME] * 70, [bytes([8]) * FRAME] * 70]
        await asyncio.gather(left.speak(5, 20), right.speak(7, 20))
        left.send(Frame(TERMINATE))
        await left.ended()
        await right.ended()
    rest = [
        at for at, frame in zip(right.times, right.heard, strict=True) if frame.payload == bytes([8]) * FRAME
    ]
    assert len(rest) == 70
    assert rest[-1] - rest[0] > 69 * 0.02 * 0.9
    assert bytes([9]) * FRAME not in left.audio()


async def test_a_call_is_over_when_both_have_hung_up() -> None:
    async with (
        bridging(listening) as bridged,
        Telephone(bridged.address, leg_id(0)) as left,
        Telephone(bridged.address, leg_id(1)) as right,
    ):
        bridged.daemon.call_rest = [[], [bytes([8]) * FRAME] * 3000]
        await asyncio.gather(left.speak(5, 20), right.speak(7, 20))
        left.send(Frame(TERMINATE))
        await left.ended()
        await asyncio.sleep(0.3)
        right.send(Frame(TERMINATE))
        await right.ended()
        await asyncio.sleep(0.05)
        assert bridged.bridge._pairs == {}


async def test_higher_rates_are_taken_as_they_are() -> None:
    async with (
        bridging(listening) as bridged,
        Telephone(bridged.address, leg_id(0), kind=0x12) as left,
        Telephone(bridged.address, leg_id(1)) as right,
    ):
        await asyncio.gather(left.speak(5, 20, 640), right.speak(7, 20))
        rates = [leg.audio_format.sample_rate_hz for leg in bridged.daemon.calls[0].legs]
        assert rates == [16000, 8000]
        assert {len(frame) for frame in left.audio()} == {640}
        assert {len(frame) for frame in right.audio()} == {320}


async def test_a_telephone_that_sends_nothing_goes_on_hearing() -> None:
    async with (
        bridging(listening) as bridged,
        Telephone(bridged.address, leg_id(0)) as left,
        Telephone(bridged.address, leg_id(1)) as right,
    ):
        await asyncio.gather(left.speak(5, 1), right.speak(7, 50))
        assert left.audio().count(bytes([7]) * FRAME) > 30


async def test_a_key_is_heard_as_a_tone() -> None:
    async with (
        bridging(listening) as bridged,
        Telephone(bridged.address, leg_id(0)) as left,
        Telephone(bridged.address, leg_id(1)) as right,
    ):
        await asyncio.gather(left.speak(0, 10), right.speak(0, 10))
        left.send(Frame(DTMF, b"5"))
        await asyncio.gather(left.speak(0, 15), right.speak(0, 15))
        loud = [max(samples(frame)) > 8000 for frame in bridged.daemon.call_audio[0]]
        assert sum(loud) == 5, "a tone of 100 ms"
        assert not any(max(samples(frame)) for frame in bridged.daemon.call_audio[1])


@pytest.mark.parametrize(
    "bad",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        Frame(0x10, bytes(320)).encode(),
        bytes([UUID, 0, 3, 1, 2, 3]),
        Frame(UUID, leg_id(0)).encode() + b"\x10\x00\x03abc",
        Frame(UUID, leg_id(0)).encode() + b"\x10\x00\x00",
        Frame(UUID, leg_id(0)).encode() + b"\x77\x00\x00",
        Frame(UUID, leg_id(0)).encode() + Frame(0x10, bytes(320)).encode() + Frame(0x11, bytes(480)).encode(),
        Frame(UUID, leg_id(0)).encode() + Frame(0x10, bytes(320)).encode() + Frame(UUID, leg_id(0)).encode(),
        Frame(UUID, leg_id(0)).encode() + Frame(0x10, bytes(320)).encode() + Frame(ERROR, b"\x02").encode(),
    ],
)
async def test_garbage_ends_its_own_connection_only(bad: bytes, caplog: pytest.LogCaptureFixture) -> None:
    async with bridging(listening) as bridged:
        host, _, port = bridged.address.rpartition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(bad)
        data = await asyncio.wait_for(reader.read(), 5)
        assert data.endswith(Frame(TERMINATE).encode())
        writer.close()
        assert any(r.levelno == logging.ERROR and "closing it" in r.message for r in caplog.records)
        # The same leg can come again.
        async with Telephone(bridged.address, leg_id(0)) as good:
            await good.speak(5, 3)
            await asyncio.sleep(0.05)
            assert good.audio()


async def test_who_says_nothing_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("interpretd_client.bridges.audiosocket.connection._HELLO", 0.1)
    async with bridging(listening) as bridged, Telephone(bridged.address, leg_id(0)) as silent:
        await silent.ended()
    assert "no UUID and audio" in caplog.text


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.binary(max_size=60), max_size=6), st.booleans())
def test_any_bytes_are_survived(pieces: list[bytes], begin_well: bool) -> None:
    async def run() -> None:
        async with bridging(listening) as bridged:
            host, _, port = bridged.address.rpartition(":")
            reader, writer = await asyncio.open_connection(host, int(port))
            if begin_well:
                writer.write(Frame(UUID, leg_id(0)).encode() + Frame(0x10, bytes(2)).encode())
            for piece in pieces:
                writer.write(piece)
            writer.write_eof()
            await asyncio.wait_for(reader.read(), 5)
            writer.close()
            await writer.wait_closed()
            assert bridged.bridge._pairs == {}

    asyncio.run(run())


async def test_the_same_leg_twice_is_refused(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        bridging(listening) as bridged,
        Telephone(bridged.address, leg_id(0)) as first,
        Telephone(bridged.address, leg_id(0)) as second,
    ):
        await first.speak(5, 2)
        await second.speak(5, 2)
        await second.ended()
        await first.speak(5, 2)
        assert first.audio()
    assert "is there already" in caplog.text


async def test_a_leg_that_stays_alone_is_ended() -> None:
    async with bridging(listening, alone=0.2) as bridged, Telephone(bridged.address, leg_id(0)) as alone:
        await alone.speak(5, 20)
        await alone.ended()


async def test_calls_are_bounded(caplog: pytest.LogCaptureFixture) -> None:
    async with (
        bridging(listening, calls=1) as bridged,
        Telephone(bridged.address, leg_id(0)) as first,
        Telephone(bridged.address, leg_id(0, uuid.uuid4())) as second,
    ):
        await first.speak(5, 2)
        await second.speak(5, 2)
        await second.ended()
    assert "there are 1 calls already" in caplog.text


async def test_a_refused_call_ends_both_legs(caplog: pytest.LogCaptureFixture) -> None:
    async with bridging(listening) as bridged:
        bridged.daemon.call_refused = (grpc.StatusCode.RESOURCE_EXHAUSTED, "full", "1000")
        async with (
            Telephone(bridged.address, leg_id(0)) as left,
            Telephone(bridged.address, leg_id(1)) as right,
        ):
            await asyncio.gather(left.speak(5, 10), right.speak(7, 10))
            await left.ended()
            await right.ended()
        assert "refused: full" in caplog.text
        # The next call is served.
        bridged.daemon.call_refused = None
        async with (
            Telephone(bridged.address, leg_id(0)) as left,
            Telephone(bridged.address, leg_id(1)) as right,
        ):
            await asyncio.gather(left.speak(5, 10), right.speak(7, 10))
            assert bridged.daemon.calls


async def test_a_telephone_that_does_not_read_loses_its_oldest_audio(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    async with (
        bridging(listening) as bridged,
        # 192 kHz fills what buffers there are soon.
        Telephone(bridged.address, leg_id(0), kind=0x18) as left,
        Telephone(bridged.address, leg_id(1)) as right,
    ):
        left.hearing.cancel()
        left.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await asyncio.gather(left.speak(5, 250, 7680), right.speak(7, 250))
        assert right.audio().count(bytes([5]) * FRAME) > 200, "the other one is none the worse"
        left.writer.transport.abort()
        await right.ended()
    lost = next(r for r in caplog.records if "frames lost" in r.message)
    assert isinstance(lost.args, tuple)
    assert isinstance(lost.args[-2], int)
    assert lost.args[-2] > 20


async def test_logs_hold_nothing_that_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with bridging(listening) as bridged:
        text = pb.InterpretResponse(source_text=pb.SourceText(committed=" Geheimnis"))
        bridged.daemon.call_events.put_nowait(pb.CallResponse(event=pb.CallEvent(leg=0, event=text)))
        async with (
            Telephone(bridged.address, leg_id(0)) as left,
            Telephone(bridged.address, leg_id(1)) as right,
        ):
            await asyncio.gather(left.speak(ord("Q"), 10), right.speak(ord("Q"), 10))
            left.send(Frame(DTMF, b"5"))
            left.send(Frame(TERMINATE))
            await right.ended()
    assert "over after" in caplog.text
    assert "Geheimnis" not in caplog.text
    assert "QQQ" not in caplog.text
