"""Where a daemon is."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

from .errors import InvalidArgument


@dataclass(frozen=True)
class Address:
    """A daemon's address, as `interpret --server` takes it."""

    #: As it was written.
    text: str
    #: As gRPC takes it.
    target: str
    #: Whether TLS is spoken there.
    tls: bool
    #: Whether what is sent there leaves this machine.
    far: bool

    @classmethod
    def parse(cls, text: str) -> Address:
        """Takes `host:port`, `http://host:port`, `https://host:port` and `unix:/path`."""
        if text.startswith("unix:"):
            path = text.removeprefix("unix:").removeprefix("//")
            if not path:
                raise _bad(text, "the path is empty")
            return cls(text, f"unix:{path}", tls=False, far=False)
        try:
            url = urlsplit(text if "://" in text else f"http://{text}")
            host, port = url.hostname, url.port
        except ValueError as error:
            raise _bad(text, str(error)) from None
        if url.scheme not in ("http", "https"):
            raise _bad(text, f"the scheme is {url.scheme}")
        if not host or port is None or any(c.isspace() for c in host):
            raise _bad(text, "host or port is missing")
        if url.path not in ("", "/") or url.query or url.username is not None:
            raise _bad(text, "it holds more than host and port")
        netloc = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        return cls(text, netloc, tls=url.scheme == "https", far=not _is_loopback(host))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bad(text: str, why: str) -> InvalidArgument:
    return InvalidArgument(
        f"'{text}' is no address of a daemon: {why}; write host:port, https://host:port or unix:/path"
    )
