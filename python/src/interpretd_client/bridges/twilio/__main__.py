"""Bridges Twilio Media Streams to interpretd: two streams are the two legs of a call.

The TwiML of each names them with the parameters `call` and `leg` (0 or 1), and may name the leg's
`language` and `voice`. Twilio speaks TLS only: put a reverse proxy in front that does.
"""

import sys
from functools import partial

from interpretd_client.bridges import options

from .server import listening


def main(arguments: list[str] | None = None) -> int:
    """Runs the bridge; gives its exit code."""
    parser = options.parser("interpretd_client.bridges.twilio", __doc__, "127.0.0.1:8090")
    parser.add_argument(
        "--path",
        default="/",
        help="where streams are taken; one that nobody can guess keeps others out [default: %(default)s]",
    )
    given = parser.parse_args(arguments)
    return options.main(parser, partial(listening, path=given.path), arguments)


if __name__ == "__main__":
    sys.exit(main())
