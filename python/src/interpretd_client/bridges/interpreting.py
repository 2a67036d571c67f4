"""One call, from the moment both legs are there until it is over."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

from interpretd_client._proto.interpreter_pb2 import SPEECH_BOUNDARY_START
from interpretd_client.messages import CallAudio, CallEvent
from interpretd_client.tasks import cancel_all

from .cadence import Cadence

if TYPE_CHECKING:
    from interpretd_client.call import Call
    from interpretd_client.daemon import Daemon
    from interpretd_client.messages import Mode

    from .leg import Leg

log = logging.getLogger(__name__)

#: A frame, where the telephone gives none to go by.
_FRAME = 0.02
#: After one side has hung up, what was said is still interpreted, and spoken to the other, for so long.
_FLUSH = 60.0


async def interpret(daemon: Daemon, legs: tuple[Leg, Leg], mode: Mode.ValueType) -> None:
    """Has a call interpreted until one of its telephones, or the daemon, ends it."""
    async with daemon.call([leg.config for leg in legs], mode=mode) as call:
        for leg in legs:
            leg.live = True
        speaking = [asyncio.create_task(_speak(call, index, leg)) for index, leg in enumerate(legs)]
        hearing = asyncio.create_task(_hear(call, legs))
        ending: asyncio.Task[None] | None = None
        try:
            await asyncio.wait({*speaking, hearing}, return_when=asyncio.FIRST_COMPLETED)
            ending = asyncio.create_task(_end(call, legs, speaking))
            await asyncio.wait({ending, hearing}, timeout=_FLUSH, return_when=asyncio.FIRST_COMPLETED)
            if hearing.done():
                await hearing
        finally:
            await cancel_all(*speaking, hearing, ending)


async def _end(call: Call, legs: tuple[Leg, Leg], speaking: list[asyncio.Task[None]]) -> None:
    """Flushes the call; over when nobody is left to hear what comes of it."""
    for leg in legs:
        leg.heard.close()
    # Speaking ends by itself: to cancel it would cancel the whole call.
    await asyncio.gather(*speaking)
    await call.finish()
    for leg in legs:
        await leg.gone.wait()


async def _speak(call: Call, index: int, leg: Leg) -> None:
    now = asyncio.get_running_loop().time
    cadence = Cadence(now())
    while True:
        try:
            frame = await leg.heard.take(cadence.due_in(now()))
        except asyncio.TimeoutError:
            frame = leg.silence(_FRAME)
        if frame is None:
            return
        if cadence.admit(now(), leg.seconds(frame)):
            leg.sent += 1
            await call.send(index, frame)
        else:
            leg.heard.dropped += 1


async def _hear(call: Call, legs: tuple[Leg, Leg]) -> None:
    due = 0.0
    async for message in call:
        if isinstance(message, CallAudio):
            leg = legs[message.leg]
            if message.sequence >= leg.sent and not leg.gone.is_set():
                # No frame asked for this one: it is what was left to hear at the end, and comes all at once.
                now = asyncio.get_running_loop().time()
                await asyncio.sleep(max(due - now, 0))
                due = max(due, now) + leg.seconds(message.data)
            leg.ear.put(message.data)
        elif isinstance(message, CallEvent) and message.event.speech.boundary == SPEECH_BOUNDARY_START:
            legs[message.leg].speaks()
