"""Bridges Asterisk's AudioSocket to interpretd: two connections are the two legs of a call.

The UUIDs of the two differ in their last bit, which is the number of the leg.
"""

import sys

from interpretd_client.bridges import options

from .server import listening


def main(arguments: list[str] | None = None) -> int:
    """Runs the bridge; gives its exit code."""
    parser = options.parser("interpretd_client.bridges.audiosocket", __doc__, "127.0.0.1:9092")
    return options.main(parser, listening, arguments)


if __name__ == "__main__":
    sys.exit(main())
