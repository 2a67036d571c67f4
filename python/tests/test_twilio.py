"""The Twilio bridge, with scripted streams over real sockets."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import logging
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from bridges import bridging, leg_options
from hypothesis import given
from hypothesis import strategies as st
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from interpretd_client._proto import interpreter_pb2 as pb
from interpretd_client.bridges.twilio.marks import EVERY, Marks
from interpretd_client.bridges.twilio.message import BadMessage, Media, decode
from interpretd_client.bridges.twilio.server import listening
from interpretd_client.g711 import mulaw_to_linear, samples

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FRAME = 160
SPEAKS = pb.CallResponse(
    event=pb.CallEvent(leg=1, event=pb.InterpretResponse(speech=pb.Speech(boundary=pb.SPEECH_BOUNDARY_START)))
)


class Stream:
    """A stream as Twilio makes it."""

    def __init__(self, socket: ClientConnection, leg: int) -> None:
        self.socket = socket
        self.sid = f"MZ{leg}"
        self.heard: list[dict[str, Any]] = []
        self.plays = True
        self.hearing = asyncio.create_task(self._hear())

    async def send(self, event: str, **fields: Any) -> None:
        await self.socket.send(json.dumps({"event": event, "streamSid": self.sid, **fields}))

    async def start(self, **parameters: str) -> None:
        await self.socket.send(json.dumps({"event": "connected", "protocol": "Call", "version": "1.0.0"}))
        begin = {
            "streamSid": self.sid,
            "accountSid": "AC0",
            "callSid": "CA0",
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": parameters,
        }
        await self.send("start", sequenceNumber="1", start=begin)

    async def speak(self, value: int, frames: int) -> None:
        """Sends frames of one value at the speed of speech."""
        payload = base64.b64encode(bytes([value]) * FRAME).decode()
        began = asyncio.get_running_loop().time()
        for count in range(frames):
            media = {"track": "inbound", "chunk": str(count), "timestamp": "5", "payload": payload}
            await self.send("media", media=media)
            await asyncio.sleep(max(began + (count + 1) * 0.02 - asyncio.get_running_loop().time(), 0))

    async def _hear(self) -> None:
        try:
            async for text in self.socket:
                message = json.loads(text)
                self.heard.append(message)
                if message["event"] == "mark" and self.plays:
                    await self.send("mark", mark=message["mark"])
        except ConnectionClosed:
            pass

    def audio(self) -> list[bytes]:
        found = [m["media"]["payload"] for m in self.heard if m["event"] == "media"]
        return [base64.b64decode(payload) for payload in found]

    def events(self) -> list[str]:
        return [message["event"] for message in self.heard]

    async def ended(self) -> None:
        await asyncio.wait_for(self.hearing, 5)


@asynccontextmanager
async def stream(address: str, leg: int, **parameters: str) -> AsyncIterator[Stream]:
    async with connect(address) as socket:
        made = Stream(socket, leg)
        if parameters:
            await made.start(leg=str(leg), **parameters)
        yield made
    await made.hearing


async def test_a_stream_alone_hears_silence() -> None:
    async with bridging(listening) as bridged, stream(bridged.address, 0, call="x") as alone:
        await alone.speak(5, 10)
        await asyncio.sleep(0.05)
        assert alone.audio() == [b"\xff" * FRAME] * 10
        assert alone.heard[0]["streamSid"] == "MZ0"
        assert bridged.daemon.calls == []


async def test_two_streams_hear_each_other_and_end_together() -> None:
    async with (
        bridging(listening) as bridged,
        stream(bridged.address, 1, call="x", language="de", voice="v-de") as right,
        stream(bridged.address, 0, call="x") as left,
    ):
        await asyncio.gather(left.speak(5, 60), right.speak(7, 60))
        await left.send("stop", stop={"callSid": "CA0"})
        await right.ended()
        await left.ended()
        config = bridged.daemon.calls[0]
        assert [leg.language for leg in config.legs] == ["fr", "de"]
        assert config.legs[1].voice == "v-de"
        assert config.legs[0].audio_format.encoding == pb.AUDIO_ENCODING_MULAW
        assert config.legs[0].audio_format.sample_rate_hz == 8000
    for telephone, value in ((left, 7), (right, 5)):
        audio = telephone.audio()
        assert 50 <= len(audio) <= 70
        assert sum(frame == bytes([value]) * FRAME for frame in audio) > 45
        assert telephone.events().count("mark") == 1
        assert "clear" not in telephone.events()


async def test_a_barge_in_that_stops_clears_what_was_not_played() -> None:
    async with (
        bridging(listening, options=leg_options(barge_in="stop")) as bridged,
        stream(bridged.address, 0, call="x") as left,
        stream(bridged.address, 1, call="x") as right,
    ):
        await asyncio.gather(left.speak(5, 20), right.speak(7, 20))
        bridged.daemon.call_events.put_nowait(SPEAKS)
        await asyncio.gather(left.speak(5, 10), right.speak(7, 10))
        assert right.events().count("clear") == 1
        assert "clear" not in left.events()


async def test_a_barge_in_that_ducks_clears_nothing() -> None:
    async with (
        bridging(listening) as bridged,
        stream(bridged.address, 0, call="x") as left,
        stream(bridged.address, 1, call="x") as right,
    ):
        bridged.daemon.call_events.put_nowait(SPEAKS)
        await asyncio.gather(left.speak(5, 20), right.speak(7, 20))
        assert "clear" not in right.events() + left.events()


async def test_audio_that_piles_up_unplayed_is_cleared() -> None:
    async with (
        bridging(listening) as bridged,
        stream(bridged.address, 0, call="x") as left,
        stream(bridged.address, 1, call="x") as right,
    ):
        await asyncio.gather(left.speak(5, 60), right.speak(7, 60))
        left.plays = False
        await asyncio.gather(left.speak(5, 230), right.speak(7, 230))
        assert left.events().count("clear") == 1
        assert "clear" not in right.events()


async def test_a_key_is_heard_as_a_tone() -> None:
    async with (
        bridging(listening) as bridged,
        stream(bridged.address, 0, call="x") as left,
        stream(bridged.address, 1, call="x") as right,
    ):
        await asyncio.gather(left.speak(0xFF, 10), right.speak(0xFF, 10))
        await left.send("dtmf", dtmf={"track": "inbound_track", "digit": "5"})
        await asyncio.gather(left.speak(0xFF, 15), right.speak(0xFF, 15))
        loud = [max(samples(mulaw_to_linear(frame))) > 8000 for frame in bridged.daemon.call_audio[0]]
        assert sum(loud) == 5


GOOD = {"streamSid": "s", "customParameters": {"call": "x", "leg": "0"}}


def start(**changes: Any) -> str:
    return json.dumps({"event": "start", "start": {**GOOD, **changes}})


@pytest.mark.parametrize(
    "bad",
    [
        "no json",
        "[]",
        "7",
        '{"event": "media"}',
        '{"event": "media", "media": {"payload": "AAAA"}}',
        b"\1\2",
        "[" * 90_000,
        start(customParameters={"call": "x"}),
        start(customParameters={"leg": "0"}),
        start(customParameters={"call": "x\ny", "leg": "0"}),
        start(customParameters={"call": "x", "leg": "2"}),
        start(mediaFormat={"encoding": "audio/l16", "sampleRate": 16000, "channels": 1}),
        start(),
    ],
)
async def test_garbage_ends_its_own_connection_only(
    bad: str | bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with bridging(listening) as bridged:
        async with stream(bridged.address, 0) as broken:
            await broken.socket.send(bad)
            if bad == start():
                # Well begun, ill gone on.
                await broken.socket.send('{"event": "media", "media": {"payload": "?"}}')
            await broken.ended()
        assert any(r.levelno == logging.ERROR and "closing it" in r.message for r in caplog.records)
        async with stream(bridged.address, 0, call="x") as good:
            await good.speak(5, 3)
            await asyncio.sleep(0.05)
            assert good.audio()


async def test_a_message_that_is_too_large_ends_its_connection() -> None:
    async with bridging(listening) as bridged, stream(bridged.address, 0) as broken:
        await broken.socket.send("x" * 200_000)
        await broken.ended()
        assert broken.socket.close_code == 1009


async def test_only_the_path_is_served() -> None:
    async with bridging(partial(listening, path="/secret")) as bridged:
        assert bridged.address.endswith("/secret")
        async with stream(f"{bridged.address}?a=b", 0, call="x") as good:
            await good.speak(5, 1)
        with pytest.raises(InvalidStatus, match="404"):
            await connect(bridged.address.removesuffix("secret"))


async def test_logs_hold_nothing_that_was_said(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("websockets.client").setLevel(logging.WARNING)
    async with (
        bridging(listening) as bridged,
        stream(bridged.address, 0, call="x") as left,
        stream(bridged.address, 1, call="x") as right,
    ):
        await asyncio.gather(left.speak(ord("Q"), 10), right.speak(ord("Q"), 10))
        await left.socket.send('{"event": "media", "media": {"payload": "UVFRUVFR?"}}')
        await right.ended()
    assert "is not as it should be" in caplog.text
    assert "UVFR" not in caplog.text


SCALARS = st.none() | st.booleans() | st.floats() | st.text()
JSON = st.recursive(SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner))


@given(JSON, st.sampled_from([None, "media", "start", "dtmf", "mark"]))
def test_any_json_is_a_message_or_a_bad_one(value: Any, event: str | None) -> None:
    message = value if event is None else {"event": event, event: value}
    with contextlib.suppress(BadMessage):
        decode(json.dumps(message))


def test_the_outbound_track_is_not_heard() -> None:
    text = '{"event": "media", "media": {"track": "%s", "payload": "AAA="}}'
    assert decode(text % "outbound") is None
    assert decode(text % "inbound") == Media(bytes(2))


def test_marks_that_never_come_back_say_nothing() -> None:
    marks = Marks()
    names = [marks.after_frame() for _ in range(20 * EVERY)]
    assert sum(name is not None for name in names) == 20
    assert marks.waiting == 0
    marks.played(names[-1] or "")
    assert marks.waiting == 0
    marks.played("of another kind")
    for _ in range(4 * EVERY):
        marks.after_frame()
    assert marks.waiting == 4 * EVERY
    marks.cleared()
    marks.played("0.24")
    assert marks.waiting == 0
