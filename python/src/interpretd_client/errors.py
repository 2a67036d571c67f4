"""What can go wrong between a program and a daemon."""

from __future__ import annotations

from typing import TYPE_CHECKING

import grpc

if TYPE_CHECKING:
    from collections.abc import Mapping

#: Trailing metadata with the daemon's reason, for programs ("full", "no-model", "unauthenticated", ...).
REASON_KEY = "interpret-reason"
#: Trailing metadata with the milliseconds after which to try again.
RETRY_KEY = "grpc-retry-pushback-ms"

Code = grpc.StatusCode


class InterpretdError(Exception):
    """Anything that goes wrong here."""


class InvalidArgument(InterpretdError, ValueError):
    """What the program asks for cannot be; nothing was sent."""


class Unreachable(InterpretdError):
    """No daemon answers at the address."""


class Refused(InterpretdError):
    """The daemon does not do what was asked, or has ended the session."""

    def __init__(
        self, message: str, *, code: Code, reason: str = "", retry_after: float | None = None
    ) -> None:
        super().__init__(message)
        #: The gRPC status.
        self.code = code
        #: The daemon's reason, for programs; empty where it gave none.
        self.reason = reason
        #: Seconds after which to try again; None where the daemon does not say.
        self.retry_after = retry_after


class Busy(Refused):
    """The daemon has no room now: it is full, still loading, or a quota is used up. Later it may have."""


class Unauthenticated(Refused):
    """The daemon asks for a token, and none was shown, or a bad one."""


class Interrupted(InterpretdError):
    """The connection was lost in the middle, and what was going on cannot be gone on with."""


class ProtocolError(InterpretdError):
    """The daemon said something that the protocol does not allow."""


#: Statuses that a broken connection, or something between here and the daemon, gives. The daemon
#: gives some of them too, but then with a reason.
_LOST = {Code.UNAVAILABLE, Code.CANCELLED, Code.UNKNOWN, Code.INTERNAL, Code.DEADLINE_EXCEEDED}

_ADVICE = {
    Code.UNAUTHENTICATED: "pass token=... with a token that the daemon takes",
    Code.PERMISSION_DENIED: "this token may not do that; ask whoever runs the daemon",
    Code.UNIMPLEMENTED: "the daemon is older than this client: update it",
}


def is_lost(error: grpc.aio.AioRpcError) -> bool:
    """Whether the connection was lost, rather than an answer given."""
    return error.code() in _LOST and not _trailing(error).get(REASON_KEY)


def translate(error: grpc.aio.AioRpcError, address: str, *, begun: bool) -> InterpretdError:
    """The error for a person; `begun`: the daemon had answered before."""
    details = error.details() or error.code().name.lower().replace("_", " ")
    if is_lost(error):
        if begun:
            return Interrupted(f"the connection to the daemon at {address} was lost: {details}")
        return Unreachable(
            f"no daemon answers at {address}: {details}; is interpretd running there, "
            f"and does it {_tls_question(address)}?"
        )
    trailing = _trailing(error)
    advice = _ADVICE.get(error.code())
    message = f"{details}; {advice}" if advice else details
    retry_after = _seconds(trailing.get(RETRY_KEY))
    if retry_after is not None:
        message += f" (try again in {retry_after:g} s)"
    return _kind(error.code())(
        message, code=error.code(), reason=trailing.get(REASON_KEY, ""), retry_after=retry_after
    )


def _tls_question(address: str) -> str:
    if address.startswith("https://"):
        return "speak TLS with a certificate that ca=... signed"
    return "speak without TLS (otherwise write https://)"


def _kind(code: Code) -> type[Refused]:
    if code is Code.UNAUTHENTICATED:
        return Unauthenticated
    if code in (Code.RESOURCE_EXHAUSTED, Code.UNAVAILABLE):
        return Busy
    return Refused


def _trailing(error: grpc.aio.AioRpcError) -> Mapping[str, str]:
    pairs = error.trailing_metadata() or ()
    return {key: value for key, value in pairs if isinstance(value, str)}


def _seconds(milliseconds: str | None) -> float | None:
    """Of a pushback; a negative or odd one means that trying again is of no use."""
    try:
        value = int(milliseconds or "")
    except ValueError:
        return None
    return value / 1000 if value >= 0 else None
