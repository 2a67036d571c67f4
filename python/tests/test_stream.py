"""How a stream ended, whatever gRPC makes of a write that came too late."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import grpc
import pytest

from interpretd_client.stream import Stream

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

FULL = (grpc.StatusCode.RESOURCE_EXHAUSTED, "full", (("interpret-reason", "full"),))
OK = (grpc.StatusCode.OK, "", ())
#: What gRPC puts in the status's place.
MASK = (grpc.StatusCode.INTERNAL, "Internal error from Core", ())


class EndingCall:
    """A call that has had responses, and then statuses, each over the one before, as gRPC does it."""

    def __init__(self, responses: list[str], *statuses: tuple[grpc.StatusCode, str, Any]) -> None:
        self.responses = responses
        self.statuses = statuses
        self.status = statuses[0]
        self.callbacks: list[Callable[[object], None]] = []

    def add_done_callback(self, callback: Callable[[object], None]) -> None:
        self.callbacks.append(callback)

    async def code(self) -> grpc.StatusCode:
        return self.status[0]

    async def details(self) -> str:
        return self.status[1]

    async def trailing_metadata(self) -> grpc.aio.Metadata:
        return grpc.aio.Metadata(*self.status[2])

    async def __aiter__(self) -> AsyncIterator[str]:
        for response in self.responses:
            yield response
        self.end(0)
        for later in range(1, len(self.statuses)):
            asyncio.get_running_loop().call_later(0.05, self.end, later)
        if self.status[0] is not grpc.StatusCode.OK:
            code, details, trailing = self.status
            raise grpc.aio.AioRpcError(
                code, grpc.aio.Metadata(), grpc.aio.Metadata(*trailing), details=details
            )

    def end(self, index: int) -> None:
        self.status = self.statuses[index]
        for callback in self.callbacks:
            callback(self)


async def ending(call: Any) -> tuple[list[str], grpc.aio.AioRpcError | None]:
    stream: Stream[str, str] = Stream(call)
    read = []
    try:
        while (response := await stream.read()) is not None:
            read.append(response)
    except grpc.aio.AioRpcError as error:
        return read, error
    return read, None


@pytest.mark.parametrize("statuses", [(FULL,), (MASK, FULL)])
async def test_the_daemons_status_is_told(statuses: Any) -> None:
    read, error = await ending(EndingCall(["a", "b"], *statuses))
    assert read == ["a", "b"]
    assert error is not None
    assert error.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert error.trailing_metadata()["interpret-reason"] == "full"


async def test_a_status_that_was_overwritten_is_told() -> None:
    call = EndingCall(["a"], MASK)
    stream: Stream[str, str] = Stream(call)  # type: ignore[arg-type]
    assert await stream.read() == "a"
    # The daemon's status came first; the write failed before it was read.
    call.status = FULL
    for callback in call.callbacks:
        callback(call)
    with pytest.raises(grpc.aio.AioRpcError) as raised:
        await stream.read()
    assert raised.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_stream_that_ended_well_did_so_also_for_a_late_write() -> None:
    assert await ending(EndingCall(["a"], OK)) == (["a"], None)
    assert await ending(EndingCall(["a"], MASK, OK)) == (["a"], None)


async def test_what_only_grpc_knows_is_told_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("interpretd_client.stream._STATUS", 0.05)
    _, error = await ending(EndingCall([], MASK))
    assert error is not None
    assert error.code() is grpc.StatusCode.INTERNAL
