"""Two legs that belong together become one call."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from interpretd_client.errors import InterpretdError

from .interpreting import interpret

if TYPE_CHECKING:
    from interpretd_client.daemon import Daemon
    from interpretd_client.messages import Mode

    from .leg import Leg

log = logging.getLogger(__name__)


class CannotJoin(Exception):
    """A leg cannot be taken."""


@dataclass
class _Pair:
    legs: dict[int, Leg] = field(default_factory=dict)
    #: Ends a leg that stays alone.
    timer: asyncio.TimerHandle | None = None
    call: asyncio.Task[None] | None = None


class Bridge:
    """Waits for the two legs of each call, and has them interpreted.

    `alone` is how long a leg waits for the other, in seconds; `calls` bounds the calls and those that wait.
    """

    def __init__(
        self, daemon: Daemon, *, mode: Mode.ValueType, alone: float = 120.0, calls: int = 100
    ) -> None:
        self._daemon = daemon
        self._mode = mode
        self._alone = alone
        self._calls = calls
        self._pairs: dict[str, _Pair] = {}

    def join(self, name: str, index: int, leg: Leg) -> None:
        """Takes leg 0 or 1 of the call `name`; with the second one, the call begins."""
        pair = self._pairs.get(name)
        if pair is None:
            if len(self._pairs) >= self._calls:
                raise CannotJoin(f"there are {self._calls} calls already")
            pair = self._pairs[name] = _Pair()
            loop = asyncio.get_running_loop()
            pair.timer = loop.call_later(self._alone, self._end_alone, name, pair)
        elif index in pair.legs or pair.call is not None:
            raise CannotJoin(f"leg {index} of call {name} is there already")
        pair.legs[index] = leg
        log.info("call %s: leg %d (%s) is there", name, index, leg.config.language)
        if len(pair.legs) > 1:
            self._disarm(pair)
            pair.call = asyncio.create_task(self._call(name, pair))

    def leave(self, name: str, leg: Leg) -> None:
        """The telephone of a leg is gone."""
        leg.hang_up()
        pair = self._pairs.get(name)
        if pair is not None and pair.call is None and leg in pair.legs.values():
            self._forget(name, pair)

    async def close(self) -> None:
        """Ends all calls, and those legs that wait."""
        calls = [pair.call for pair in self._pairs.values() if pair.call is not None]
        for name, pair in list(self._pairs.items()):
            for leg in pair.legs.values():
                self.leave(name, leg)
        await asyncio.gather(*calls)

    async def _call(self, name: str, pair: _Pair) -> None:
        legs = (pair.legs[0], pair.legs[1])
        began = asyncio.get_running_loop().time()
        try:
            await interpret(self._daemon, legs, self._mode)
        except InterpretdError as error:
            log.error("call %s: %s", name, error)  # noqa: TRY400 - the error says what there is to say
        except Exception:
            log.exception("call %s failed", name)
        finally:
            self._forget(name, pair)
        log.info(
            "call %s: over after %.1f s; frames lost: from leg 0 %d, from leg 1 %d, to leg 0 %d, to leg 1 %d",
            name,
            asyncio.get_running_loop().time() - began,
            *(leg.heard.dropped for leg in legs),
            *(leg.ear.dropped for leg in legs),
        )

    def _end_alone(self, name: str, pair: _Pair) -> None:
        log.warning("call %s: the other leg did not come in %g s", name, self._alone)
        self._forget(name, pair)

    def _forget(self, name: str, pair: _Pair) -> None:
        self._disarm(pair)
        self._pairs.pop(name, None)
        for leg in pair.legs.values():
            leg.end()

    @staticmethod
    def _disarm(pair: _Pair) -> None:
        if pair.timer is not None:
            pair.timer.cancel()
