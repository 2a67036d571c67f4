"""Command-line options that say which daemon, with the names and variables that `interpret` has."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from .daemon import Daemon, connect
from .errors import InvalidArgument
from .messages import Mode

if TYPE_CHECKING:
    import argparse

MODES = {
    "low-latency": Mode.MODE_LOW_LATENCY,
    "balanced": Mode.MODE_BALANCED,
    "accurate": Mode.MODE_ACCURATE,
}


def add_daemon(parser: argparse.ArgumentParser) -> None:
    """Adds the options that daemon_of() reads."""
    group = parser.add_argument_group("the daemon")
    group.add_argument(
        "--daemon",
        metavar="ADDR",
        default=os.environ.get("INTERPRET_SERVER", "127.0.0.1:50551"),
        help="host:port, https://host:port or unix:/path [INTERPRET_SERVER; default: %(default)s]",
    )
    group.add_argument(
        "--token-file",
        metavar="FILE",
        default=os.environ.get("INTERPRET_TOKEN_FILE"),
        help="file with the token that the daemon knows you by [INTERPRET_TOKEN_FILE]; "
        "or INTERPRET_TOKEN is the token itself",
    )
    group.add_argument("--ca", metavar="FILE", help="certificates (PEM) that the daemon's must be signed by")
    group.add_argument("--certificate", metavar="FILE", help="your own certificate (PEM)")
    group.add_argument("--key", metavar="FILE", help="its key (PEM)")


def add_mode(parser: argparse.ArgumentParser) -> None:
    """Adds --mode."""
    parser.add_argument("--mode", choices=MODES, default="balanced", help="[default: %(default)s]")


def daemon_of(options: argparse.Namespace) -> Daemon:
    """The daemon that the options name."""
    return connect(
        options.daemon,
        token=_token(options.token_file),
        ca=options.ca,
        certificate=options.certificate,
        key=options.key,
    )


def _token(file: str | None) -> str | None:
    if file is None:
        return os.environ.get("INTERPRET_TOKEN") or None
    try:
        return Path(file).read_text().strip() or None
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidArgument(f"cannot read the token file {file}: {error}") from error
