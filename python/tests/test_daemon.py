"""Against the real daemon, real models and real speech."""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING

import pytest
import speech
import trustme
from bridges import leg_options
from cutting_proxy import cutting
from real_daemon import PROGRAM, ready, running
from test_audiosocket import Telephone, leg_id

import interpretd_client as client
from interpretd_client import (
    CallAudio,
    CallEnded,
    CallEvent,
    CallLeg,
    Dtmf,
    Mode,
    SessionConfig,
    Target,
    event_of,
    linear16,
    mulaw,
)
from interpretd_client.bridges.audiosocket.frame import TERMINATE, Frame
from interpretd_client.bridges.audiosocket.server import listening
from interpretd_client.bridges.bridge import Bridge
from interpretd_client.bridges.tones import Tones
from interpretd_client.commands.recording import paced
from interpretd_client.g711 import mulaw_to_linear

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.daemon,
    pytest.mark.skipif(not PROGRAM, reason="INTERPRETD does not name the daemon's program"),
]

FR_EN = SessionConfig(
    source_language="fr",
    audio_format=linear16(speech.RATE),
    targets=[Target(language="en", captions_only=True)],
    # The same audio gives the same text, however fast it is sent.
    recorded=True,
)
SILENCE = b"\xff" * 160


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with running("--preload", "fr-en,en-fr") as where:
        yield where


async def pieces(data: bytes, size: int = 6400, *, pause: float = 0.0) -> AsyncIterator[bytes]:
    for start in range(0, len(data), size):
        yield data[start : start + size]
        await asyncio.sleep(pause)


def translation(events: list[client.Event], language: str = "en") -> str:
    found = [e.committed for e in events if isinstance(e, client.TranslatedText) and e.language == language]
    return "".join(found)


async def test_what_it_can_do(address: str) -> None:
    async with client.connect(address) as daemon:
        await ready(daemon)
        assert {("fr", "en"), ("en", "fr")} <= {(p.source, p.target) for p in await daemon.languages()}
        voices = await daemon.voices("en")
        assert voices
        assert all(voice.language == "en" for voice in voices)
        capacity = await daemon.capacity()
        assert capacity.accepting
        assert capacity.sessions_max >= 1


async def test_a_speaker(address: str) -> None:
    config = SessionConfig()
    config.CopyFrom(FR_EN)
    config.targets[0].captions_only = False
    async with client.connect(address) as daemon:
        await ready(daemon)
        audio = pieces(speech.recording("read-cheetah-fr"))
        events = [event async for event in daemon.interpret(config, audio)]
    assert isinstance(events[0], client.SessionStarted)
    assert isinstance(events[-1], client.SessionEnded)
    assert events[-1].reason == client.EndReason.END_REASON_FINISHED
    assert len(translation(events).split()) > 5
    sound = b"".join(event.data for event in events if isinstance(event, client.TranslatedAudio))
    assert len(sound) > events[0].targets[0].audio_format.sample_rate_hz
    assert speech.loudness(sound) > 300


async def test_a_refusal(address: str) -> None:
    config = SessionConfig(
        source_language="fr", audio_format=linear16(16000), targets=[Target(language="xx")]
    )
    async with client.connect(address) as daemon:
        await ready(daemon)
        for _ in range(5):
            with pytest.raises(client.Refused) as refused:
                async for _ in daemon.interpret(config, pieces(bytes(64_000))):
                    pass
            assert refused.value.reason == "unknown-language"
        with pytest.raises(client.Refused) as nobody:
            await anext(daemon.listen("nobody-speaks-here"))
        assert nobody.value.reason == "no-room"


