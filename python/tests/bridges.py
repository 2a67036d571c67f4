"""What the tests of bridges share: a scripted daemon, and a bridge to it."""

from __future__ import annotations

import argparse
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from fake_daemon import FakeDaemon, serving

from interpretd_client import connect
from interpretd_client.bridges.bridge import Bridge
from interpretd_client.bridges.options import LegOptions
from interpretd_client.messages import Mode

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


@dataclass
class Bridged:
    daemon: FakeDaemon
    bridge: Bridge
    address: str


def leg_options(**changes: Any) -> LegOptions:
    given = {
        "languages": "fr,en",
        "voices": ",",
        "original": 20,
        "comfort_tone": False,
        "barge_in": "duck",
        "no_echo": False,
    }
    return LegOptions(argparse.Namespace(**{**given, **changes}))


@asynccontextmanager
async def bridging(
    listening: Any, *, options: LegOptions | None = None, **limits: Any
) -> AsyncIterator[Bridged]:
    """A bridge with one protocol's listening() to a scripted daemon."""
    daemon = FakeDaemon()
    async with serving(daemon) as where, connect(where) as connected:
        bridge = Bridge(connected, mode=Mode.MODE_UNSPECIFIED, **limits)
        async with listening(bridge, options or leg_options(), "127.0.0.1", 0) as address:
            yield Bridged(daemon, bridge, address)
            await bridge.close()
