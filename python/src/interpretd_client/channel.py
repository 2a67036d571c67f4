"""The connection to a daemon, and what is shown to it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import grpc

from .errors import InvalidArgument

if TYPE_CHECKING:
    import os

    from .address import Address

    File = str | os.PathLike[str]

_OPTIONS = (
    # A dead connection is found within half a minute, also while nobody speaks.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.max_pings_without_data", 0),
    # A daemon that was away for a moment is tried again soon.
    ("grpc.initial_reconnect_backoff_ms", 200),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    ("grpc.max_receive_message_length", 64 << 20),
    # Every channel has connections of its own: a new one never goes over a connection that is dead.
    ("grpc.use_local_subchannel_pool", 1),
)


@dataclass(frozen=True)
class Credentials:
    """What is shown to a daemon, and asked of it."""

    #: The bearer token that the daemon knows us by.
    token: str | None = field(default=None, repr=False)
    #: File (PEM) with the certificates that the daemon's must be signed by; None: those that gRPC brings.
    ca: File | None = None
    #: Files (PEM) with our own certificate and its key, where the daemon asks for them.
    certificate: File | None = None
    key: File | None = None

    def check(self, address: Address) -> None:
        """Refuses what would be unsafe or without effect."""
        if not address.tls and (self.ca or self.certificate or self.key):
            raise InvalidArgument(f"certificates are given, but {address.text} speaks no TLS; write https://")
        if bool(self.certificate) != bool(self.key):
            raise InvalidArgument("certificate and key are given together or not at all")
        if self.token is None:
            return
        if address.far and not address.tls:
            raise InvalidArgument(f"the token would travel to {address.text} in the clear; write https://")
        if not self.token.strip().isascii() or not self.token.strip().isprintable():
            raise InvalidArgument("the token holds characters that no token has")

    def metadata(self) -> tuple[tuple[str, str], ...]:
        if self.token is None:
            return ()
        return (("authorization", f"Bearer {self.token.strip()}"),)


# A socket's path is no authority that HTTP/2 knows, and the daemon would refuse it.
_LOCAL = (("grpc.default_authority", "localhost"),)


def open_channel(address: Address, credentials: Credentials) -> grpc.aio.Channel:
    """A channel of its own; nothing is sent before the first call."""
    if not address.tls:
        local = _LOCAL if address.target.startswith("unix:") else ()
        return grpc.aio.insecure_channel(address.target, options=_OPTIONS + local)
    # Read each time: certificates are renewed while programs run.
    tls = grpc.ssl_channel_credentials(
        root_certificates=_read(credentials.ca),
        private_key=_read(credentials.key),
        certificate_chain=_read(credentials.certificate),
    )
    return grpc.aio.secure_channel(address.target, tls, options=_OPTIONS)


def _read(file: File | None) -> bytes | None:
    if file is None:
        return None
    try:
        return Path(file).read_bytes()
    except OSError as error:
        raise InvalidArgument(f"cannot read {file}: {error.strerror}") from error
