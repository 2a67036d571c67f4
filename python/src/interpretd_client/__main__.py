"""`python -m interpretd_client file|call`: what interpretd does, tried from the command line."""

from __future__ import annotations

import argparse
import asyncio
import sys

from .commands import call, file
from .errors import Busy, InterpretdError, Interrupted, InvalidArgument, Unreachable

#: As those of `interpret` (docs/exit-codes.md).
_EXIT_CODES = ((InvalidArgument, 2), (Unreachable, 10), (Busy, 11), (Interrupted, 12))
_CTRL_C = 130


def main(arguments: list[str] | None = None) -> int:
    """Runs a command; gives its exit code."""
    parser = argparse.ArgumentParser(prog="python -m interpretd_client", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in (file, call):
        command.add_to(commands)
    options = parser.parse_args(arguments)
    try:
        asyncio.run(options.run(options))
    except InterpretdError as error:
        print(f"error: {error}", file=sys.stderr)
        return next((code for kind, code in _EXIT_CODES if isinstance(error, kind)), 1)
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return _CTRL_C
    return 0


if __name__ == "__main__":
    sys.exit(main())