async def test_controls(address: str) -> None:
    async with client.connect(address) as daemon:
        await ready(daemon)

        async def source() -> AsyncIterator[bytes]:
            async for piece in pieces(speech.recording("read-cheetah-fr", 2)):
                yield piece
            await session.set_glossary([client.GlossaryTerm(source="guépard", target="cheetah")], ["Kokoro"])
            await session.remove_target("en")
            async for piece in pieces(speech.recording("read-cheetah-fr", 1)):
                yield piece

        session = daemon.interpret(FR_EN, source())
        events = [event async for event in session]
    changed = [event for event in events if isinstance(event, client.SessionChanged)]
    assert [(c.glossary_terms, c.hot_words) for c in changed] == [(1, 1)]
    refused = client.NoticeKind.NOTICE_KIND_REQUEST_REFUSED
    assert [e.kind for e in events if isinstance(e, client.Notice)] == [refused]


async def test_a_room(address: str) -> None:
    config = SessionConfig()
    config.CopyFrom(FR_EN)
    config.room = "hall"
    async with client.connect(address) as daemon:
        await ready(daemon)
        audio = pieces(speech.recording("read-leopard-fr"))
        async with daemon.interpret(config, audio) as session:
            spoken = [await anext(session)]

            async def listen() -> list[client.Event]:
                return [event async for event in daemon.listen("hall", "en", captions_only=True)]

            listener = asyncio.create_task(listen())
            spoken += [event async for event in session]
            heard = await asyncio.wait_for(listener, 30)
    assert translation(heard)
    assert translation(heard) == translation(spoken)


async def test_a_session_whose_connection_breaks(address: str) -> None:
    data = speech.recording("docs-c-fr", 12)
    config = SessionConfig()
    config.CopyFrom(FR_EN)
    config.resumable = True
    async with client.connect(address) as daemon:
        await ready(daemon)
        whole = [event async for event in daemon.interpret(config, pieces(data))]
    broken = []
    async with (
        cutting(address, [90_000, 200, 60_000, 0, 120_000]) as (proxy, through),
        client.connect(through) as daemon,
        daemon.interpret(config, pieces(data, pause=0.02)) as session,
    ):
        async for event in session:
            proxy.armed.set()
            broken.append(event)
    assert proxy.cuts >= 4
    assert sum(isinstance(event, client.Resumed) for event in broken) >= 2
    for kind in (client.SourceText, client.TranslatedText):
        wanted = "".join(e.committed for e in whole if isinstance(e, kind))
        assert "".join(e.committed for e in broken if isinstance(e, kind)) == wanted
    ends = [event for events in (whole, broken) for event in events if isinstance(event, client.SessionEnded)]
    assert ends[0].source_ms == ends[1].source_ms


async def test_a_call(address: str) -> None:
    legs = [
        CallLeg(language=language, audio_format=mulaw(), no_echo=True, original_percent=0)
        for language in ("fr", "en")
    ]
    said = [speech.mulaw_frames("read-cheetah-fr"), speech.mulaw_frames("read-leopard-en")]
    # One speaks after the other, as people do; then both wait for what is still to be heard.
    said[1] = [SILENCE] * (len(said[0]) + 150) + said[1]
    length = len(said[1]) + 500
    tones = Tones(mulaw())
    heard = [bytearray(), bytearray()]
    others = []
    async with client.connect(address) as daemon:
        await ready(daemon)
        async with daemon.call(legs, mode=Mode.MODE_LOW_LATENCY) as call:

            async def speak() -> None:
                async for count in paced(0.02, lambda: None):
                    if count == length:
                        break
                    if count == length - 100:
                        tones.press("5")
                    for leg, frames in enumerate(said):
                        frame = frames[count] if count < len(frames) else SILENCE
                        await call.send(leg, tones.over(frame) if leg == 0 else frame)
                await call.finish()

            speaking = asyncio.create_task(speak())
            async for message in call:
                if isinstance(message, CallAudio):
                    heard[message.leg] += message.data
                else:
                    others.append(message)
            await speaking
    ended = others[-1]
    assert isinstance(ended, CallEnded)
    assert len(ended.legs) == 2
    for leg, language in ((0, "en"), (1, "fr")):
        assert len(heard[leg]) >= length * 160
        found = [event_of(m.event) for m in others if isinstance(m, CallEvent) and m.leg == leg]
        events = [event for event in found if event is not None]
        assert len(translation(events, language).split()) > 5
        assert any(isinstance(event, client.TranslatedAudio) for event in events)
    # Who listens hears the other's translation, and not before it was said.
    assert speech.loudness(mulaw_to_linear(bytes(heard[1]))) > 200
    assert speech.loudness(mulaw_to_linear(bytes(heard[1][: 160 * 50]))) < 50
    assert [(m.leg, m.key) for m in others if isinstance(m, Dtmf)] == [(0, "5")]


