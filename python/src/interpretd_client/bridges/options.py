"""Command-line options that all bridges have, and running one."""

from __future__ import annotations

import argparse
import asyncio
import logging
import signal
import sys
from typing import TYPE_CHECKING

from interpretd_client import options
from interpretd_client.errors import InterpretdError, InvalidArgument
from interpretd_client.messages import AudioFormat, BargeIn, CallLeg
from interpretd_client.tasks import cancel_all

from .bridge import Bridge

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractAsyncContextManager

    from interpretd_client.daemon import Daemon

    #: A bridge's own protocol: takes telephones while it is entered; gives its address.
    Listener = Callable[[Bridge, "LegOptions", str, int], AbstractAsyncContextManager[str]]

log = logging.getLogger(__name__)

_BARGE_IN = {"duck": BargeIn.BARGE_IN_DUCK, "stop": BargeIn.BARGE_IN_STOP}


class LegOptions:
    """What the command line says of legs 0 and 1."""

    def __init__(self, given: argparse.Namespace) -> None:
        self._given = given
        self._languages = _two(given.languages, "--languages")
        self._voices = _two(given.voices, "--voices")

    def leg(self, index: int, audio_format: AudioFormat, *, language: str = "", voice: str = "") -> CallLeg:
        """A leg; `language` and `voice` are those that the telephone's own protocol names."""
        return CallLeg(
            language=language or self._languages[index],
            voice=voice or self._voices[index],
            audio_format=audio_format,
            original_percent=self._given.original,
            comfort_tone=self._given.comfort_tone,
            barge_in=_BARGE_IN[self._given.barge_in],
            no_echo=self._given.no_echo,
        )


def parser(prog: str, description: str | None, listen: str) -> argparse.ArgumentParser:
    """All options."""
    made = argparse.ArgumentParser(prog=f"python -m {prog}", description=description)
    made.add_argument(
        "--listen", metavar="HOST:PORT", default=listen, help="where telephones come [default: %(default)s]"
    )
    made.add_argument(
        "--languages", metavar="LANG,LANG", required=True, help="what is spoken on leg 0 and leg 1"
    )
    made.add_argument("--voices", metavar="NAME,NAME", default=",", help="that speak there")
    made.add_argument(
        "--original",
        metavar="PERCENT",
        type=int,
        default=20,
        choices=range(101),
        help="how loud the other side's own voice is heard [default: %(default)s]",
    )
    made.add_argument(
        "--comfort-tone", action="store_true", help="a soft tone while the other side is being interpreted"
    )
    made.add_argument(
        "--barge-in",
        choices=_BARGE_IN,
        default="duck",
        help="what becomes of a translation when its listener speaks [default: %(default)s]",
    )
    made.add_argument(
        "--no-echo",
        action="store_true",
        help="no telephone gives back what is played into it: none is silenced for fear of that",
    )
    made.add_argument(
        "--alone",
        metavar="SECONDS",
        type=float,
        default=120.0,
        help="how long a leg waits for the other [default: %(default)g]",
    )
    made.add_argument(
        "--calls", metavar="N", type=int, default=100, help="calls at once [default: %(default)s]"
    )
    made.add_argument("--log-level", default="INFO", choices=["ERROR", "WARNING", "INFO", "DEBUG"])
    options.add_mode(made)
    options.add_daemon(made)
    return made


def main(made: argparse.ArgumentParser, listener: Listener, arguments: list[str] | None = None) -> int:
    """Runs a bridge until it is told to stop (SIGTERM, Ctrl-C); gives the exit code."""
    given = made.parse_args(arguments)
    logging.basicConfig(level=given.log_level, format="%(asctime)s %(levelname)s %(message)s")
    try:
        host, port = _host_and_port(given.listen)
        legs = LegOptions(given)
        daemon = options.daemon_of(given)
        asyncio.run(_run(given, daemon, lambda bridge: listener(bridge, legs, host, port)))
    except InvalidArgument as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except (InterpretdError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


async def _run(
    given: argparse.Namespace,
    daemon: Daemon,
    listen: Callable[[Bridge], AbstractAsyncContextManager[str]],
) -> None:
    stop = asyncio.Event()
    for name in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(name, stop.set)
    async with daemon:
        bridge = Bridge(daemon, mode=options.MODES[given.mode], alone=given.alone, calls=given.calls)
        async with listen(bridge) as address:
            log.info("listening on %s", address)
            asking = asyncio.create_task(_ask(daemon))
            await stop.wait()
            log.info("stopping")
            await cancel_all(asking)
            await bridge.close()


async def _ask(daemon: Daemon) -> None:
    try:
        pairs = await daemon.languages()
        log.info("the daemon interprets %s", ", ".join(f"{p.source}-{p.target}" for p in pairs))
    except InterpretdError as error:
        # It may come later; until then every call says so.
        log.warning("%s", error)


def _two(text: str, option: str) -> tuple[str, str]:
    parts = text.split(",")
    if len(parts) != 2:  # noqa: PLR2004 - two legs
        raise InvalidArgument(f"{option} names two, separated by a comma, not '{text}'")
    return parts[0].strip(), parts[1].strip()


def _host_and_port(text: str) -> tuple[str, int]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdecimal():
        raise InvalidArgument(f"--listen is HOST:PORT, not '{text}'")
    return host.strip("[]"), int(port)
