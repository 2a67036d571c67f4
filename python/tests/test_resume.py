"""A resumable session over connections that break: no response comes twice, and none is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from cutting_proxy import cutting
from fake_daemon import FakeDaemon, serving
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import interpretd_client as client
from interpretd_client import SessionConfig, Target, conversation, linear16

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

CONFIG = SessionConfig(
    source_language="fr",
    audio_format=linear16(16000),
    targets=[Target(language="en")],
    resumable=True,
)
#: Bytes that connections after the first pass before they are cut: some of them none, so that trying
#: fails too, some in the middle of resuming, some later.
BUDGETS = st.lists(st.integers(0, 6000), max_size=4)


def numbered(count: int, size: int) -> list[bytes]:
    return [i.to_bytes(4, "big") + bytes(size) for i in range(count)]


async def paced(pieces: list[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece
        await asyncio.sleep(0.001)


async def interpreted(
    pieces: list[bytes],
    budgets: list[int],
    daemon: FakeDaemon | None = None,
    config: SessionConfig = CONFIG,
    *,
    swallow: bool = False,
    resume_within: float = 30.0,
) -> tuple[list[client.Event], FakeDaemon, int]:
    """All events of a session whose connections are cut, and how often they were."""
    daemon = daemon or FakeDaemon()
    events: list[client.Event] = []
    async with (
        serving(daemon) as address,
        cutting(address, budgets) as (proxy, through),
        client.connect(through) as connected,
        connected.interpret(config, paced(pieces), resume_within=resume_within) as session,
    ):
        proxy.swallow = swallow
        async for event in session:
            proxy.armed.set()
            events.append(event)
    return events, daemon, proxy.cuts


def lasting(events: list[client.Event]) -> list[client.Event]:
    return [event for event in events if not isinstance(event, (client.Heartbeat, client.Resumed))]


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(first=st.integers(0, 4000), rest=BUDGETS, count=st.integers(1, 80), size=st.sampled_from([0, 60, 600]))
def test_nothing_comes_twice_and_nothing_is_lost(first: int, rest: list[int], count: int, size: int) -> None:
    pieces = numbered(count, size)
    events, daemon, _ = asyncio.run(interpreted(pieces, [first, *rest]))
    session = daemon.latest
    assert session is not None
    assert session.chunks == pieces, "the daemon heard something else than was said"
    said = lasting(events)
    assert isinstance(said[0], client.SessionStarted)
    assert isinstance(said[-1], client.SessionEnded)
    words = [event.committed.strip()[:8] for event in said if isinstance(event, client.SourceText)]
    assert words == [piece[:4].hex() for piece in pieces]
    assert len(said) == len(session.responses)
    assert session.resumed >= sum(isinstance(event, client.Resumed) for event in events)


async def test_cuts_are_seen_and_gone_on_from() -> None:
    # The property above would hold of a proxy that never cuts.
    events, daemon, cuts = await interpreted(numbered(200, 600), [3000, 100, 3000, 3000])
    assert cuts == 4
    resumed = [event for event in events if isinstance(event, client.Resumed)]
    assert len(resumed) >= 2
    assert daemon.latest is not None
    assert daemon.latest.acknowledged > 100


async def test_a_response_that_comes_again_is_skipped() -> None:
    daemon = FakeDaemon()
    daemon.repeated = 1
    pieces = numbered(100, 600)
    events, _, cuts = await interpreted(pieces, [3000, 3000], daemon)
    assert cuts == 2
    words = [event.committed.strip()[:8] for event in events if isinstance(event, client.SourceText)]
    assert words == [piece[:4].hex() for piece in pieces]


async def test_a_response_that_is_missing_is_noticed() -> None:
    daemon = FakeDaemon()
    daemon.repeated = -1
    with pytest.raises(client.ProtocolError, match="came after"):
        await interpreted(numbered(100, 600), [3000], daemon)


async def test_controls_survive_a_cut_in_their_place() -> None:
    daemon = FakeDaemon()
    names = [f"x{i}" for i in range(30)]
    async with (
        serving(daemon) as address,
        cutting(address, [1500, 1500, 1500]) as (proxy, through),
        client.connect(through) as connected,
    ):

        async def source() -> AsyncIterator[bytes]:
            for i, name in enumerate(names):
                await session.add_target(Target(language=name))
                yield i.to_bytes(4, "big") + bytes(100)
                await asyncio.sleep(0.002)

        session = connected.interpret(CONFIG, source())
        async for _ in session:
            proxy.armed.set()
    assert daemon.latest is not None
    asked = [control.add_target.target.language for control in daemon.latest.controls]
    # One that was under way when the connection broke may be asked for twice, next to itself.
    assert [name for i, name in enumerate(asked) if i == 0 or asked[i - 1] != name] == names
    assert proxy.cuts == 3


async def test_a_silent_connection_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conversation, "_SILENCE", 0.3)
    pieces = numbered(100, 100)
    events, daemon, _ = await interpreted(pieces, [3000], swallow=True)
    assert any(isinstance(event, client.Resumed) for event in events)
    assert daemon.latest is not None
    assert daemon.latest.chunks == pieces


async def test_a_session_that_the_daemon_forgot_is_interrupted() -> None:
    daemon = FakeDaemon()
    daemon.resume_refused = "no-session"
    with pytest.raises(client.Interrupted, match="no-session") as lost:
        await interpreted(numbered(1000, 600), [3000], daemon)
    assert lost.value.__cause__ is not None


async def test_trying_ends_after_a_while() -> None:
    with pytest.raises(client.Interrupted, match=r"did not come back in 0\.8 s"):
        await interpreted(numbered(1000, 600), [3000] + [0] * 100, resume_within=0.8)


async def test_a_session_that_is_not_resumable_is_interrupted_at_once() -> None:
    config = SessionConfig(audio_format=linear16(16000), targets=CONFIG.targets)
    daemon = FakeDaemon()
    with pytest.raises(client.Interrupted, match="was lost"):
        await interpreted(numbered(1000, 600), [3000], daemon, config)
    assert daemon.latest is not None
    assert daemon.latest.resumed == 0