async def test_a_call_over_audiosocket(address: str) -> None:
    said = speech.frames(speech.telephone("read-cheetah-fr"), 320)

    async def speak(telephone: Telephone, frames: list[bytes]) -> None:
        async for count in paced(0.02, lambda: None):
            if count == len(frames):
                return
            telephone.send(Frame(0x10, frames[count]))

    async with client.connect(address) as daemon:
        await ready(daemon)
        bridge = Bridge(daemon, mode=Mode.MODE_LOW_LATENCY)
        options = leg_options(original=0)
        async with (
            listening(bridge, options, "127.0.0.1", 0) as where,
            Telephone(where, leg_id(0)) as left,
            Telephone(where, leg_id(1)) as right,
        ):
            await asyncio.gather(
                speak(left, [bytes(320)] * 25 + said),
                speak(right, [bytes(320)] * (25 + len(said))),
            )
            # What is left to hear is heard though one has hung up.
            left.send(Frame(TERMINATE))
            await asyncio.wait_for(right.hearing, 60)
            await bridge.close()
    assert right.heard[-1] == Frame(TERMINATE)
    assert speech.loudness(b"".join(right.audio())) > 200
    assert {len(frame) for frame in right.audio()} == {320}


async def test_tokens(tmp_path: Path) -> None:
    digest = hashlib.sha256(b"secret").hexdigest()
    (tmp_path / "tokens.toml").write_text(f'[[token]]\nname = "desk"\nsha256 = "{digest}"\nsessions = 1\n')
    with running("--tokens", str(tmp_path / "tokens.toml")) as address:
        async with client.connect(address, token="secret") as daemon:
            await ready(daemon)
            async with daemon.interpret(FR_EN, pieces(bytes(3_200_000), pause=0.05)) as session:
                await anext(session)
                with pytest.raises(client.Busy) as refused:
                    async for _ in daemon.interpret(FR_EN, pieces(bytes(64_000))):
                        pass
                assert refused.value.reason == "quota"
        for token in ("wrong", None):
            async with client.connect(address, token=token) as daemon:
                with pytest.raises(client.Unauthenticated):
                    await daemon.capacity()


async def test_tls(tmp_path: Path) -> None:
    authority = trustme.CA()
    names = {"ca": tmp_path / "ca.pem"}
    authority.cert_pem.write_to_path(names["ca"])
    for name, issued in (
        ("server", authority.issue_cert("127.0.0.1", "localhost")),
        ("own", authority.issue_cert("desk@example.org")),
    ):
        names[name] = tmp_path / f"{name}.pem"
        names[f"{name}_key"] = tmp_path / f"{name}.key"
        issued.cert_chain_pems[0].write_to_path(names[name])
        issued.private_key_pem.write_to_path(names[f"{name}_key"])
    flags = ("--tls-certificate", str(names["server"]), "--tls-key", str(names["server_key"]))
    with running(*flags, "--client-ca", str(names["ca"])) as address:
        place = f"https://{address}"
        known = client.connect(place, ca=names["ca"], certificate=names["own"], key=names["own_key"])
        async with known as daemon:
            await ready(daemon)
        async with client.connect(place, ca=names["ca"]) as stranger:
            with pytest.raises(client.Unreachable):
                await stranger.languages()


async def test_a_unix_socket(tmp_path: Path) -> None:
    """gRPC would name the socket's path as the authority, which HTTP/2 does not allow."""
    socket = tmp_path / "daemon.sock"
    with running("--unix", str(socket)):
        async with client.connect(f"unix:{socket}") as daemon:
            await ready(daemon)
            assert await daemon.languages()
