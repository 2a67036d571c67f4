"""A stream in both directions that says truly how it ended."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import grpc

if TYPE_CHECKING:
    from collections.abc import Coroutine

Request = TypeVar("Request")
Response = TypeVar("Response")
T = TypeVar("T")

#: What gRPC says of a stream after a write that failed because the stream had ended. It puts this in the
#: place of the status that the daemon had sent (grpc/grpc#36066).
_MASK = "Internal error from Core"
#: For the daemon's status to come where only the above is known.
_STATUS = 1.0


class Stream(Generic[Request, Response]):
    """Writes requests and reads responses, each from one task at a time."""

    def __init__(self, call: grpc.aio.StreamStreamCall[Request, Response]) -> None:
        self._call = call
        self._responses = aiter(call)
        self._status: grpc.aio.AioRpcError | None = None
        self._ended = asyncio.Event()
        self._closed = False
        call.add_done_callback(self._remember)

    async def write(self, request: Request) -> bool:
        """Sends a request, when there is room for it. False: the stream is over; reading says why."""
        try:
            await self._call.write(request)
        except (grpc.aio.AioRpcError, asyncio.InvalidStateError):
            return False
        return True

    async def done_writing(self) -> None:
        """Says that there will be no more requests."""
        with contextlib.suppress(grpc.aio.AioRpcError, asyncio.InvalidStateError):
            await self._call.done_writing()

    async def read(self) -> Response | None:
        """The next response; None: the daemon has ended the stream well, or close() has."""
        try:
            # Not the call's own read(): it gives no more of what has come once a write has failed.
            return await anext(self._responses)
        except StopAsyncIteration:
            return None
        except grpc.aio.AioRpcError as error:
            status = await self._true(error)
            if status.code() is grpc.StatusCode.OK:
                return None
            raise status from None
        except asyncio.CancelledError:
            # gRPC raises it also where the stream was closed by another task than this.
            if self._closed and not _is_cancelled():
                return None
            raise

    def close(self) -> None:
        """Ends the stream now."""
        self._closed = True
        self._call.cancel()

    def _remember(self, _call: object) -> None:
        status = grpc.aio.AioRpcError(
            _at_once(self._call.code()),
            grpc.aio.Metadata(),
            _at_once(self._call.trailing_metadata()) or grpc.aio.Metadata(),
            details=_at_once(self._call.details()),
        )
        if status.details() != _MASK:
            self._status = status
            self._ended.set()

    async def _true(self, error: grpc.aio.AioRpcError) -> grpc.aio.AioRpcError:
        if error.details() != _MASK:
            return error
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._ended.wait(), _STATUS)
        return self._status or error


def _at_once(answer: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine that need not wait: a call's status, once it is there."""
    try:
        answer.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    raise AssertionError("the status of a call that is done is not there")


def _is_cancelled() -> bool:
    """Whether this task is being cancelled; before Python 3.11 nobody can tell."""
    task = asyncio.current_task()
    return bool(task is not None and getattr(task, "cancelling", int)())
