"""The bridges as programs."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE

import pytest
from fake_daemon import FakeDaemon, serving
from test_audiosocket import Telephone, leg_id

AUDIOSOCKET = "interpretd_client.bridges.audiosocket"
TWILIO = "interpretd_client.bridges.twilio"


async def start(module: str, *arguments: str) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(sys.executable, "-m", module, *arguments, stderr=PIPE)


async def line_with(program: asyncio.subprocess.Process, part: str) -> str:
    assert program.stderr is not None
    while True:
        line = (await asyncio.wait_for(program.stderr.readline(), 20)).decode()
        assert line, f"it ended without saying '{part}'"
        if part in line:
            return line.strip()


@pytest.mark.parametrize("module", [AUDIOSOCKET, TWILIO])
async def test_a_bridge_runs_until_it_is_told_to_stop(module: str) -> None:
    async with serving(FakeDaemon()) as address:
        program = await start(module, "--listen", "127.0.0.1:0", "--languages", "fr,en", "--daemon", address)
        await line_with(program, "listening on")
        await line_with(program, "the daemon interprets fr-en")
        program.send_signal(signal.SIGTERM)
        await line_with(program, "stopping")
        assert await asyncio.wait_for(program.wait(), 10) == 0


async def test_a_call_through_the_program_ends_with_it() -> None:
    daemon = FakeDaemon()
    async with serving(daemon) as address:
        program = await start(
            AUDIOSOCKET, "--listen", "127.0.0.1:0", "--languages", "fr,en", "--daemon", address
        )
        where = (await line_with(program, "listening on")).rpartition(" ")[2]
        async with Telephone(where, leg_id(0)) as left, Telephone(where, leg_id(1)) as right:
            await asyncio.gather(left.speak(5, 25), right.speak(7, 25))
            program.send_signal(signal.SIGTERM)
            await left.ended()
            await right.ended()
        assert await asyncio.wait_for(program.wait(), 10) == 0
    assert len(daemon.call_audio[0]) > 10


async def test_a_daemon_that_is_not_there_may_come_later() -> None:
    program = await start(
        TWILIO, "--listen", "127.0.0.1:0", "--languages", "fr,en", "--daemon", "127.0.0.1:1"
    )
    await line_with(program, "no daemon answers at 127.0.0.1:1")
    program.send_signal(signal.SIGINT)
    assert await asyncio.wait_for(program.wait(), 10) == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--languages", "fr"], "names two"),
        (["--languages", "fr,en", "--listen", "here"], "HOST:PORT"),
        (["--languages", "fr,en", "--daemon", "here"], "is no address"),
    ],
)
async def test_mistakes_are_named(arguments: list[str], said: str) -> None:
    program = await start(AUDIOSOCKET, *arguments)
    await line_with(program, said)
    assert await program.wait() == 2
